"""The endings of maps and cubes, which choose their format; known without what writes them."""

from __future__ import annotations

from pathlib import Path

from .errors import OutputError

MAP_ENDINGS = (".tif", ".tiff", ".hdr", ".npy", ".png")
CUBE_ENDINGS = (".hdr", ".tif", ".tiff", ".nc", ".npy")


def check_map_ending(path: Path | str) -> None:
    """Refuse a file name whose ending is no map's.

    Raises:
        OutputError: it is none of `MAP_ENDINGS`.
    """
    ending = Path(path).suffix
    if ending.lower() not in MAP_ENDINGS:
        raise OutputError(
            path, f"unknown kind of map {ending!r}", f"one of {', '.join(MAP_ENDINGS)}"
        )


def check_cube_ending(path: Path | str) -> None:
    """Refuse a file name whose ending is no cube's.

    Raises:
        OutputError: it is none of `CUBE_ENDINGS`.
    """
    ending = Path(path).suffix
    if ending.lower() not in CUBE_ENDINGS:
        raise OutputError(
            path, f"the ending {ending!r} names no format", f"one of {', '.join(CUBE_ENDINGS)}"
        )
