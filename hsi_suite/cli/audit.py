"""`hsi audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import click

from .output import print_json
from .terminal import announce, say
from .values import (
    NUMBER_OR_NAN,
    array_options,
    drawn_label_options,
    language_option,
    require_page,
    unlabelled_option,
    warp_labels_option,
)

_EXAMPLES = """\b
Examples:
  hsi audit gt.mat --split TRTE.mat --window 7
  hsi audit gt.tif --split train.tif,test.tif --predictions theirs.tif \\
    -o audit.html
  hsi audit gt.npy --split train_indices.npy --rest-is-test --cube cube.hdr
  hsi audit fields.gpkg --cube cube.hdr --split runs/MY_RUN \\
    --predictions runs/MY_RUN
"""
# How a cube is read.
_OF_CUBES = {
    "--scene-variable": "scene_variable",
    "--axes": "axes",
    "--shape": "shape",
    "--nodata": "nodata",
}


@click.command(epilog=_EXAMPLES)
@click.argument("labels", metavar="LABELS")
@click.option(
    "--split",
    "splits",
    metavar="FILE",
    multiple=True,
    required=True,
    help="Train and test in one file, or TRAIN,TEST: masks, label maps, indices; or a run folder.",
)
@click.option(
    "--window",
    type=int,
    metavar="N",
    default=1,
    show_default=True,
    help="Side of what the classifier sees, in pixels.",
)
@click.option("--predictions", metavar="MAP", help="A map of any classifier, or a run's folder.")
@click.option(
    "--polygons",
    metavar="[FILE]",
    is_flag=False,
    flag_value="",
    help="A map of their numbers, or drawn ones; without FILE areas of one label that touch.",
)
@click.option(
    "--cube",
    "--scene",
    "cube",
    metavar="FILE",
    help="The scene: drawn labels need it, and equal spectra on both sides are counted.",
)
@click.option("--train-variable", metavar="NAME", help="The training part's name inside its file.")
@click.option("--test-variable", metavar="NAME", help="The test part's name inside its file.")
@click.option("--validation-variable", metavar="NAME", help="The validation part's, likewise.")
@click.option(
    "--matlab-indices", is_flag=True, help="Indices count from 1 down the columns, as in MATLAB."
)
@click.option(
    "--rest-is-test", is_flag=True, help="FILE has the training part alone; all others are tested."
)
@click.option("--labels-variable", metavar="NAME", help="The labels' name inside their file.")
@click.option("--predictions-variable", metavar="NAME", help="The map's name inside its file.")
@click.option("--class-names", metavar="FILE", help="A text file, one class name a line.")
@unlabelled_option
@click.option(
    "--predictions-unlabelled",
    type=NUMBER_OR_NAN,
    metavar="VALUE",
    help="As --unlabelled, for the map: -1 where its classes count from 0.",
)
@warp_labels_option
@drawn_label_options
@array_options
@click.option("-o", "--output", metavar="PAGE", help="Write a page, PAGE.html, and JSON beside it.")
@language_option
@click.option("--overwrite", is_flag=True, help="Let results take the places of finished files.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def audit(
    labels: str,
    splits: tuple[str, ...],
    predictions: str | None,
    output: str | None,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Say what a split gives away, and what anybody's map is worth on it.

    Needs neither a run nor a model of hsi. Position alone (the nearest training pixel's class, no
    spectrum seen) is scored beside the map, and accuracy by the distance to training: where both
    are high near training and low farther off, scores measure position.
    """
    # Before what reads and computes is loaded.
    require_page(output is not None, "-o PAGE")
    _check(labels, splits, predictions, output, options, overwrite=overwrite)
    announce("audit", f"{labels}, split by {','.join(splits)}{_goes_into(output)}")
    from ..api.progress import TerminalObserver
    from ..reports.auditing.content import audit_blocks
    from ..reports.terminal import print_blocks
    from ..tasks.auditing.split_audit import audit_split

    files = _files(labels, ",".join(splits), predictions, options)
    with files.opened(TerminalObserver().message) as given:
        found = audit_split(given)
    written: tuple[Path, ...] = ()
    if output is not None:
        # A page is drawn; what is printed is not.
        from ..tasks.auditing.output import write_audit

        written = write_audit(found, output, overwrite=overwrite)
    if as_json:
        print_json({**found.facts, "written": [str(path) for path in written]})
        return
    print_blocks(audit_blocks(found.facts))
    for path in written:
        say(path)


