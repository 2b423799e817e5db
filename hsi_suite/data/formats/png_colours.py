"""What a PNG says of its colours beside an ICC profile: primaries, gamma, code points for video."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

#: A chunk of a PNG: its kind and its content.
Chunk = tuple[bytes, bytes]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Kinds of chunks, in the order of the PNG specification's precedence, and their sizes.
_SIZES = {b"cICP": 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32, b"mDCV": 24, b"cLLI": 8}
_HEADER_END = len(_SIGNATURE) + 25
# The code points (ITU-T H.273), gamma and primaries that sRGB has, and what rounding may leave.
_UNSAID = 2
_SRGB_CODES = ((1, 13), (_UNSAID, _UNSAID))
_SRGB_GAMMA, _SRGB_PRIMARIES = 45455, (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
_GAMMA_ROUNDING, _PLACE_ROUNDING = 500, 100


def colour_chunks(path: Path) -> tuple[Chunk, ...]:
    """The chunks that say what a PNG's colours mean, whole ones alone; () of other files."""
    found: list[Chunk] = []
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            return ()
        while len(head := file.read(8)) == 8:
            size, kind = struct.unpack(">I4s", head)
            if kind == b"IDAT":
                break
            if _SIZES.get(kind) != size:
                file.seek(size + 4, 1)
                continue
            content, check = file.read(size), file.read(4)
            if check == struct.pack(">I", zlib.crc32(kind + content)):
                found.append((kind, content))
    return tuple({kind: (kind, content) for kind, content in reversed(found)}.values())


def chunks_of_codes(primaries: int, transfer: int) -> tuple[Chunk, ...]:
    """What a PNG says of such code points; () for those of sRGB and for unsaid ones."""
    codes = primaries, transfer
    if _UNSAID in codes or codes in _SRGB_CODES:
        return ()
    return ((b"cICP", bytes([*codes, 0, 1])),)


def with_chunks(encoded: bytes, chunks: Sequence[Chunk]) -> bytes:
    """A PNG with further chunks behind its header."""
    added = b"".join(_encoded(kind, content) for kind, content in chunks)
    return encoded[:_HEADER_END] + added + encoded[_HEADER_END:]


def _encoded(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def mean_other_than_srgb(chunks: Sequence[Chunk], *, profile: bool) -> bool:
    """Whether colours would look different if the chunks were lost.

    Args:
        chunks: of `colour_chunks`.
        profile: whether there is an ICC profile, which goes before all but code points.
    """
    said = dict(chunks)
    if (codes := said.get(b"cICP")) is not None:
        return (codes[0], codes[1]) not in _SRGB_CODES
    if profile or b"sRGB" in said:
        return False
    return _other_gamma(said.get(b"gAMA")) or _other_primaries(said.get(b"cHRM"))


def _other_gamma(content: bytes | None) -> bool:
    if content is None:
        return False
    return abs(int.from_bytes(content, "big") - _SRGB_GAMMA) > _GAMMA_ROUNDING


def _other_primaries(content: bytes | None) -> bool:
    if content is None:
        return False
    pairs = zip(struct.unpack(">8I", content), _SRGB_PRIMARIES, strict=True)
    return any(abs(place - usual) > _PLACE_ROUNDING for place, usual in pairs)
