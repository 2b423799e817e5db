"""Band centres in the units that files use, in nm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_TO_NANOMETRES = {
    "nanometers": 1.0, "nanometres": 1.0, "nanometer": 1.0, "nm": 1.0,
    "micrometers": 1e3, "micrometres": 1e3, "micrometer": 1e3, "microns": 1e3, "micron": 1e3,
    "um": 1e3, "µm": 1e3, "μm": 1e3, "millimeters": 1e6, "millimetres": 1e6, "mm": 1e6,
    "centimeters": 1e7, "centimetres": 1e7, "cm": 1e7, "meters": 1e9, "metres": 1e9, "m": 1e9,
    "angstroms": 0.1, "angstrom": 0.1, "å": 0.1,
}  # fmt: skip
_WAVENUMBERS = {"wavenumber", "cm-1", "1/cm"}
# Numbers of bands, which ENVI writes where wavelengths are unknown, are no wavelengths.
_UNNAMED, _COUNTED = {"unknown", ""}, {"index"}
_MOST_SHOWN = 30
# So many numbers 1, 2, 3 … are no chance. Light of a millimetre and more is not measured.
_FEWEST_COUNTED, _LONGEST_METRES = 3, 1e-3
# In nm; beyond, a unit is named that the numbers are not in, such as micrometres over nanometres.
_SHORTEST_LIGHT, _LONGEST_LIGHT = 10.0, 1e5


def in_nanometres(values: Sequence[str | float], unit: str) -> NDArray[np.float64] | None:
    """`values` in nm; None when they are no positive numbers or the unit is no length.

    Args:
        values: band centres as a file gives them.
        unit: a name that ENVI or GDAL uses, wavenumbers (1/cm) included. Without one, numbers
            below 0.001 are taken for metres, up to 100 for micrometres, higher ones for
            nanometres, and 1, 2, 3 … for numbers of bands, which are no wavelengths.

    Returns:
        None also where some are below 10 nm or above 100 µm: they are in another unit.
    """
    centres = lengths_in_nanometres(values, unit)
    return centres if centres is not None and _may_be_light(centres) else None


def _may_be_light(centres: NDArray[np.float64]) -> bool:
    return bool(centres.min() >= _SHORTEST_LIGHT and centres.max() <= _LONGEST_LIGHT)


def lengths_in_nanometres(values: Sequence[str | float], unit: str) -> NDArray[np.float64] | None:
    """As `in_nanometres`, of lengths that need not be wavelengths, such as widths of bands."""
    try:
        centres = np.array([float(value) for value in values])
    except ValueError:
        return None
    if centres.size == 0 or not np.isfinite(centres).all() or centres.min() <= 0:
        return None
    name = _plain(unit)
    with np.errstate(over="ignore"):
        if name in _TO_NANOMETRES:
            centres = centres * _TO_NANOMETRES[name]
        elif name in _WAVENUMBERS:
            centres = 1e7 / centres
        elif name not in _UNNAMED or _counts_bands(centres):
            return None
        elif centres.max() < _LONGEST_METRES:
            centres = centres * 1e9
        elif centres.max() <= 100:
            centres = centres * 1e3
    return centres if np.isfinite(centres).all() else None


def _counts_bands(values: NDArray[np.float64]) -> bool:
    return len(values) >= _FEWEST_COUNTED and np.array_equal(values, np.arange(len(values)) + 1)


def widths_in_nanometres(
    widths: Sequence[str | float], centres: Sequence[str | float], unit: str
) -> NDArray[np.float64] | None:
    """Widths of bands in nm, in the unit of their centres; None when they are not known.

    Args:
        widths: as a file gives them.
        centres: the same, of the bands.
        unit: of both, as in `in_nanometres`.
    """
    known = in_nanometres(centres, unit)
    try:
        values = np.array([float(width) for width in widths])
        raw = np.array([float(centre) for centre in centres])
    except ValueError:
        return None
    if known is None or len(values) != len(known):
        return None
    if not (np.isfinite(values) & (values > 0)).all():
        return None
    # Of wavenumbers w the wavelength is 1 / w, whose slope is 1 / w².
    # The ratio first: it is 1 for nm, and the widths keep every digit.
    return np.asarray(values * (known / raw))


def no_wavelengths(values: Sequence[str | float], unit: str) -> str:
    """Why a list gives no wavelengths, in words behind its name; "" where nothing is wrong.

    Args:
        values: numbers, as a file gives them.
        unit: as in `in_nanometres`.
    """
    name = _plain(unit)
    if in_nanometres(values, unit) is not None or name in _COUNTED or not len(values):
        return ""
    if name not in {*_TO_NANOMETRES, *_WAVENUMBERS, *_UNNAMED}:
        return f"is in {unit.strip()[:_MOST_SHOWN]!r}, which is no unit of wavelength known here"
    known = lengths_in_nanometres(values, unit)
    if known is not None:
        said = f" ({unit.strip()})" if name not in _UNNAMED else ""
        span = f"{float(values[0]):g} to {float(values[-1]):g}{said}"
        return f"holds {span}, which is no light: 10 nm to 100 µm"
    try:
        counted = _counts_bands(np.array([float(value) for value in values]))
    except ValueError:
        counted = False
    return "counts the bands" if counted else "holds values that are not above 0"


def _plain(unit: str) -> str:
    return unit.strip().lower()
