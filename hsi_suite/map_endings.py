"""The endings of maps, which choose their format; known without what writes them."""

from __future__ import annotations

from pathlib import Path

from .errors import OutputError

MAP_ENDINGS = (".tif", ".tiff", ".hdr", ".npy", ".png")


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
