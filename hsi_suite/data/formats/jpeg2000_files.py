"""JPEG 2000 files of other than 8 bits, of which Pillow keeps 8, and the profiles of all."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np

from ...errors import InputFileError
from ...user_files import first_bytes
from .decoded_picture import DecodedPicture, PictureHeader
from .iso_boxes import boxes_in, boxes_of

_BOXES = b"\0\0\0\x0cjP  \r\n\x87\n"
_CODES = b"\xff\x4f\xff\x51"
# Where the marks begin is looked for so far into a file, behind profiles and notes.
_HEAD = 2**22
_EIGHT, _MOST = 8, 16
_MANY = 4
# What a colour box says: a profile, or a number of which these are grey and sRGB.
_BY_NUMBER, _PROFILES = 1, (2, 3)
_PLAIN = (16, 17)
# Of GeoJP2.
_PLACE = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")
_PLACE_LOST = "its coordinates are not read: JPEG 2000 files are read as photographs"


@dataclass(frozen=True)
class _Codes:
    """Sizes of an image, and of each channel bits, sign and steps between its samples."""

    lines: int
    samples: int
    channels: tuple[tuple[int, bool, bool], ...]


def is_jpeg2000(path: Path) -> bool:
    """Whether a file begins as JPEG 2000 files do, in boxes or as bare codes."""
    head = first_bytes(path, len(_BOXES), "an image")
    return head == _BOXES or head.startswith(_CODES)


def jpeg2000_header(path: Path) -> PictureHeader | None:
    """What a JPEG 2000 file of other than 8 bits holds; None for all other files.

    Raises:
        InputFileError: it is of a kind that is not read.
    """
    codes = _codes(path) if is_jpeg2000(path) else None
    if codes is None or {bits for bits, *_ in codes.channels} <= {_EIGHT} or _has_palette(path):
        return None
    depths = {channel[:2] for channel in codes.channels}
    bits, signed = codes.channels[0][:2]
    number = _colour_number(path)
    whole = not any(apart for *_, apart in codes.channels)
    plain = number is None or number in _PLAIN
    if len(depths) > 1 or signed or bits > _MOST or not whole or not plain:
        raise InputFileError(
            path,
            "is a JPEG 2000 file of channels that differ, have a sign, or are no grey or RGB",
            f"grey or RGB of 1 to {_MOST} bits",
            "convert it to TIFF",
        )
    count = len(codes.channels)
    if count > _MANY:
        raise InputFileError(path, f"holds {count} channels", "grey or RGB", "convert it to TIFF")
    deep = bits > _EIGHT
    return PictureHeader(
        codes.lines,
        codes.samples,
        1 if count < 3 else 3,
        np.dtype(np.uint16 if deep else np.uint8),
        count in (2, _MANY),
        2.0**bits - 1 if deep else None,
    )


def jpeg2000_picture(path: Path) -> DecodedPicture | None:
    """The picture of such a file; None for all other files.

    Fewer than 8 bits are spread over the range of 8.

    Raises:
        InputFileError: as `jpeg2000_header`.
        ValueError: its values are not those of its header.
        RuntimeError: it is damaged.
    """
    header = jpeg2000_header(path)
    if header is None:
        return None
    values = header.in_channels(imagecodecs.jpeg2k_decode(path.read_bytes()))
    codes = _codes(path)
    if header.white is None and codes is not None:
        most = 2.0 ** codes.channels[0][0] - 1
        values = np.rint(values * (255 / most)).astype(np.uint8)
    return DecodedPicture(
        values,
        icc_profile=jpeg2000_profile(path),
        remark=jpeg2000_remark(path),
        white=header.white,
    )


def jpeg2000_profile(path: Path) -> bytes | None:
    """The ICC profile of a JPEG 2000 file; None where there is none."""
    for content in _colour_boxes(path):
        if content[:1] and content[0] in _PROFILES:
            return content[3:] or None
    return None


def jpeg2000_remark(path: Path) -> str:
    """What is lost of a JPEG 2000 file: where it lies on Earth."""
    if first_bytes(path, len(_BOXES), "an image") != _BOXES:
        return ""
    placed = any(kind == b"uuid" and box.startswith(_PLACE) for kind, box in boxes_in(path))
    return _PLACE_LOST if placed else ""


def _header_boxes(path: Path) -> list[tuple[bytes, bytes]]:
    if first_bytes(path, len(_BOXES), "an image") != _BOXES:
        return []
    headers = [content for kind, content in boxes_in(path) if kind == b"jp2h"]
    return [box for content in headers for box in boxes_of(content)]


def _colour_boxes(path: Path) -> list[bytes]:
    return [content for kind, content in _header_boxes(path) if kind == b"colr"]


def _has_palette(path: Path) -> bool:
    return any(kind == b"pclr" for kind, _ in _header_boxes(path))


def _colour_number(path: Path) -> int | None:
    """The number of the colours (ISO 15444-1, table I.10); None where there is none."""
    for content in _colour_boxes(path):
        if content[:1] == bytes([_BY_NUMBER]) and len(content) >= 7:
            return int.from_bytes(content[3:7], "big")
    return None


def _codes(path: Path) -> _Codes | None:
    """What the mark SIZ says (ISO 15444-1, A.5.1); None where it is missing."""
    head = first_bytes(path, _HEAD, "an image")
    place = head.find(_CODES)
    if place < 0 or len(head) < place + 42:
        return None
    right, lower, left, upper = struct.unpack_from(">4I", head, place + 8)
    count = int.from_bytes(head[place + 40 : place + 42], "big")
    each = head[place + 42 : place + 42 + 3 * count]
    channels = tuple(
        ((depth & 0x7F) + 1, bool(depth & 0x80), across != 1 or down != 1)
        for depth, across, down in zip(each[::3], each[1::3], each[2::3], strict=True)
    )
    return _Codes(lower - upper, right - left, channels) if channels else None
