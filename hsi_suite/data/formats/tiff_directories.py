"""The chain of directories in a TIFF file, looked at before a library follows it."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import tifffile

# For classic TIFF and BigTIFF: where the first offset stands, and the formats of an offset and of
# the number of entries; then the bytes of an entry.
_CLASSIC = (4, "I", "H", 12)
_BIG = (8, "Q", "Q", 20)
_BIG_VERSION = 43
# What a picture has one whole number of: its size, kind, order and parts.
_SINGLE = {
    256: "width",
    257: "length",
    259: "compression",
    262: "kind of values",
    266: "order of bits",
    277: "number of bands",
    278: "height of strips",
    284: "order of bands",
    322: "width of tiles",
    323: "length of tiles",
}
_WHOLE_TYPES = {1, 3, 4, 6, 8, 9, 16, 17}


def check_tiff_directories(path: Path) -> None:
    """Refuse a chain whose directories overlap or follow each other in a circle, and odd sizes.

    Following it takes libraries a time that grows with the square of the file's size. Directories
    that do not overlap are no longer together than the file. Where a directory lists several
    widths, or a text, libraries hand that on for a number.

    Raises:
        ValueError: they are longer, or not one whole number; a library would not say so.
    """
    left = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4)
        order = ">" if head[:2] == b"MM" else "<"
        big = head[2:4] == struct.pack(order + "H", _BIG_VERSION)
        start, offset, number, entry = _BIG if big else _CLASSIC
        file.seek(start)
        while len(raw := file.read(struct.calcsize(offset))) == struct.calcsize(offset):
            (place,) = struct.unpack(order + offset, raw)
            if not place or place >= path.stat().st_size:
                return
            file.seek(place)
            raw = file.read(struct.calcsize(number))
            if len(raw) < struct.calcsize(number):
                return
            entries = entry * struct.unpack(order + number, raw)[0]
            left -= len(raw) + entries
            if left < 0:
                raise ValueError("its directories overlap")
            _check_single(file.read(entries), order, offset, entry)
            file.seek(place + len(raw) + entries)


def _check_single(entries: bytes, order: str, offset: str, entry: int) -> None:
    for start in range(0, len(entries) - entry + 1, entry):
        tag, kind, count = struct.unpack_from(f"{order}HH{offset}", entries, start)
        if tag in _SINGLE and (count != 1 or kind not in _WHOLE_TYPES):
            raise ValueError(f"its {_SINGLE[tag]} is not one whole number")


def check_segments(page: tifffile.TiffPage) -> None:
    """Refuse a page that lists fewer strips or tiles than its size asks for.

    A library fills in those that are missing one by one, millions of them where a size is damaged.

    Raises:
        ValueError: there are fewer.
    """
    wanted = math.prod(page.chunked)
    if len(page.dataoffsets) < wanted:
        raise ValueError(f"{len(page.dataoffsets)} of {wanted} strips or tiles are there")
    # GDAL's sparse files give a strip without values neither a place nor a size.
    empty = sum(bool(place) and not size for place, size in _segments(page))
    if empty:
        raise ValueError(f"{empty} of {wanted} strips or tiles are empty")


def _segments(page: tifffile.TiffPage) -> zip[tuple[int, int]]:
    return zip(page.dataoffsets, page.databytecounts, strict=False)
