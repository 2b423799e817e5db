"""What t tests of a difference share: the test, the interval, the effect size's correction."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special, stats

from .rounding import ROUNDING
from .statistics import Interval


@dataclass(frozen=True)
class TTest:
    """Result of a t test; None where it has nothing to divide by.

    Attributes:
        method: which one.
        statistic: t.
        degrees_of_freedom: not whole for Welch's test.
        p: two-sided p value.
        uncorrected_p: that of the plain paired test, where `p` is corrected for resampled splits.
    """

    method: str
    statistic: float | None = None
    degrees_of_freedom: float | None = None
    p: float | None = None
    uncorrected_p: float | None = None


def t_test(mean: float, error: float, degrees: float, method: str) -> TTest:
    """The two-sided test of a mean difference with a standard error.

    Without an error, equal groups get p = 1 and different ones no p value.
    """
    if degrees < 1:
        return TTest(method)
    if error == 0:
        return TTest(method, None, degrees, 1.0 if mean == 0 else None)
    statistic = mean / error
    return TTest(method, statistic, degrees, 2 * float(stats.t.sf(abs(statistic), degrees)))


def difference_interval(
    mean: float, error: float, degrees: float, method: str, level: float
) -> Interval:
    """The interval that belongs to `t_test`."""
    half = float(stats.t.ppf((1 + level) / 2, degrees)) * error
    return Interval(mean - half, mean + half, method)


def spread_of(values: Sequence[float], scale: float) -> float:
    """Sample standard deviation, 0 where it is but rounding; 0 for a single value.

    Args:
        values: at least one.
        scale: size of the numbers that the values were computed from.
    """
    if len(values) < 2:
        return 0.0
    spread = statistics.stdev(values)
    return spread if spread > ROUNDING * scale else 0.0


def hedges_corrected(effect: float | None, degrees: int) -> float | None:
    """An effect size without its bias in small samples; None below two degrees of freedom.

    Hedges, "Distribution theory for Glass's estimator of effect size", Journal of Educational
    Statistics 6 (1981), equation 6e.
    """
    if effect is None or degrees < 2:
        return None
    logarithm = float(special.gammaln(degrees / 2) - special.gammaln((degrees - 1) / 2))
    return effect * math.exp(logarithm) / math.sqrt(degrees / 2)
