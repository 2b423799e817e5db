"""PNG files of 16 bits per value: Pillow alone gives up the lower eight of colour images."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# PNG's number for each count of channels: grey, grey with alpha, RGB, RGB with alpha.
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
#: What PNG files call a text that is an XMP packet.
XMP_KEYWORD = "XML:com.adobe.xmp"
_STRIP = 64


def decode_deep_png(stream: BinaryIO) -> NDArray[np.uint16]:
    """The values of a PNG of 16 bits, lines × samples × channels.

    Pillow undoes PNG's filters byte by byte, as the format has it, and only then takes one byte
    of each value; asked for the other one it gives the lower bytes.

    Raises:
        OSError: and whatever else Pillow raises for a damaged file.
    """
    kind = _opened(stream).tile[0].args
    if kind == "I;16B":
        return np.asarray(_opened(stream))[..., None].astype(np.uint16)
    if kind == "LA;16B":
        # Four bytes a pixel, as RGBA of eight bits has.
        image = _opened(stream)
        image._mode = "RGBA"
        image.tile = [image.tile[0]._replace(args="RGBA")]
        pairs = np.asarray(image)
        return _joined(pairs[..., 0::2], pairs[..., 1::2])
    low = _opened(stream)
    low.tile = [low.tile[0]._replace(args=f"{low.mode};16L")]
    return _joined(np.asarray(_opened(stream)), np.asarray(low))


def is_deep_png(image: Image.Image) -> bool:
    """Whether an opened image is a PNG of 16 bits."""
    return isinstance(image, PngImagePlugin.PngImageFile) and str(
        image.tile[0].args if image.tile else ""
    ).endswith(";16B")


def encode_deep_png(
    stream: BinaryIO,
    values: NDArray[np.uint16],
    *,
    icc_profile: bytes | None,
    exif: bytes | None,
    dots_per_metre: tuple[int, int] | None,
    xmp: str | None = None,
    chunks: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    """Write a PNG of 16 bits.

    Args:
        stream: to write to.
        values: lines × samples × channels (grey, grey and alpha, RGB, RGBA).
        icc_profile: of the colours.
        exif: a TIFF structure, without the `Exif` mark that JPEG files have before it.
        dots_per_metre: resolution along samples and lines.
        xmp: a packet of what programs noted.
        chunks: further ones before the pixels: their kinds and contents.
    """
    lines, samples, channels = values.shape
    stream.write(_SIGNATURE)
    _chunk(
        stream,
        b"IHDR",
        struct.pack(">IIBBBBB", samples, lines, 16, _COLOUR_TYPES[channels], 0, 0, 0),
    )
    if icc_profile:
        _chunk(stream, b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile))
    if dots_per_metre:
        _chunk(stream, b"pHYs", struct.pack(">IIB", *dots_per_metre, 1))
    if exif:
        _chunk(stream, b"eXIf", exif)
    if xmp:
        _chunk(stream, b"iTXt", XMP_KEYWORD.encode() + bytes(5) + xmp.encode())
    for kind, content in chunks:
        _chunk(stream, kind, content)
    compressor = zlib.compressobj(6)
    for strip in _filtered(values):
        _chunk(stream, b"IDAT", compressor.compress(strip))
    _chunk(stream, b"IDAT", compressor.flush())
    _chunk(stream, b"IEND", b"")


def _filtered(values: NDArray[np.uint16]) -> Iterator[bytes]:
    """Strips of lines with PNG's filter 2: each byte less the one above it."""
    above = np.zeros((1, values.shape[1] * values.shape[2] * 2), np.uint8)
    for first in range(0, len(values), _STRIP):
        strip = np.ascontiguousarray(values[first : first + _STRIP], ">u2")
        lines = strip.view(np.uint8).reshape(len(strip), -1)
        change = np.diff(lines, axis=0, prepend=above)
        above = lines[-1:]
        yield np.concatenate([np.full((len(lines), 1), 2, np.uint8), change], 1).tobytes()


def _chunk(stream: BinaryIO, kind: bytes, content: bytes) -> None:
    if content or kind == b"IEND":
        check = zlib.crc32(kind + content)
        stream.write(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check))


def _opened(stream: BinaryIO) -> PngImagePlugin.PngImageFile:
    stream.seek(0)
    return PngImagePlugin.PngImageFile(stream)


def _joined(high: NDArray[np.uint8], low: NDArray[np.uint8]) -> NDArray[np.uint16]:
    values = high.astype(np.uint16)
    values <<= 8
    values |= low
    return values
