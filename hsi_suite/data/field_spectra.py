"""Spectra measured in the field or the laboratory, brought to the bands of a scene."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from ..registry import nearest_names
from .formats.spectral_libraries import is_spectral_library, read_spectral_library
from .formats.spectrum_tables import SpectrumTable, read_spectrum_table
from .formats.wavelength_units import in_nanometres

Units = Literal["reflectance", "percent", "10000"]
Values = NDArray[np.float64]

_FULL: dict[Units, float] = {"reflectance": 1.0, "percent": 100.0, "10000": 10_000.0}
_WORDS: dict[Units, str] = {
    "reflectance": "reflectance from 0 to 1",
    "percent": "percent",
    "10000": "reflectance times 10000",
}
# Snow and panels in the sun exceed full reflectance a little; noise makes it slightly negative.
_HIGHEST, _LOWEST = 2.0, -0.05
# Libraries mark missing values by huge numbers of either sign (-1.23e34).
_ABSURD = 1e9
_POSSIBLE_NM = (100.0, 50_000.0)
_PERCENT = re.compile(r"%|percent|\bpct\b")
_TEN_THOUSAND = re.compile(r"10[ ,.']?000|1e\+?0?4")
_UNIT_WORDS = {
    "nm": re.compile(r"(?<![a-z])nm(?![a-z])|nanomet"),
    "um": re.compile(r"[µμ]m|(?<![a-z])um(?![a-z])|micromet|micron"),
    "cm-1": re.compile(r"cm ?\^?-1|1/cm|wavenumber"),
}
_LISTED = 20


@dataclass(frozen=True)
class FieldSpectrum:
    """A measured spectrum of reflectance.

    Attributes:
        path: the file it was read from.
        name: how it is called there.
        wavelengths: rising, in nm.
        reflectance: 0 … 1 at each of them, without gaps marked by NaN: what is missing is left out.
        remarks: what was recognised and changed, in words for the user.
    """

    path: Path
    name: str
    wavelengths: Values
    reflectance: Values
    remarks: tuple[str, ...]


def read_field_spectrum(
    path: Path | str, *, name: str | None = None, units: Units | None = None
) -> FieldSpectrum:
    """Read a spectrum from CSV or other text, or from an ENVI spectral library.

    The units of wavelengths (nm, µm, wavenumbers) and values (reflectance, percent, times 10000)
    are taken from the file's words where there are such, else from the range of the numbers.

    Args:
        path: the table, or the header or data file of the library.
        name: which of several spectra; its column's or its own name.
        units: of the values; None reads them from the file.

    Raises:
        InputFileError: the file cannot be read as a spectrum, holds several and none was named, or
            its units make no sense.
    """
    path = Path(path)
    read = read_spectral_library if is_spectral_library(path) else read_spectrum_table
    table = read(path)
    index = _chosen(table, name)
    wavelengths, unit_remark = _nanometres(table)
    values, remarks = _reflectance(table, index, units)
    wavelengths, values, more = _tidied(path, wavelengths, values)
    return FieldSpectrum(
        path,
        table.names[index] if name is None else name,
        wavelengths,
        values,
        (unit_remark, *remarks, *table.remarks, *more),
    )


def _chosen(table: SpectrumTable, name: str | None) -> int:
    names = table.names
    if name is None and len(names) == 1:
        return 0
    if name is not None and names.count(name) == 1:
        return names.index(name)
    if name is not None and name in table.aliases:
        return table.aliases[name]
    listed = ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
    if name is None:
        raise InputFileError(
            table.path, f"holds {len(names)} spectra", f"the name of one: {listed}", "give --name"
        )
    found = "no spectrum" if name not in names else f"{names.count(name)} spectra"
    near = nearest_names(name, names)
    raise InputFileError(
        table.path,
        f"holds {found} of the name {name!r}",
        f"one of {listed}",
        f"did you mean {' or '.join(near)}?" if near and name not in names else table.unnamed,
    )


def _nanometres(table: SpectrumTable) -> tuple[Values, str]:
    """The wavelengths in nm, and what they were taken for."""
    unit, said = "", "by their range"
    for words in table.wavelength_words:
        named = [unit for unit, pattern in _UNIT_WORDS.items() if pattern.search(words.lower())]
        if len(named) == 1:
            unit, said = named[0], "as the file says"
            break
    centres = in_nanometres([float(value) for value in table.wavelengths], unit)
    low, high = _POSSIBLE_NM
    if centres is None or len(centres) < 2 or centres.min() < low or centres.max() > high:
        numbers = table.wavelengths
        taken = f" taken for {unit}" if unit else ""
        raise InputFileError(
            table.path,
            f"wavelengths from {numbers.min():g} to {numbers.max():g}{taken}"
            if len(numbers)
            else "no wavelengths",
            f"{low:g} to {high:g} nm, or as much in µm",
            "name the unit in the column's header: wavelength_nm or wavelength_um",
        )
    unit = unit or ("um" if table.wavelengths.max() <= 100 else "nm")
    words = {"um": "µm", "cm-1": "wavenumbers (1/cm)"}.get(unit, unit)
    return centres, f"wavelengths in {words}, {said}"


def _reflectance(
    table: SpectrumTable, index: int, units: Units | None
) -> tuple[Values, tuple[str, ...]]:
    """The values from 0 to 1, NaN where missing, and what they were taken for."""
    values = table.values[index].copy()
    absurd = np.abs(values) > _ABSURD
    values[absurd] = np.nan
    if np.isfinite(values).sum() < 2:
        raise InputFileError(
            table.path, f"{table.names[index]} holds no values", "a value at each wavelength"
        )
    if units is None and table.scale_factor is not None:
        words = f"values divided by {table.scale_factor:g}, the file's reflectance scale factor"
        return _checked(table, values / table.scale_factor), (words,)
    if units is not None:
        taken, how = units, "as asked for"
    else:
        taken, how = _recognised(table, index, values)
    return _checked(table, values / _FULL[taken]), (f"values in {_WORDS[taken]}, {how}",)


def _recognised(table: SpectrumTable, index: int, values: Values) -> tuple[Units, str]:
    highest = float(np.nanmax(values))
    for place, words in enumerate(map(str.lower, table.value_words[index])):
        # Above the table percent may be of anything, such as the air's humidity.
        if place and "reflect" not in words and "unit" not in words:
            continue
        if _PERCENT.search(words) and highest <= _HIGHEST * 100:
            return "percent", "as the file says"
        if _TEN_THOUSAND.search(words) and highest <= _HIGHEST * 10_000:
            return "10000", "as the file says"
    for taken in get_args(Units):
        if highest <= _HIGHEST * _FULL[taken]:
            return taken, f"as they reach {highest:.4g}"
    raise InputFileError(
        table.path,
        f"values up to {highest:.4g}",
        "reflectance: 0 to 1, percent, or 0 to 10000",
        "radiance or digital numbers must be turned into reflectance first",
    )


def _checked(table: SpectrumTable, values: Values) -> Values:
    highest = float(np.nanmax(values))
    if not 0 < highest <= _HIGHEST:
        raise InputFileError(
            table.path,
            f"reflectance up to {highest:.4g}",
            f"more than 0, and {_HIGHEST:g} at most",
            "give --units reflectance, percent or 10000",
        )
    return values


def _tidied(path: Path, wavelengths: Values, values: Values) -> tuple[Values, Values, list[str]]:
    """Rising wavelengths, each once, with the values there are."""
    remarks = []
    missing = ~np.isfinite(values) | (values < _LOWEST)
    if missing.any():
        remarks.append(f"{int(missing.sum())} of {len(values)} values are missing and left out")
    if missing.mean() > 0.5 or (~missing).sum() < 2:
        raise InputFileError(
            path,
            f"{int(missing.sum())} of {len(values)} values are missing or below {_LOWEST:g}",
            "values at most wavelengths",
        )
    wavelengths, values = wavelengths[~missing], values[~missing]
    negative = values < 0
    if negative.any():
        remarks.append(f"{int(negative.sum())} values a little below 0 are set to 0")
        values = np.maximum(values, 0)
    rising, place = np.unique(wavelengths, return_inverse=True)
    if len(rising) < len(wavelengths):
        remarks.append(
            f"{len(wavelengths) - len(rising)} wavelengths stand there twice: their mean is taken"
        )
    counts = np.bincount(place)
    return rising, np.bincount(place, weights=values) / counts, remarks
