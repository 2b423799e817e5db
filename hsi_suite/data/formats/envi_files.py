"""ENVI cubes: a header and a raw data file beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ..scene import Georeference
from .array_choice import check_cube
from .cube_file import CubeFile
from .envi_header import GAINS, OFFSETS, HeaderValue, parse_envi_header
from .file_format import header_beside
from .georeferencing import read_map_info
from .raw_lines import AxisOrder, RawLines
from .wavelength_units import in_nanometres

# ENVI's "data type" numbers; 6 and 9 are complex and refused by name.
ENVI_TYPES = {
    1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 6: "c8", 9: "c16",
    12: "u2", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip
_ORDERS: dict[str, AxisOrder] = {"bsq": "BLS", "bil": "LBS", "bip": "LSB"}
_DATA_ENDINGS = ("", "img", "dat", "raw", "bin", "hyspex", "bsq", "bil", "bip", "cue", "sli")
# More than any size of a file; Python refuses to read thousands.
_MOST_DIGITS = 15
_OF_BANDS = ("bbl", GAINS, OFFSETS)
_OF_CUBES = ("reflectance scale factor", "sensor type", "acquisition time")
Fields = Mapping[str, HeaderValue]


def open_envi(path: Path) -> CubeFile:
    """The cube of an ENVI header or data file; lines are read as asked for.

    Raises:
        InputFileError: a file of the pair is missing, the header lacks a field or gives it a value
            it cannot have, or the data file has another size than the header says.
    """
    header = path if _is_header(path) else header_beside(path)
    if header is None:
        raise InputFileError(path, "no ENVI header lies beside it", f"{path.stem}.hdr")
    fields = parse_envi_header(header)
    shape = (
        _count(header, fields, "lines", 1),
        _count(header, fields, "samples", 1),
        _count(header, fields, "bands", 1),
    )
    dtype = _dtype(header, fields)
    check_cube(header, shape, dtype)
    interleave = _text(header, fields, "interleave").lower()
    if interleave not in _ORDERS:
        raise InputFileError(header, f"interleave = {interleave}", "bsq, bil or bip")
    _check_file_type(header, fields)
    offset = _count(header, fields, "header offset", 0) if "header offset" in fields else 0
    size = offset + math.prod(shape) * dtype.itemsize
    data = _data_file(header, interleave, size) if path == header else path
    _check_size(data, header, size)
    order = _ORDERS[interleave]
    return CubeFile(
        path,
        "ENVI",
        shape,
        files=(header, data),
        wavelengths=_wavelengths(fields, shape[2]),
        fwhm=_fwhm(fields, shape[2]),
        georeference=_georeference(fields),
        nodata=_number(header, fields, "data ignore value"),
        band_names=_list(fields, "band names") if _has(fields, "band names", shape[2]) else (),
        default_bands=_default_bands(fields, shape[2]),
        kept_fields=_kept_fields(fields, shape[2]),
        class_names=_list(fields, "class names")[1:] or None,
        colours=_colours(fields),
        source=RawLines(data, offset=offset, dtype=dtype, shape=shape, order=order),
    )


def _is_header(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:4] == b"ENVI"


def _text(header: Path, fields: Fields, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        found = "is missing" if value is None else "has no single value"
        raise InputFileError(header, f"the field {name!r} {found}", f"{name} = …")
    return value


def _count(header: Path, fields: Fields, name: str, lowest: int) -> int:
    text = _text(header, fields, name)
    if len(text) > _MOST_DIGITS:
        raise InputFileError(
            header, f"{name} of {len(text)} characters", f"at most {_MOST_DIGITS} digits"
        )
    if not text.isascii() or not text.isdigit() or int(text) < lowest:
        raise InputFileError(header, f"{name} = {text}", f"a whole number from {lowest} on")
    return int(text)


def _number(header: Path, fields: Fields, name: str) -> float | None:
    if name not in fields:
        return None
    text = _text(header, fields, name)
    try:
        return float(text)
    except ValueError:
        raise InputFileError(header, f"{name} = {text}", "a number") from None


def _dtype(header: Path, fields: Fields) -> np.dtype[np.generic]:
    code = _count(header, fields, "data type", 1)
    if code not in ENVI_TYPES:
        known = ", ".join(map(str, sorted(ENVI_TYPES)))
        raise InputFileError(header, f"data type = {code}", f"one of {known}")
    dtype = np.dtype(ENVI_TYPES[code])
    if dtype.itemsize == 1 and "byte order" not in fields:
        return dtype
    order = _count(header, fields, "byte order", 0)
    if order not in (0, 1):
        raise InputFileError(header, f"byte order = {order}", "0 (little-endian) or 1 (big-endian)")
    return dtype.newbyteorder("<" if order == 0 else ">")


def _check_file_type(header: Path, fields: Fields) -> None:
    kind = str(fields.get("file type", "ENVI Standard")).lower()
    if kind not in {"envi standard", "envi classification", "envi"}:
        raise InputFileError(header, f"file type = {kind}", "ENVI Standard or ENVI Classification")
    if str(fields.get("file compression", "0")).strip() not in {"0", ""}:
        raise InputFileError(header, "the data file is compressed", "an uncompressed file")


def _data_file(header: Path, interleave: str, size: int) -> Path:
    """The data file of `header`: of those with a usual name, one of the right size if any."""
    stem = header.with_suffix("")
    endings = dict.fromkeys((interleave, *_DATA_ENDINGS))
    names = [f"{stem.name}.{ending}" if ending else stem.name for ending in endings]
    names += [name.upper() for name in names] + [f"{stem.name}.{end.upper()}" for end in endings]
    beside = [header.with_name(name) for name in names]
    present = [path for path in beside if path.is_file() and path != header]
    if not present:
        raise InputFileError(
            header,
            "its data file does not lie beside it",
            f"{stem.name} or {stem.name}.img, .dat, .raw, .bin, .{interleave}",
            "copy both files, or name the data file itself",
        )
    fitting = [path for path in present if path.stat().st_size == size]
    return (fitting or present)[0]


def _check_size(data: Path, header: Path, size: int) -> None:
    actual = data.stat().st_size
    if actual != size:
        raise InputFileError(
            data,
            f"holds {actual:,} bytes",
            f"{size:,} by its header {header.name}",
            "the file is incomplete or the header belongs to another one",
        )


def _list(fields: Fields, name: str) -> tuple[str, ...]:
    value = fields.get(name, ())
    return (value,) if isinstance(value, str) else value


def _has(fields: Fields, name: str, count: int) -> bool:
    return len(_list(fields, name)) == count


def _floats(items: tuple[str, ...]) -> list[float] | None:
    try:
        values = [float(item) for item in items]
    except ValueError:
        return None
    return values if values and all(map(math.isfinite, values)) else None


def _wavelengths(fields: Fields, bands: int) -> NDArray[np.float64] | None:
    if not _has(fields, "wavelength", bands):
        return None
    return in_nanometres(_list(fields, "wavelength"), str(fields.get("wavelength units", "")))


def _fwhm(fields: Fields, bands: int) -> NDArray[np.float64] | None:
    """The widths stand in the unit of the wavelengths, whichever that was told to be."""
    centres, raw = _wavelengths(fields, bands), _floats(_list(fields, "wavelength"))
    widths = _floats(_list(fields, "fwhm"))
    if centres is None or raw is None or widths is None or len(widths) != bands:
        return None
    scale = float(centres[0]) / raw[0]
    return np.array([width * scale for width in widths])


def _kept_fields(fields: Fields, bands: int) -> dict[str, HeaderValue]:
    of_bands: dict[str, HeaderValue] = {
        name: _list(fields, name) for name in _OF_BANDS if _has(fields, name, bands)
    }
    return of_bands | {name: fields[name] for name in _OF_CUBES if name in fields}


def _georeference(fields: Fields) -> Georeference | None:
    system = fields.get("coordinate system string")
    return read_map_info(_list(fields, "map info"), system if isinstance(system, str) else None)


def _default_bands(fields: Fields, bands: int) -> tuple[int, int, int] | None:
    values = _floats(_list(fields, "default bands"))
    if values is None or any(value % 1 or not 1 <= value <= bands for value in values):
        return None
    chosen = [int(value) - 1 for value in values]
    if len(chosen) == 1:
        chosen *= 3
    return (chosen[0], chosen[1], chosen[2]) if len(chosen) == 3 else None


def _colours(fields: Fields) -> NDArray[np.uint8] | None:
    values = _floats(_list(fields, "class lookup"))
    if values is None or len(values) % 3 or not all(0 <= value <= 255 for value in values):
        return None
    return np.array(values).astype(np.uint8).reshape(-1, 3)
