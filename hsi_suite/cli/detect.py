"""`hsi detect`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .output import print_json
from .terminal import announce, say
from .values import NUMBER, Word, array_options, band_options, memory_limit_option

_EXAMPLES = """\b
Examples:
  hsi detect cube.hdr --target paint.csv --method ace -o ace.tif \\
    --false-alarms 1e-3
  hsi detect cube.hdr --at 120,45 --method cem -o cem.png
  hsi detect cube.hdr --anomaly rx -o rx.tif --truth mask.png
"""


@click.command(epilog=_EXAMPLES)
@click.argument("scene", metavar="CUBE")
@click.option("--target", metavar="FILE", help="A measured spectrum: CSV, text, ENVI library.")
@click.option("--at", metavar="SAMPLE,LINE", help="Take this pixel's spectrum as the target.")
@click.option(
    "--method",
    type=Word(["ace", "cem", "matched-filter", "sam"]),
    help="How targets are scored; without it ace.",
)
@click.option("--anomaly", type=Word(["rx"]), help="Score what is unlike the rest instead.")
@click.option("--name", metavar="NAME", help="Which of several spectra in the target's file.")
@click.option(
    "--units",
    type=Word(["reflectance", "percent", "10000"]),
    help="Of the target's values.",
)
@click.option("--scale", type=NUMBER, help="The scene's value for a reflectance of 1.")
@array_options
@band_options
@click.option("-o", "--output", metavar="OUT", required=True, help="scores.tif, .hdr, .npy or .png")
@click.option(
    "--false-alarms", type=NUMBER, metavar="RATE", help="Say the threshold for this rate."
)
@click.option(
    "--truth", metavar="FILE", help="A label map, not 0 at targets, or drawn ones: AUC, ROC."
)
@memory_limit_option("scenes of any size are read by strips")
@click.option("--overwrite", is_flag=True, help="Let results take the places of finished files.")
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
def detect(
    scene: str,
    target: str | None,
    at: str | None,
    method: str | None,
    anomaly: str | None,
    name: str | None,
    units: Any,
    scale: float | None,
    scene_variable: str | None,
    axes: str | None,
    shape: list[int] | None,
    nodata: float | None,
    bands: str | None,
    drop_water: bool | None,
    as_json: bool,
    false_alarms: float | None,
    **options: Any,
) -> None:
    """Find a target's spectrum, or anomalies, in a cube.

    Higher scores are more alike: sam gives the cosine of the spectral angle, cem and
    matched-filter 1 at the target; rx gives the squared Mahalanobis distance.
    """
    from ..data.missing_files import require_cube_file, require_files
    from ..errors import ConfigError
    from ..map_endings import check_map_ending
    from ..output_places import check_file

    looks = {"--target": target, "--at": at, "--anomaly": anomaly}
    named = [option for option, given in looks.items() if given is not None]
    if len(named) != 1:
        said = f"{' and '.join(named)} given" if named else "nothing to look for"
        raise ConfigError("hsi detect", said, f"one of {', '.join(looks)}")
    if anomaly is not None and method is not None:
        raise ConfigError("--method", "given with --anomaly", "a target")
    pixel = None if at is None else _pixel(at)
    for option, value in (("--name", name), ("--units", units), ("--scale", scale)):
        if value is not None and target is None:
            raise ConfigError(option, "given without --target", "the file it belongs to")
    if scale is not None and scale <= 0:
        raise ConfigError("--scale", f"{scale:g}", "a number above 0")
    if false_alarms is not None and not 0 < false_alarms < 1:
        raise ConfigError("--false-alarms", f"{false_alarms:g}", "between 0 and 1")
    check_map_ending(options["output"])
    require_cube_file(Path(scene))
    require_files(target, options["truth"])
    read = [Path(each) for each in (scene, options["truth"], target) if each is not None]
    check_file(Path(options["output"]), read, overwrite=options["overwrite"])
    looked_for = anomaly or f"{method or 'ace'} of {target or f'the pixel {at}'}"
    announce("detect", f"{looked_for} in {scene}; scores go into {options['output']}")
    # What computes takes seconds to load.
    from ..api.progress import TerminalObserver
    from ..data.band_order import with_selection
    from ..data.band_selection import GOOD
    from ..data.readers import open_cube, scene_remarks
    from ..tasks.detection.detection import detect as detect_in
    from ..tasks.detection.targets import measured_target, pixel_target

    observer = TerminalObserver()
    with open_cube(scene, variable=scene_variable, axes=axes, shape=shape, nodata=nodata) as opened:
        file = with_selection(opened, bands or GOOD, drop_water=bool(drop_water))
        for remark in scene_remarks(file):
            observer.message(f"{file.path.name}: {remark}")
        wanted = None
        if pixel is not None:
            wanted = pixel_target(file, *pixel)
        elif target is not None:
            wanted = measured_target(file, target, name=name, units=units, scale=scale)
        for remark in () if wanted is None else wanted.remarks:
            observer.message(f"{wanted.name}: {remark}" if wanted else remark)
        found = detect_in(
            file,
            method=anomaly or method or "ace",
            target=wanted,
            false_alarm_rate=false_alarms,
            observer=observer,
            **options,
        )
    for remark in found.remarks:
        observer.message(remark)
    if as_json:
        print_json(
            {
                "written": [str(path) for path in found.written],
                "pixels": found.pixels,
                "threshold": found.threshold,
                "detections": found.detections,
                "truth": found.truth,
            }
        )
        return
    _print(found)


def _print(found: Any) -> None:
    for path in found.written:
        say(path)
    if found.threshold is not None:
        say(f"threshold {found.threshold:.6g}: {found.detections:,} of {found.pixels:,} pixels")
    if found.truth is not None:
        truth = found.truth
        say(f"{truth['targets']:,} target pixels, area under the ROC curve {truth['auc']:.4f}")
        if "detection_rate" in truth:
            say(
                f"at the threshold {100 * truth['detection_rate']:.2f} % of them are found, and "
                f"{100 * truth['false_alarm_rate']:.3g} % of the background"
            )


def _pixel(text: str) -> tuple[int, int]:
    from ..errors import ConfigError

    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        raise ConfigError("--at", repr(text), "SAMPLE,LINE, such as 120,45")
    return int(parts[0]), int(parts[1])
