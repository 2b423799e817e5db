"""The boxes of ISO base media files, of which AVIF and JPEG 2000 files are made."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

#: Kind and content of a box.
Box = tuple[bytes, bytes]
# Of the boxes that describe a picture; those of its pixels are larger and are not read.
_LARGEST = 2**24
_MOST = 2**12


def boxes_of(content: bytes) -> Iterator[Box]:
    """The boxes that a box consists of, up to one that is cut off."""
    place = 0
    while place + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        begin = place + 8
        if size == 1 and begin + 8 <= len(content):
            size, begin = *struct.unpack_from(">Q", content, begin), begin + 8
        end = len(content) if size == 0 else place + size
        if not begin <= end <= len(content):
            return
        yield kind, content[begin:end]
        place = end


def boxes_in(path: Path) -> Iterator[Box]:
    """The boxes that a file consists of, up to one that is cut off, and as many as pictures have.

    Of those of pixels the content is left out.
    """
    end = path.stat().st_size
    with path.open("rb") as file:
        for _ in range(_MOST):
            if len(head := file.read(8)) < 8:
                return
            size, kind = struct.unpack(">I4s", head)
            held = size - 8
            if size == 1:
                held = int.from_bytes(file.read(8), "big") - 16
            if size == 0 or not 0 <= held <= end - file.tell():
                return
            if held > _LARGEST or kind in (b"mdat", b"jp2c"):
                file.seek(held, 1)
                yield kind, b""
            else:
                yield kind, file.read(held)
