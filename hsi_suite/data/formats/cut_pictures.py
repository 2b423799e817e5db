"""Pictures whose file holds fewer pixels than its header says, which decoders fill up silently."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_PIECE = 2**20
# Values of a pixel by PNG's number for its kind of colour.
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# First line and sample of each pass of an interlaced PNG, and the steps between them.
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
           (1, 0, 2, 1))  # fmt: skip
# JPEG's marks without a length, and those inside the data of a scan.
_JPEG_BARE = {0x01, *range(0xD0, 0xD8)}
_JPEG_END = 0xD9
# Bytes no decoder reads as zeros; none is 0xFF, which begins a mark.
_FOREIGN = bytes(range(1, 255)) * 4


def check_complete(path: Path) -> None:
    """Refuse a PNG or JPEG whose data end before its last pixel.

    Decoders say nothing where the file itself is closed properly: libpng's callers leave black
    lines, libjpeg goes on with grey ones.

    Raises:
        ValueError: the data end early.
        OSError, struct.error, zlib.error: the file is damaged otherwise.
    """
    with path.open("rb") as file:
        start = file.read(len(_PNG))
    if start == _PNG:
        _check_png(path)
    elif start.startswith(_JPEG):
        _check_jpeg(path)


def _check_png(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(len(_PNG) + 8)
        samples, lines, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", file.read(13))
        pixel = bits * _PNG_CHANNELS[colour]
        wanted = sum(
            height * (1 + -(-width * pixel // 8))
            for height, width in _png_passes(lines, samples, bool(interlaced))
            if width
        )
        held = _inflated_size(_png_data(path), wanted)
    if held < wanted:
        raise ValueError(f"its data hold {held:,} of {wanted:,} bytes of pixels")


def _png_passes(lines: int, samples: int, interlaced: bool) -> Iterator[tuple[int, int]]:
    """Height and width of the pictures that a PNG's lines make up."""
    if not interlaced:
        yield lines, samples
        return
    for line, sample, line_step, sample_step in _PASSES:
        yield max(0, -(-(lines - line) // line_step)), max(0, -(-(samples - sample) // sample_step))


def _png_data(path: Path) -> Iterator[bytes]:
    """The compressed data of a PNG, in pieces."""
    with path.open("rb") as file:
        file.seek(len(_PNG))
        while len(head := file.read(8)) == 8:
            left, kind = struct.unpack(">I4s", head)
            if kind != b"IDAT":
                file.seek(left + 4, 1)
                continue
            while left and (piece := file.read(min(left, _PIECE))):
                left -= len(piece)
                yield piece
            file.seek(4, 1)


def _inflated_size(pieces: Iterator[bytes], enough: int) -> int:
    """Bytes that deflated data hold, counted up to as many as are enough, none of them kept."""
    inflating, size = zlib.decompressobj(), 0
    for piece in pieces:
        while piece and size < enough:
            size += len(inflating.decompress(piece, _PIECE))
            piece = inflating.unconsumed_tail
    return size + len(inflating.flush())


def _check_jpeg(path: Path) -> None:
    content = path.read_bytes()
    end = _jpeg_end(content)
    if end is None:
        return  # Pillow itself refuses what is not closed.
    # A decoder that has all it needs skips what follows; one that lacks something reads it.
    longer = content[:end] + _FOREIGN + content[end:]
    with Image.open(io.BytesIO(content)) as one, Image.open(io.BytesIO(longer)) as other:
        for first in range(0, one.height, 256):
            box = (0, first, one.width, min(first + 256, one.height))
            if not np.array_equal(np.asarray(one.crop(box)), np.asarray(other.crop(box))):
                raise ValueError("its data end before the last line")


def _jpeg_end(content: bytes) -> int | None:
    """Where the mark stands that ends a JPEG picture; None where there is none."""
    place = len(_JPEG)
    while (place := content.find(b"\xff", place)) >= 0 and place + 1 < len(content):
        kind = content[place + 1]
        if kind == _JPEG_END:
            return place
        if kind in (0x00, 0xFF) or kind in _JPEG_BARE:
            place += 1 if kind == 0xFF else 2
        else:
            place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return None
