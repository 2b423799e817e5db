"""How a variable is stored in a MATLAB v5 to v7 file: type, and place when uncompressed.

SciPy gives a variable's class but not the type its values are stored in, and looks that type up
without checking it, which ends the process on a damaged file.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .reading_guard import reading

_MATRIX, _COMPRESSED = 14, 15
_TYPES = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_COMPLEX_FLAG = 0x0800
_PREFIX_BYTES = 2**16


@dataclass(frozen=True)
class MatlabElement:
    """The values of one numeric variable.

    Attributes:
        dtype: the type they are stored in, byte order included; complex if the variable is.
        count: how many there are, the real part alone.
        offset: where they start in the file; None when compressed.
    """

    dtype: np.dtype[Any]
    count: int
    offset: int | None


def find_matlab_element(path: Path, variable: str) -> MatlabElement:
    """The numeric variable called `variable` in a v5 to v7 file.

    Raises:
        InputFileError: the file is damaged.
    """
    with reading(path, "a MATLAB file"), path.open("rb") as file:
        file.seek(126)
        order = "<" if file.read(2) == b"IM" else ">"
        place = 128
        while len(tag := file.read(8)) == 8:
            kind, size = struct.unpack(order + "II", tag)
            start = file.read(min(size, _PREFIX_BYTES))
            if kind == _COMPRESSED:
                body = zlib.decompressobj().decompress(start, _PREFIX_BYTES)[8:]
            elif kind == _MATRIX:
                body = start
            else:
                raise ValueError(f"an element of type {kind} between the variables")
            name, dtype, count, offset = _describe(body, order, variable)
            if name == variable:
                found = place + 8 + offset if kind == _MATRIX else None
                return MatlabElement(dtype, count, found)
            place += 8 + size
            file.seek(place)
        raise LookupError(f"no variable {variable!r}")


def _describe(body: bytes, order: str, wanted: str) -> tuple[str, np.dtype[Any], int, int]:
    """Name, type, number of values and their place in `body`, the content of a matrix element."""
    (flags,) = struct.unpack_from(order + "I", body, 8)
    _, _, _, place = _element(body, order, 16)
    _, name_at, name_size, place = _element(body, order, place)
    name = body[name_at : name_at + name_size].decode("latin-1")
    if name != wanted:
        return name, np.dtype("u1"), 0, 0
    kind, values_at, size, _ = _element(body, order, place)
    if kind not in _TYPES:
        raise ValueError(f"variable {name!r} has values of the unknown type {kind}")
    stored = np.dtype(order + _TYPES[kind])
    dtype = np.dtype(complex) if flags & _COMPLEX_FLAG else stored
    return name, dtype, size // stored.itemsize, values_at


def _element(body: bytes, order: str, place: int) -> tuple[int, int, int, int]:
    """Type, place and size of the element at `place`, and the place of the next one."""
    kind, size = struct.unpack_from(order + "II", body, place)
    if kind >> 16:  # up to four bytes stand inside the tag
        return kind & 0xFFFF, place + 4, kind >> 16, place + 8
    return kind, place + 8, size, place + 8 + size + -size % 8
