"""Where the files of a prediction go, and what must not be in the way there.

Names are judged before what reads and writes them is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...atomic import refuse_file_above
from ...errors import OutputError
from ...map_endings import check_map_ending
from ...user_files import resolved

if TYPE_CHECKING:
    from ...data.readers import CubeFile

LAYERS = ("probabilities", "uncertainty", "disagreement")


def asked_layers(
    runs: Sequence[str | Path], *, probabilities: bool, uncertainty: bool
) -> list[str]:
    """Those of `LAYERS` that a call writes: several runs say where they disagree."""
    asked = {
        "probabilities": probabilities,
        "uncertainty": uncertainty,
        "disagreement": len(runs) > 1,
    }
    return [what for what in LAYERS if asked[what]]


def stored_map(target: Path) -> Path:
    """The map's own file: a picture is drawn from an array."""
    return target.with_suffix(".npy") if target.suffix.lower() == ".png" else target


def layer_path(target: Path, what: str) -> Path:
    """Where a layer of a map goes; that of a picture is an array."""
    return target.with_name(f"{target.stem}_{what}{stored_map(target).suffix}")


def area_paths(target: Path) -> tuple[Path, Path]:
    """Where the areas of a map's classes go: as a table and as JSON."""
    table = target.with_name(f"{target.stem}_areas.csv")
    return table, table.with_suffix(".json")


def written_files(target: Path, layers: Sequence[str], beside: Iterable[Path]) -> list[Path]:
    """All files that are written; an ENVI map is a pair, a TIFF one has names and style beside.

    Args:
        target: the map.
        layers: those of `LAYERS` that are written.
        beside: further files.
    """
    from ...data.formats.envi_writer import header_and_values
    from ...data.writers import files_of_map

    places = [header_and_values(layer_path(target, what)) for what in layers]
    return [*files_of_map(target), *(file for pair in places for file in pair), *beside]


def check_names(
    target: Path,
    layers: Sequence[str],
    beside: Iterable[Path],
    scene: Path,
    runs: Sequence[str | Path],
) -> None:
    """Refuse names under which nothing can be written.

    Args:
        target: the map.
        layers: those of `LAYERS` that are written.
        beside: further files.
        scene: its file.
        runs: folders of runs.

    Raises:
        OutputError: a place is none of a file, that of the scene or inside a run's folder, or the
            map's name has no known ending.
    """
    beside = list(beside)
    places = [target, *(layer_path(target, what) for what in layers), *beside]
    for place in places:
        _check_place(place)
    check_map_ending(target)
    if resolved(scene) in map(resolved, places):
        raise _replacing(target)
    folders = {resolved(Path(run)) for run in runs}
    for place in (target, *beside):
        if resolved(place).parent in folders:
            raise OutputError(
                place, "lies inside a run's folder", "another folder: runs are kept as they are"
            )


def check_files(
    target: Path, layers: Sequence[str], beside: Iterable[Path], file: CubeFile
) -> None:
    """Refuse to write to any of a scene's files.

    Args:
        target: the map.
        layers: those of `LAYERS` that are written.
        beside: further files.
        file: the scene.

    Raises:
        OutputError: a file would take the place of one.
    """
    written = {resolved(place) for place in written_files(target, layers, beside)}
    if {resolved(Path(name)) for name in file.files} & written:
        raise _replacing(target)


def _replacing(target: Path) -> OutputError:
    return OutputError(target, "would replace the scene", "another name: no input is overwritten")


def _check_place(place: Path) -> None:
    """Refuse to replace what is no file of its own."""
    if place.is_symlink():
        raise OutputError(
            place, "this is a link", "a file name", f"name {resolved(place)} itself, or remove it"
        )
    if place.is_dir():
        raise OutputError(
            place, "this is a folder", "a file name", f"end it in {place.suffix or '.tif'}"
        )
    if place.exists() and not place.is_file():
        raise OutputError(place, "this is a pipe, a socket or a device", "a file name")
    refuse_file_above(place.parent)
