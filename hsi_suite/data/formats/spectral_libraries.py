"""ENVI spectral libraries: a header and the spectra beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ...user_files import first_bytes
from .array_choice import check_cube
from .class_names import places_of_names, separate_names
from .cube_file import quiet_nans
from .envi_data import open_envi_data
from .envi_fields import (
    Fields,
    ignored_value,
    list_items,
    numbers,
    single_value,
    stored_type,
    whole_number,
)
from .envi_header import HeaderList, parse_envi_header
from .envi_lists import unfit_band_lists
from .file_format import header_beside
from .spectrum_tables import SpectrumTable

_WHAT = "an ENVI spectral library (.sli and .hdr)"
_KIND = "envi spectral library"
# A table may lie beside the header of an image of the same name.
_TEXT_ENDINGS = (".csv", ".txt", ".tsv", ".asc")
# Names of more pieces than this are not looked for among all that could be formed.
_MOST_PIECES = 200


def is_spectral_library(path: Path) -> bool:
    """Whether `path` is an ENVI header, or the data file of one by its name.

    Files that cannot be read are none: who reads them as text says what is wrong with them.
    """
    if not path.is_file():
        return False
    try:
        header = _header_of(path)
    except OSError:
        return False
    return header == path or (header is not None and path.suffix.lower() not in _TEXT_ENDINGS)


def read_spectral_library(path: Path) -> SpectrumTable:
    """The spectra of an ENVI spectral library, without bands that it marks as bad (bbl).

    Unlike the spectral package's reader this one heeds the header offset, the value of missing
    data and the bad bands.

    Args:
        path: its header or its data file.

    Raises:
        InputFileError: a file of the pair is missing or damaged, the header is one of an image,
            or it names no wavelengths.
    """
    header = _header_of(path)
    if header is None:
        raise InputFileError(path, "no ENVI header lies beside it", _WHAT)
    fields = parse_envi_header(header)
    kind = " ".join(single_value(header, fields, "file type").lower().split())
    if kind != _KIND:
        found = f"file type = {kind}" if kind else "the field 'file type' is missing"
        raise InputFileError(header, found, "file type = ENVI Spectral Library")
    values, remarks = _values(path, header, fields)
    centres = _centres(header, fields, values.shape[1])
    good, bad_remarks = _good_bands(header, fields, values.shape[1])
    names, aliases, unnamed = _names(header, fields, len(values))
    unfit = unfit_band_lists(header, fields, values.shape[1], ("bbl",))
    return SpectrumTable(
        path,
        "ENVI spectral library",
        centres[good],
        names,
        values[:, good],
        (str(fields.get("wavelength units", "")),),
        ((_text(fields, "y axis", "z plot titles", "description"),),) * len(names),
        _scale_factor(header, fields),
        aliases,
        (*remarks, *unfit, *bad_remarks, *filter(None, [unnamed])),
        unnamed,
    )


def _values(
    path: Path, header: Path, fields: Fields
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Spectra × channels, NaN where missing, and what was assumed of the file."""
    spectra = whole_number(header, fields, "lines", 1)
    channels = whole_number(header, fields, "samples", 1)
    if "bands" in fields and whole_number(header, fields, "bands", 1) != 1:
        raise InputFileError(header, f"bands = {fields['bands']}", "1, as in a spectral library")
    shape = (spectra, channels, 1)
    check_cube(header, shape, stored_type(header, fields)[0])
    ignored = ignored_value(header, fields)
    _, source, remarks = open_envi_data(path, header, fields, shape)
    try:
        stored = quiet_nans(source.read_lines(0, spectra)[..., 0])
    except MemoryError as error:
        raise InputFileError(header, "its spectra do not fit into memory", "") from error
    finally:
        source.close()
    values = stored.astype(np.float64)
    if ignored is not None:
        values[_equal(stored, ignored)] = np.nan
    return values, remarks


def _equal(stored: NDArray[Any], value: float) -> NDArray[np.bool_]:
    """Where `stored` holds `value`, rounded as its type rounds."""
    if stored.dtype.kind == "f":
        with np.errstate(over="ignore"):
            same: NDArray[np.bool_] = stored == np.array(value).astype(stored.dtype)
        return same
    return np.asarray(stored == value)


def _centres(header: Path, fields: Fields, channels: int) -> NDArray[np.float64]:
    items = list_items(fields, "wavelength")
    if not items:
        raise InputFileError(header, "names no wavelengths", "wavelength = { … }")
    found = numbers(items)
    if found is None or min(found) <= 0:
        raise InputFileError(header, "has wavelengths that are not positive numbers", "wavelengths")
    if len(found) != channels:
        raise InputFileError(header, f"{len(found)} wavelengths", f"{channels}, as it has samples")
    return np.array(found)


def _good_bands(
    header: Path, fields: Fields, channels: int
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Which channels the list of bad bands leaves, and a remark on the others."""
    marks = numbers(list_items(fields, "bbl"))
    good = np.ones(channels, bool)
    if marks is None or len(marks) != channels:
        return good, ()
    good = np.array(marks) != 0
    if not good.any():
        raise InputFileError(header, "marks every band as bad (bbl)", "good bands")
    bad = int((~good).sum())
    remark = f"{bad} of {channels} bands, marked as bad (bbl), are left out"
    return good, (remark,) if bad else ()


def _names(header: Path, fields: Fields, count: int) -> tuple[tuple[str, ...], dict[str, int], str]:
    """A name for each spectrum, further ones that can mean one alone, and why some are numbers."""
    listed = fields.get("spectra names", ())
    items = list_items(fields, "spectra names")
    if len(items) == count and all(items):
        return items, {}, ""
    numbered = tuple(f"spectrum {number}" for number in range(1, count + 1))
    if not items:
        return numbered, {}, ""
    if len(items) == count:
        return tuple(name or numbered[at] for at, name in enumerate(items)), {}, ""
    text = listed.text if isinstance(listed, HeaderList) else ""
    found = separate_names(text, items, count)
    if found is not None:
        return found, {}, ""
    why = f"{header.name}: spectra names lists {len(items)} for {count} spectra: they are numbered"
    places = places_of_names(items, count) if count <= len(items) <= _MOST_PIECES else {}
    return numbered, places, why


def _header_of(path: Path) -> Path | None:
    head = first_bytes(path, 64, _WHAT).removeprefix(b"\xef\xbb\xbf").lstrip()
    return path if head.startswith(b"ENVI") else header_beside(path)


def _text(fields: Fields, *names: str) -> str:
    found = [fields.get(name, "") for name in names]
    return " ".join(item if isinstance(item, str) else " ".join(item) for item in found)


def _scale_factor(header: Path, fields: Fields) -> float | None:
    text = single_value(header, fields, "reflectance scale factor")
    if not text:
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < 1e9:
        raise InputFileError(header, f"reflectance scale factor = {text}", "a number above 0")
    return factor
