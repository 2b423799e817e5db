"""`hsi retrieve`: make a gallery searchable, and search it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from .suggestions import SuggestingGroup
from .terminal import announce, names_of, say
from .values import (
    Number,
    Word,
    array_options,
    device_option,
    drawn_label_options,
    language_option,
    memory_limit_option,
    require_page,
    unlabelled_option,
    warp_labels_option,
)

if TYPE_CHECKING:
    from ..tasks.retrieval.query import QueryResult

_INDEX_EXAMPLES = """\b
Examples:
  hsi retrieve index runs/MY_RUN --dataset jasper_ridge -o index/
  hsi retrieve index runs/MY_RUN --scene large_rgb.tif -o index/ --step 2
"""
_QUERY_EXAMPLES = """\b
Examples:
  hsi retrieve query index/ --spectrum water.csv --top 20 -o found/
  hsi retrieve query index/ --spectrum library.sli --name "Red brick" --json
  hsi retrieve query index/ --patch photo.png --at 120,45
  hsi retrieve query index/ --pixel 17,80
"""
_device = device_option(default="auto")
_threads = click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="CPU threads.")
_resample = click.option(
    "--resample",
    is_flag=True,
    help="Make the bands that the run learnt of those of another sensor.",
)


def _pair(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """A callback: two whole numbers with a comma between them."""
    if value is None:
        return None
    parts = value.split(",")
    try:
        first, second = (int(part) for part in parts)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not two whole numbers such as 120,45") from None
    return first, second


@click.group(cls=SuggestingGroup, context_settings={"help_option_names": ["-h", "--help"]})
def retrieve() -> None:
    """Search a scene or picture by spectrum, by patch or by pixel.

    `index` sees every pixel of a gallery with a trained retrieval run (`hsi train --config
    retrieval/...`); `query` finds those most similar to what is looked for.
    """


@retrieve.command("index", epilog=_INDEX_EXAMPLES)
@click.argument("run")
@click.option("--scene", metavar="FILE", help="The gallery: a cube, or a picture without spectra.")
@click.option("--dataset", metavar="NAME", help="A registered scene instead of a file.")
@click.option("--labels", metavar="FILE", help="Label map of the file's scene, to be shown.")
@unlabelled_option
@warp_labels_option
@drawn_label_options
@array_options
@_resample
@click.option("-o", "--output", metavar="FOLDER", required=True, help="Folder of the index.")
@click.option("--overwrite", is_flag=True, help="Replace an index that is there.")
@click.option(
    "--side",
    metavar="first|second|NAME",
    default="second",
    show_default=True,
    help="Which modality of the run the gallery is seen in.",
)
@click.option(
    "--step",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Only every Nth line and sample.",
)
@memory_limit_option("galleries of any size are read by strips")
@_device
@_threads
def index_command(
    run: str,
    scene: str | None,
    dataset: str | None,
    labels: str | None,
    unlabelled: float | None,
    warp_labels: bool | None,
    scene_variable: str | None,
    axes: str | None,
    shape: list[int] | None,
    nodata: float | None,
    resample: bool,
    output: str,
    overwrite: bool,
    side: str,
    step: int,
    memory_limit: float,
    device: str,
    threads: int | None,
    **drawing: Any,
) -> None:
    """Make every pixel of a gallery searchable.

    The gallery is read by strips, so it need not fit into memory; an interrupted call continues
    when it is repeated. Pixels of the gallery must be as large on the ground as those the run
    learnt from.
    """
    from ..data.formats.drawn_features import DrawnKeywords, DrawnOptions
    from ..data.map_labels import refuse_drawing

    # Before torch is loaded, which takes seconds.
    _check_retriever(run, side)
    _check_gallery(
        scene, dataset, labels, (scene_variable, axes, shape, nodata, unlabelled), resample=resample
    )
    drawn = DrawnOptions.of(cast(DrawnKeywords, drawing))
    refuse_drawing(labels, drawn)
    _check_index(Path(output))
    what = f"{scene or dataset} with {names_of((run,), 'runs')}, device {device}"
    announce("retrieve index", f"{what}; the index goes into {output}")
    from ..api.progress import TerminalObserver
    from ..tasks.retrieval.index import index_gallery

    index = index_gallery(
        run,
        output,
        overwrite=overwrite,
        scene=scene,
        dataset=dataset,
        labels=labels,
        unlabelled=unlabelled,
        warp_labels=bool(warp_labels),
        drawing=drawn,
        scene_variable=scene_variable,
        axes=axes,
        shape=shape,
        nodata=nodata,
        resample=resample,
        side=side,
        step=step,
        memory_limit=memory_limit,
        device=device,
        threads=threads,
        observer=TerminalObserver(),
    )
    header = index.header
    say(
        f"{index.path}: {header.items:,} pixels of {header.name} as {header.modality}, "
        f"{header.dimensions} dimensions"
    )


@retrieve.command("query", epilog=_QUERY_EXAMPLES)
@click.argument("index")
@click.option("--spectrum", metavar="FILE", help="CSV or other text, or an ENVI spectral library.")
@click.option("--name", metavar="NAME", help="Which of several spectra.")
@click.option(
    "--units",
    type=Word(["reflectance", "percent", "10000"]),
    help="Of the spectrum's values.  [default: read from the file]",
)
@click.option(
    "--scale",
    type=Number(0, min_open=True),
    metavar="VALUE",
    help="The scene's value of a reflectance of 1; runs with unit-norm spectra need none.",
)
@click.option("--patch", metavar="FILE", help="A picture or cube.")
@click.option("--at", callback=_pair, metavar="X,Y", help="Place in it, from 0.  [default: middle]")
@_resample
@click.option(
    "--pixel", callback=_pair, metavar="LINE,SAMPLE", help="A pixel of the gallery, from 0."
)
@click.option(
    "--top", type=int, metavar="K", help="How many matches.  [default: 20, or all there are]"
)
@click.option(
    "--apart",
    type=click.IntRange(0),
    metavar="PIXELS",
    help="Of items this near to each other only the best counts; 0 keeps all.  "
    "[default: half the window]",
)
@click.option("--run", metavar="RUN", help="Where the run that made the index lies now.")
@click.option("-o", "--output", metavar="FOLDER", help="Write maps, pictures and a page.")
@language_option
@click.option("--overwrite", is_flag=True, help="Replace the results of a search that are there.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@memory_limit_option("larger pictures are refused")
@_device
@_threads
def query_command(
    index: str,
    spectrum: str | None,
    name: str | None,
    units: str | None,
    scale: float | None,
    patch: str | None,
    at: tuple[int, int] | None,
    resample: bool,
    pixel: tuple[int, int] | None,
    top: int | None,
    apart: int | None,
    run: str | None,
    output: str | None,
    overwrite: bool,
    as_json: bool,
    memory_limit: float,
    device: str,
    threads: int | None,
) -> None:
    """Find the pixels of a gallery that are most like a spectrum, a patch or one of them.

    Field spectra are resampled from their own wavelengths to those the run learnt; units of
    wavelengths and values are recognised and said.
    """
    from ..data.missing_files import require_files
    from ..tasks.retrieval.index_header import check_search, model_of, read_header
    from ..tasks.retrieval.query_places import check_output
    from ..tasks.retrieval.search_request import Query

    # Before torch is loaded, which takes seconds.
    require_page(output is not None, "-o FOLDER")
    query = Query(spectrum, name, units, scale, patch, at, pixel, resample)  # type: ignore[arg-type]
    query.check()
    header = read_header(Path(index))
    require_files(spectrum, patch)
    check_search(header, query, top)
    model_of(header, run)
    if output is not None:
        check_output(output, overwrite=overwrite)
    looked_for = spectrum or patch or "a pixel"
    announce("retrieve query", f"{looked_for} in {index}, device {device}{_goes_into(output)}")
    from ..api.progress import TerminalObserver
    from ..tasks.retrieval.query import query_index
    from .output import print_json

    observer = TerminalObserver()
    result = query_index(
        index,
        query,
        top=top,
        apart=apart,
        run=run,
        memory_limit=memory_limit,
        device=device,
        threads=threads,
        observer=observer,
    )
    if output is not None:
        # What is printed is not drawn.
        from ..tasks.retrieval.query_output import write_query

        result = write_query(result, output, ["hsi", *sys.argv[1:]], overwrite=overwrite)
    if as_json:
        print_json(result.to_json())
    else:
        _print(result)


def _goes_into(output: str | None) -> str:
    """Where results go, in words."""
    return "" if output is None else f"; results go into {output}"


def _check_retriever(folder: str, side: str) -> None:
    """Refuse what is no finished run of a retriever, and a modality that it does not have."""
    from ..runs.folder import open_run, require_finished
    from ..runs.tasks import require_task, task_named
    from ..tasks.retrieval.sides import names_in, require_side

    run = open_run(folder)
    require_task(run, task_named("retrieval"))
    require_finished(run)
    require_side(side, names_in(run.config))


def _check_gallery(
    scene: str | None,
    dataset: str | None,
    labels: str | None,
    reading: tuple[object, ...],
    *,
    resample: bool,
) -> None:
    """Refuse a gallery that is not one, and options that mean nothing for it."""
    from ..data.catalogue import check_dataset_name
    from ..data.missing_files import require_cube_file, require_data_set, require_files
    from ..tasks.retrieval.gallery_choice import check_gallery

    check_gallery(scene, dataset, (labels, *reading), resample=resample)
    if dataset is not None:
        check_dataset_name(dataset)
        require_data_set(dataset)
    if scene is not None:
        require_cube_file(Path(scene))
    require_files(labels)


def _check_index(output: Path) -> None:
    """Refuse a place where no index can be made; one that is there may be this call's own."""
    from ..atomic import refuse_file_above
    from ..errors import OutputError
    from ..tasks.retrieval.search_request import INDEX

    refuse_file_above(output)
    if output.is_dir() and any(output.iterdir()) and not (output / INDEX).exists():
        raise OutputError(output, "exists already and is no index", "a new name")


def _print(result: QueryResult) -> None:
    from ..reports.document import Paragraph, Remark, Remarks
    from ..reports.terminal import print_blocks
    from ..tasks.retrieval.query_output import match_table

    table = match_table(result, f"{result.query.title} in {result.index.header.name}")
    warnings = [Remark(text, warning=True) for text in result.warnings]
    notes = [Paragraph(text, "soft") for text in result.remarks]
    print_blocks([*notes, table, Remarks(warnings)])
    for path in result.written:
        say(path)
