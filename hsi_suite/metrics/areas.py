"""Areas of classes corrected for a map's errors, from the confusion of a probability sample.

P. Olofsson, G. M. Foody, M. Herold, S. V. Stehman, C. E. Woodcock and M. A. Wulder, "Good practices
for estimating area and assessing accuracy of land change", Remote Sensing of Environment 148
(2014), 42–57, equations 1 to 11. The map's classes are the strata.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ShapeError
from .confusion import Confusion

Values = NDArray[np.float64]

Z_95 = 1.96
"""Standard errors on either side of a 95 % interval, as in the paper."""


@dataclass(frozen=True, eq=False)
class AreaEstimates:
    """What a map says of the classes' areas and what its test sample makes of it.

    Arrays have a value for each class; NaN where something cannot be estimated.

    Attributes:
        mapped: area of each class in the map, in the unit that was given.
        tested: test pixels that the map gives each class.
        adjusted: area of each class, corrected by the confusion (equation 9 times the area).
        adjusted_error: its standard error (equations 10 and 11).
        users: user's accuracy (equation 2).
        users_error: its standard error (the root of equation 6).
        producers: producer's accuracy, weighted by area (equation 3).
        producers_error: its standard error (the root of equation 7).
        overall: overall accuracy, weighted by area (equation 1).
        overall_error: its standard error (the root of equation 5).
        untested: classes of the map without a test pixel: what their area holds is unknown, and
            the estimates are of the rest of the map.
        once_tested: mapped classes with one test pixel, which gives no variance: there are no
            standard errors then, but for user's accuracies of the other classes.
    """

    mapped: Values
    tested: NDArray[np.int64]
    adjusted: Values
    adjusted_error: Values
    users: Values
    users_error: Values
    producers: Values
    producers_error: Values
    overall: float
    overall_error: float
    untested: tuple[int, ...]
    once_tested: tuple[int, ...]

    def interval(self, index: int) -> tuple[float, float]:
        """The 95 % interval of a class's adjusted area, which is cut at 0."""
        area, half = float(self.adjusted[index]), Z_95 * float(self.adjusted_error[index])
        return float(np.maximum(area - half, 0.0)), area + half


def area_estimates(
    counts: Confusion | ArrayLike, mapped: Values | NDArray[np.integer] | Sequence[float]
) -> AreaEstimates:
    """The areas of a map's classes, corrected for its errors.

    Args:
        counts: truth (rows) against map (columns) at the test pixels, K × K. They must be a
            probability sample of the map: drawn at random within each of its classes, or from all
            of it.
        mapped: area of each class in the map, in pixels or any unit of area.

    Raises:
        ShapeError: there is not one area of at least 0 for each class.
    """
    if not isinstance(counts, Confusion):
        counts = Confusion.from_matrix(np.asarray(counts))
    areas: Values = np.asarray(mapped, np.float64)
    classes = counts.num_classes
    if areas.shape != (classes,):
        raise ShapeError("areas", f"shape {areas.shape}", f"one for each of {classes} classes")
    if not (np.isfinite(areas) & (areas >= 0)).all():
        raise ShapeError("areas", "a negative or infinite one", "areas of at least 0")
    tested = counts.answered
    stratum = (areas > 0) & (tested > 0)
    cells = stratum[counts.predicted]
    strata, truth = counts.predicted[cells], counts.truth[cells]
    shares = counts.counts[cells] / tested[strata]
    # Of one pixel: 0 / 0, and what it goes into is unknown.
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = shares * (1 - shares) / (tested[strata] - 1)
    right = strata == truth
    hits, hit_spread = np.zeros(classes), np.zeros(classes)
    hits[strata[right]], hit_spread[strata[right]] = shares[right], spread[right]
    once = stratum & (tested == 1)
    hit_spread[once] = np.nan
    adjusted = _sums(truth, areas[strata] * shares, classes)
    variance = _sums(truth, areas[strata] ** 2 * spread, classes)
    unknown = bool(once.any())
    total, own = float(areas[stratum].sum()), areas * hits
    with np.errstate(divide="ignore", invalid="ignore"):
        producers = np.where(adjusted > 0, own / adjusted, np.nan)
        # Equation 7, whose two terms are those of its own stratum and of the others.
        others = variance - areas**2 * hit_spread
        of_own = areas**2 * (1 - producers) ** 2 * hit_spread
        producers_error = np.sqrt(of_own + producers**2 * np.maximum(others, 0)) / adjusted
    if unknown:
        variance[:], producers_error[:] = np.nan, np.nan
    if not total:
        adjusted[:], variance[:] = np.nan, np.nan
    overall_variance = float((areas[stratum] ** 2 * hit_spread[stratum]).sum())
    return AreaEstimates(
        mapped=areas,
        tested=tested,
        adjusted=adjusted,
        adjusted_error=np.sqrt(variance),
        users=np.where(stratum, hits, np.nan),
        users_error=np.where(stratum, np.sqrt(hit_spread), np.nan),
        producers=producers,
        producers_error=producers_error,
        overall=float(own[stratum].sum()) / total if total else np.nan,
        overall_error=float(np.sqrt(overall_variance)) / total if total else np.nan,
        untested=tuple(np.flatnonzero((areas > 0) & (tested == 0)).tolist()),
        once_tested=tuple(np.flatnonzero(once).tolist()),
    )


def _sums(classes: NDArray[np.int64], values: Values, size: int) -> Values:
    sums = np.zeros(size)
    np.add.at(sums, classes, values)
    return sums
