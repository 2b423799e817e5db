"""Band centres in the units that files use, in nm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_TO_NANOMETRES = {
    "nanometers": 1.0, "nanometres": 1.0, "nanometer": 1.0, "nm": 1.0,
    "micrometers": 1e3, "micrometres": 1e3, "micrometer": 1e3, "microns": 1e3, "micron": 1e3,
    "um": 1e3, "µm": 1e3, "μm": 1e3, "millimeters": 1e6, "angstroms": 0.1,
}  # fmt: skip


def in_nanometres(values: Sequence[str | float], unit: str) -> NDArray[np.float64] | None:
    """`values` in nm; None when they are no positive numbers or the unit is no length.

    Args:
        values: band centres as a file gives them.
        unit: a name that ENVI or GDAL uses, wavenumbers (1/cm) included. Without one, numbers up
            to 100 are taken for micrometres and higher ones for nanometres.
    """
    try:
        centres = np.array([float(value) for value in values])
    except ValueError:
        return None
    if centres.size == 0 or not np.isfinite(centres).all() or centres.min() <= 0:
        return None
    name = unit.strip().lower()
    with np.errstate(over="ignore"):
        if name in _TO_NANOMETRES:
            centres = centres * _TO_NANOMETRES[name]
        elif name in {"wavenumber", "cm-1", "1/cm"}:
            centres = 1e7 / centres
        elif name not in {"unknown", ""}:
            return None
        elif centres.max() <= 100:
            centres = centres * 1e3
    return centres if np.isfinite(centres).all() else None
