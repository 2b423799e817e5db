"""`hsi predict`."""

from __future__ import annotations

from pathlib import Path

import click

from .terminal import announce, names_of, say
from .values import array_options, device_option, memory_limit_option

_EXAMPLES = """\b
Examples:
  hsi predict runs/MY_RUN --scene cube.tif -o map.tif --probabilities
  hsi predict runs/MY_RUN --scene other_sensor.hdr --resample -o map.tif
  hsi predict runs/MY_RUN --scene cube.tif -o map.tif --majority 3 \\
    --min-area 3600m2 --vector map.gpkg --areas
  hsi predict runs/SEED_0 runs/SEED_1 --scene large.hdr -o map.hdr \\
    --memory-limit 1G
"""


@click.command(epilog=_EXAMPLES)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--scene", metavar="FILE", required=True, help="The cube to classify.")
@array_options
@click.option("-o", "--output", metavar="OUT", required=True, help="map.tif, .hdr, .npy or .png")
@click.option("--overwrite", is_flag=True, help="Let the map take the place of a finished file.")
@click.option(
    "--resample",
    is_flag=True,
    help="Make the bands that the run learnt of those of another sensor.",
)
@click.option("--probabilities", is_flag=True, help="Also write every class's probability.")
@click.option(
    "--uncertainty",
    is_flag=True,
    help="Also write the largest probability, its margin and the entropy.",
)
@click.option(
    "--cog", is_flag=True, help="Write Cloud-Optimised GeoTIFF, with overviews (extra geo)."
)
@click.option(
    "--vector",
    metavar="FILE.gpkg",
    help="Also write the map's regions as polygons, with QGIS's style (extra geo).",
)
@click.option(
    "--majority",
    type=click.IntRange(3, 999),
    metavar="SIZE",
    help="Give each pixel of the map the most frequent class of the SIZE × SIZE around it.",
)
@click.option(
    "--min-area",
    metavar="N[px|m2|ha]",
    help="Give smaller regions of the map the class of their largest neighbour (extra geo).",
)
@click.option(
    "--areas", is_flag=True, help="Also write the classes' areas, corrected by the run's test."
)
@click.option(
    "--test-time-averaging", is_flag=True, help="Average over the 8 ways to turn each window."
)
@memory_limit_option("scenes of any size are read by strips")
@device_option(default="auto")
@click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="CPU threads.")
def predict(
    runs: tuple[str, ...],
    scene: str,
    scene_variable: str | None,
    axes: str | None,
    shape: list[int] | None,
    nodata: float | None,
    output: str,
    overwrite: bool,
    resample: bool,
    probabilities: bool,
    uncertainty: bool,
    cog: bool,
    vector: str | None,
    majority: int | None,
    min_area: str | None,
    areas: bool,
    test_time_averaging: bool,
    memory_limit: float,
    device: str,
    threads: int | None,
) -> None:
    """Classify a scene with one run, or with the mean of several.

    Several runs also write where they disagree. Filters change the map alone, never its layers or
    scores. An interrupted call continues when it is repeated.
    """
    from ..map_endings import check_map_ending
    from ..tasks.scenes.prediction_places import asked_layers

    # Before torch is loaded, which takes seconds.
    check_map_ending(output)
    _check_inputs(runs, scene)
    _check_products(output, vector, majority, min_area, cog=cog)
    layers = asked_layers(runs, probabilities=probabilities, uncertainty=uncertainty)
    _check_places(Path(output), layers, vector, Path(scene), runs, areas=areas, overwrite=overwrite)
    learnt = names_of(runs, "runs")
    announce("predict", f"{scene} with {learnt}, device {device}; the map goes into {output}")
    from ..api.progress import TerminalObserver
    from ..engine.allocation import keep_large_blocks
    from ..tasks.scenes.prediction import predict as predict_scene

    keep_large_blocks()
    prediction = predict_scene(
        runs,
        output,
        overwrite=overwrite,
        scene=scene,
        scene_variable=scene_variable,
        axes=axes,
        shape=shape,
        nodata=nodata,
        resample=resample,
        probabilities=probabilities,
        uncertainty=uncertainty,
        cog=cog,
        vector=vector,
        majority=majority,
        min_area=min_area,
        areas=areas,
        test_time_averaging=test_time_averaging,
        memory_limit=memory_limit,
        device=device,
        threads=threads,
        observer=TerminalObserver(),
    )
    if prediction.areas is not None:
        from ..reports.areas import areas_blocks
        from ..reports.terminal import print_blocks

        print_blocks(areas_blocks(prediction.areas))
    for path in prediction.written:
        say(path)


def _check_inputs(runs: tuple[str, ...], scene: str) -> None:
    """Refuse what is no finished run of a scene, given twice, or no cube."""
    from ..data.missing_files import require_cube_file
    from ..errors import RunError
    from ..runs.folder import open_run, require_finished
    from ..runs.tasks import task_of
    from ..user_files import refuse_repeated

    refuse_repeated(runs, "different runs, as each counts in the mean", kind=RunError)
    for run in map(open_run, runs):
        if not (task := task_of(run)).maps:
            raise RunError(run.path, f"is a run of {task.name}", "one that classified a scene")
        require_finished(run)
    require_cube_file(Path(scene))


def _check_places(
    target: Path,
    layers: list[str],
    vector: str | None,
    scene: Path,
    runs: tuple[str, ...],
    *,
    areas: bool,
    overwrite: bool,
) -> None:
    """Refuse names under which nothing can be written, and finished maps that are to stay."""
    from ..atomic import refuse_existing
    from ..tasks.scenes.prediction_places import area_paths, check_names
    from ..tasks.shared.unfinished_output import unfinished_folder

    beside = [*([] if vector is None else [Path(vector)]), *(area_paths(target) if areas else ())]
    check_names(target, layers, beside, scene, runs)
    if not unfinished_folder(target).exists():
        refuse_existing([target, *beside], overwrite=overwrite)


def _check_products(
    output: str, vector: str | None, majority: int | None, min_area: str | None, *, cog: bool
) -> None:
    """Refuse what cannot be written or filtered, before the scene is read."""
    from ..data.map_filters import check_filters

    check_filters(majority, min_area)
    if cog:
        from ..data.formats.cog_writer import require_cog

        require_cog(Path(output))
    if vector is not None:
        from ..data.formats.geopackage_writer import require_geopackage

        require_geopackage(Path(vector))
