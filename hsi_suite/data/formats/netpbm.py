"""Netpbm's files: PBM, PGM, PPM and PAM, and PFM, as text and binary; Pillow keeps 8 bits alone.

Formats: https://netpbm.sourceforge.net/doc/ (pbm, pgm, ppm, pam, pfm).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ...user_files import first_bytes
from .decoded_picture import DecodedPicture, PictureHeader

_EIGHT_BITS, _SIXTEEN_BITS = 255, 65_535
_KINDS = re.compile(rb"P([1-7]|[Ff])[\s#]")
_COMMENT = re.compile(rb"#[^\r\n]*")
_NUMBERS = re.compile(rb"[\s0-9]*")
_WORD = re.compile(rb"(?:\s|#[^\r\n]*)*([^\s#]+)")
# Bytes that a header and its comments may take.
_LONGEST = 2**16
_CHANNELS = {b"1": 1, b"2": 1, b"3": 3, b"4": 1, b"5": 1, b"6": 3, b"f": 1, b"F": 3}
_AS_TEXT, _OF_BITS, _FLOATS, _LISTED = (b"1", b"2", b"3"), (b"1", b"4"), (b"f", b"F"), b"7"
_LISTED_CHANNELS = {1: 1, 2: 1, 3: 3, 4: 3}
_TRANSPARENT = (2, 4)


@dataclass(frozen=True)
class _Layout:
    """How values lie in a file.

    Attributes:
        kind: the letter behind P.
        lines: height in pixels.
        samples: width in pixels.
        channels: values of a pixel.
        most: the value that is white.
        begin: where they begin.
        order: of bytes of floats, "<" or ">".
    """

    kind: bytes
    lines: int
    samples: int
    channels: int
    most: int
    begin: int
    order: str = ">"


def netpbm_header(path: Path) -> PictureHeader | None:
    """What a Netpbm file holds; None for other files.

    Raises:
        InputFileError: its header is damaged.
    """
    layout = _layout(path)
    if layout is None:
        return None
    transparent = layout.kind == _LISTED and layout.channels in _TRANSPARENT
    channels = layout.channels - transparent
    if layout.kind in _FLOATS:
        name, white = "f4", 1
    elif layout.most > _EIGHT_BITS:
        name, white = "u2", layout.most
    else:
        name, white = "u1", _EIGHT_BITS
    dtype = np.dtype(name)
    return PictureHeader(layout.lines, layout.samples, channels, dtype, transparent, float(white))


def netpbm_picture(path: Path) -> DecodedPicture | None:
    """The picture of a Netpbm file; None for other files.

    Of fewer than 255 levels values are spread over as many.

    Raises:
        InputFileError: its header is damaged.
        ValueError: its values are too few, too large, or of another picture, too.
    """
    layout, header = _layout(path), netpbm_header(path)
    if layout is None or header is None:
        return None
    content = path.read_bytes()[layout.begin :]
    count = layout.lines * layout.samples * layout.channels
    values = _values(content, layout, count).reshape(layout.lines, layout.samples, layout.channels)
    if layout.kind in _FLOATS:
        # The last line stands first.
        return DecodedPicture(np.ascontiguousarray(values[::-1], np.float32), white=1.0)
    if values.max() > layout.most or values.min() < 0:
        raise ValueError(f"it holds {values.max()}, more than its white, {layout.most}")
    if layout.kind in _OF_BITS:
        values = 1 - values
    if layout.most < _EIGHT_BITS:
        values = np.rint(values * (_EIGHT_BITS / layout.most))
    return DecodedPicture(values.astype(header.dtype), white=header.white)


def write_netpbm(stream: BinaryIO, values: NDArray[Any], white: int) -> None:
    """Write a PGM (lines × samples) or PPM (× 3) in binary form, uint8 or uint16."""
    lines, samples = values.shape[:2]
    kind = "P5" if values.ndim == 2 else "P6"
    stream.write(f"{kind}\n{samples} {lines}\n{white}\n".encode())
    stream.write(np.ascontiguousarray(values, f">u{values.dtype.itemsize}").data)


def _values(content: bytes, layout: _Layout, count: int) -> NDArray[Any]:
    if layout.kind in _AS_TEXT:
        values, rest = _text_values(content, layout.kind, count)
    elif layout.kind in _OF_BITS:
        across = -(-layout.samples // 8)
        packed = np.frombuffer(content[: across * layout.lines], np.uint8)
        bits = np.unpackbits(packed[: len(packed) // across * across].reshape(-1, across), axis=1)
        values, rest = bits[:, : layout.samples].ravel(), content[across * layout.lines :]
    else:
        size = 4 if layout.kind in _FLOATS else 2 if layout.most > _EIGHT_BITS else 1
        dtype = f"{layout.order}f4" if layout.kind in _FLOATS else f">u{size}"
        whole = content[: min(len(content) // size, count) * size]
        values, rest = np.frombuffer(whole, dtype), content[count * size :]
    if len(values) < count:
        raise ValueError(f"its data hold {len(values):,} of {count:,} values")
    if _KINDS.match(rest.lstrip()):
        raise ValueError("it holds several images; one is expected")
    return values


def _text_values(content: bytes, kind: bytes, count: int) -> tuple[NDArray[Any], bytes]:
    plain = _COMMENT.sub(b" ", content)
    if kind == b"1":
        # Digits need no space between them.
        digits = np.frombuffer(plain, np.uint8)
        return digits[(digits == ord("0")) | (digits == ord("1"))][:count] - ord("0"), b""
    numbers = _NUMBERS.match(plain)
    text = b"" if numbers is None else numbers[0]
    values = np.fromstring(text, np.int32, sep=" ") if text.strip() else np.empty(0, np.int32)
    return values[:count], plain[len(text) :]


def _layout(path: Path) -> _Layout | None:
    head = first_bytes(path, _LONGEST, "an image")
    if (start := _KINDS.match(head)) is None:
        return None
    try:
        if start[1] == _LISTED:
            return _listed_layout(head)
        return _plain_layout(head, start[1])
    except (ValueError, IndexError, KeyError):
        raise InputFileError(
            path, "has a damaged Netpbm header", "width, height and white", "fetch it again"
        ) from None


def _plain_layout(head: bytes, kind: bytes) -> _Layout:
    words: list[bytes] = []
    place = 2
    for _ in range(2 if kind in _OF_BITS else 3):
        found = _WORD.match(head, place)
        if found is None:
            raise ValueError
        words.append(found[1])
        place = found.end()
    samples, lines = int(words[0]), int(words[1])
    order, most = ">", 1
    if kind in _FLOATS:
        order = "<" if float(words[2]) < 0 else ">"
    elif kind not in _OF_BITS:
        most = int(words[2])
    if min(lines, samples) < 1 or not 1 <= most <= _SIXTEEN_BITS:
        raise ValueError
    # One space, after which binary values begin.
    return _Layout(kind, lines, samples, _CHANNELS[kind], most, place + 1, order)


def _listed_layout(head: bytes) -> _Layout:
    listed, _, _ = head.partition(b"ENDHDR\n")
    if len(listed) == len(head):
        raise ValueError
    pairs = [line.split(None, 1) for line in listed.splitlines()[1:] if line.strip()]
    said = {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and not pair[0].startswith(b"#")}
    lines, samples, channels, most = (
        int(said[key]) for key in (b"HEIGHT", b"WIDTH", b"DEPTH", b"MAXVAL")
    )
    if min(lines, samples) < 1 or channels not in _LISTED_CHANNELS or not 1 <= most <= 65_535:
        raise ValueError
    begin = len(listed) + len(b"ENDHDR\n")
    return _Layout(_LISTED, lines, samples, channels, most, begin)