def _goes_into(output: str | None) -> str:
    """Where the page goes, in words."""
    return "" if output is None else f"; the page goes into {output}"


def _check(
    labels: str,
    splits: tuple[str, ...],
    predictions: str | None,
    output: str | None,
    options: dict[str, Any],
    *,
    overwrite: bool,
) -> None:
    """Refuse files that are not there, places that cannot be written, and options of others."""
    from ..data.class_name_file import read_class_names
    from ..data.file_list import listed_files
    from ..data.formats.deliveries import refuse_folder
    from ..data.formats.drawn_features import DrawnKeywords, DrawnOptions
    from ..data.map_labels import refuse_drawing
    from ..data.missing_files import require_cube_file, require_files
    from ..errors import ConfigError
    from ..output_places import check_file
    from ..runs.folder import LABEL_MAP, SPLIT
    from ..tasks.auditing.audit_places import audit_paths, run_file

    if options["cube"] is not None:
        require_cube_file(Path(options["cube"]))
    require_files(labels, ",".join(splits), predictions, options["polygons"] or None)
    if options["class_names"] is not None:
        read_class_names(options["class_names"])
    refuse_drawing(labels, DrawnOptions.of(cast(DrawnKeywords, options)))
    for path in filter(Path.is_dir, listed_files(labels)):
        refuse_folder(path)
    run_file(",".join(splits), SPLIT)
    if predictions is not None:
        run_file(predictions, LABEL_MAP)
    for path in () if output is None else audit_paths(output):
        check_file(path, overwrite=overwrite)
    if options["window"] < 1 or options["window"] % 2 == 0:
        raise ConfigError("--window", f"{options['window']}", "a positive odd number of pixels")
    for name in ("variable", "unlabelled"):
        if predictions is None and options[f"predictions_{name}"] is not None:
            raise ConfigError(f"--predictions-{name}", "given without a map", "--predictions MAP")
    for option, name in _OF_CUBES.items():
        if options["cube"] is None and options[name] is not None:
            raise ConfigError(option, "given without a cube", "--cube FILE")


def _files(labels: str, split: str, predictions: str | None, options: dict[str, Any]) -> Any:
    """What the options say of the files."""
    from ..data.formats.drawn_features import DrawnOptions
    from ..data.scene_labels import LabelChoice
    from ..data.split_names import PartNames
    from ..tasks.auditing.inputs import AuditFiles, MapChoice, SplitChoice

    variable, none = options["predictions_variable"], options["predictions_unlabelled"]
    reading = {
        "variable": options["scene_variable"],
        **{name: options[name] for name in ("axes", "shape", "nodata")},
    }
    drawing = DrawnOptions(
        options["labels_field"],
        options["labels_layer"],
        options["labels_buffer"],
        options["labels_crs"],
        bool(options["all_touched"]),
    )
    names = PartNames(
        options["train_variable"],
        options["validation_variable"],
        options["test_variable"],
        options=True,
    )
    return AuditFiles(
        LabelChoice(
            labels,
            options["labels_variable"],
            options["class_names"],
            options["unlabelled"],
            bool(options["warp_labels"]),
            drawing,
        ),
        SplitChoice(split, names, options["matlab_indices"], options["rest_is_test"]),
        options["window"],
        None if predictions is None else MapChoice(predictions, variable, none),
        options["polygons"] or None,
        options["cube"],
        reading,
    )
