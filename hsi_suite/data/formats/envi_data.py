"""The data file that an ENVI header describes."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ...user_files import first_bytes
from .cube_file import LineSource, WholeArray
from .envi_fields import Fields, header_offset, single_value, stored_type
from .raw_lines import AxisOrder, RawLines
from .reading_guard import reading

_ORDERS: dict[str, AxisOrder] = {"bsq": "BLS", "bil": "LBS", "bip": "LSB"}
_DATA_ENDINGS = ("", "img", "dat", "raw", "bin", "hyspex", "bsq", "bil", "bip", "cue", "sli")


def find_data_file(header: Path, size: int, first_ending: str = "") -> Path:
    """The data file of `header`: one with a usual ending, else the only one of the right size.

    Args:
        header: the .hdr file.
        size: bytes that it should hold; of several files with usual endings such a one is taken.
        first_ending: the ending that is looked for first.

    Raises:
        InputFileError: there is none, or several could be meant.
    """
    stem = header.with_suffix("")
    endings = dict.fromkeys((first_ending, *_DATA_ENDINGS))
    names = [f"{stem.name}.{ending}" if ending else stem.name for ending in endings]
    names += [name.upper() for name in names] + [f"{stem.name}.{end.upper()}" for end in endings]
    beside = [header.with_name(name) for name in names]
    present = [path for path in beside if path.is_file() and path != header]
    if present:
        return next((path for path in present if path.stat().st_size == size), present[0])
    fitting = sorted(
        path
        for path in header.parent.iterdir()
        if path.stem == stem.name and path.is_file() and path.stat().st_size == size
    )
    if len(fitting) == 1:
        return fitting[0]
    expected = f"{stem.name} or {stem.name}.img, .dat, .raw, .bin, .bsq, .bil, .bip"
    if fitting:
        several = ", ".join(path.name for path in fitting[:5])
        found = f"several data files fit it: {several}"
        raise InputFileError(header, found, expected, "name the data file itself")
    raise InputFileError(
        header,
        "its data file does not lie beside it",
        expected,
        "copy both files, or name the data file itself",
    )


def open_envi_data(
    path: Path, header: Path, fields: Fields, shape: tuple[int, int, int]
) -> tuple[Path, LineSource, tuple[str, ...]]:
    """What reads the values behind a header.

    Args:
        path: the header or the data file.
        header: the .hdr file.
        fields: of the header.
        shape: lines, samples, bands.

    Returns:
        The data file, the source of its lines, and what was assumed, in words.

    Raises:
        InputFileError: the data file is missing or has another size than the header says, or a
            field has a value it cannot have.
    """
    dtype, remarks = stored_type(header, fields)
    offset = header_offset(header, fields)
    size = offset + math.prod(shape) * dtype.itemsize
    said = single_value(header, fields, "interleave").lower()
    ending = said if said in _ORDERS else ""
    data = find_data_file(header, size, ending) if path == header else path
    interleave, assumed = _interleave(header, said, data, shape[2])
    remarks += assumed
    order = _ORDERS[interleave]
    compression = single_value(header, fields, "file compression")
    if compression not in {"0", ""}:
        if compression != "1":
            raise InputFileError(header, f"file compression = {compression}", "0 or 1 (gzip)")
        source = _compressed(data, offset, dtype, shape, order)
        return data, source, remarks
    remarks += _check_size(data, header, size, shape[1] * shape[2] * dtype.itemsize)
    return data, RawLines(data, offset=offset, dtype=dtype, shape=shape, order=order), remarks


def _interleave(header: Path, said: str, data: Path, bands: int) -> tuple[str, tuple[str, ...]]:
    if said:
        if said not in _ORDERS:
            raise InputFileError(header, f"interleave = {said}", "bsq, bil or bip")
        return said, ()
    ending = data.suffix.lower().removeprefix(".")
    if ending in _ORDERS or bands == 1:
        return (ending if ending in _ORDERS else "bsq"), ()
    # A wrong guess would scramble the cube without a sign.
    raise InputFileError(
        header, "the field 'interleave' is missing", "interleave = bsq, bil or bip"
    )


def _check_size(data: Path, header: Path, size: int, line: int) -> tuple[str, ...]:
    """Refuse a data file of another size; less than a line too many is padding, and said."""
    actual = data.stat().st_size
    if size < actual < size + line:
        return (f"{data.name}: {actual - size:,} bytes behind the last value are left out",)
    if actual != size:
        raise InputFileError(
            data,
            f"holds {actual:,} bytes",
            f"{size:,} by its header {header.name}",
            "the file is incomplete or the header belongs to another one",
        )
    return ()


def _compressed(
    data: Path,
    offset: int,
    dtype: np.dtype[Any],
    shape: tuple[int, int, int],
    order: AxisOrder,
) -> WholeArray:
    """Values that ENVI compressed, as a whole, with gzip."""
    size = offset + math.prod(shape) * dtype.itemsize
    if first_bytes(data, 2) != b"\x1f\x8b":
        raise InputFileError(data, "is not compressed with gzip", "as its header says")

    def load() -> NDArray[Any]:
        with reading(data, "a file compressed with gzip"), gzip.open(data) as file:
            content = file.read(size + 1)
        if len(content) != size:
            found = "more" if len(content) > size else f"{len(content):,}"
            raise InputFileError(data, f"unpacks to {found} bytes", f"{size:,} by its header")
        stored = tuple(shape["LSB".index(axis)] for axis in order)
        values = np.frombuffer(content, dtype, offset=offset).reshape(stored)
        return values.transpose([order.index(axis) for axis in "LSB"])

    return WholeArray(data, shape, dtype.newbyteorder("="), load)
