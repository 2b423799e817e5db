"""Values that are equal but for the rounding of floating-point numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Equal steps of values such as k/n differ by their last bits; relative to the values.
ROUNDING = 1e-12


def settled(values: Sequence[float], scale: float) -> NDArray[np.float64]:
    """The same values, of which those that differ by rounding alone are equal.

    Values no farther from 0 than rounding become 0; a chain of neighbours takes the value that is
    nearest to 0.

    Args:
        values: of any order and sign.
        scale: size of the numbers that the values were computed from.
    """
    given = np.asarray(values, np.float64)
    sizes = np.abs(given)
    order = np.argsort(sizes, kind="stable")
    ranked = np.concatenate([[0.0], sizes[order]])
    starts = np.concatenate([[True], np.diff(ranked) > ROUNDING * scale])
    first = np.maximum.accumulate(np.where(starts, np.arange(len(ranked)), 0))
    result = np.empty_like(given)
    result[order] = ranked[first][1:]
    return np.where(result == 0, 0.0, np.copysign(result, given))


def scale_of(*groups: Sequence[float]) -> float:
    """The size of the largest value; 0 without any."""
    return max((abs(float(value)) for group in groups for value in group), default=0.0)
