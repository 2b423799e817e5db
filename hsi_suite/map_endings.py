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
    _check(path, MAP_ENDINGS, f"unknown kind of map {Path(path).suffix!r}")


def check_cube_ending(path: Path | str) -> None:
    """Refuse a file name whose ending is no cube's.

    Raises:
        OutputError: it is none of `CUBE_ENDINGS`.
    """
    _check(path, CUBE_ENDINGS, f"the ending {Path(path).suffix!r} names no format")


def _check(path: Path | str, endings: tuple[str, ...], found: str) -> None:
    if Path(path).suffix.lower() not in endings:
        raise OutputError(path, found, f"one of {', '.join(endings)}")
