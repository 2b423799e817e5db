"""What a few runs say about a score: centre, spread and how far both can be trusted.

SciPy's statistics, 60 MB, are imported where they are needed: trainings do without.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .rounding import ROUNDING, scale_of

#: Runs below which a bootstrap covers much less than it says (85 % for 95 % at n = 5).
BOOTSTRAP_RUNS = 20
#: Distance from the ceiling below which values are treated as squeezed against it.
NEAR_CEILING = 0.02
_SKEWED = 1.0
_RESAMPLES = 9999


@dataclass(frozen=True)
class Interval:
    """Limits of an interval and how they were found.

    Attributes:
        low: lower limit, in the unit of the score.
        high: upper limit.
        method: "t", "BCa", "chi-square", …
    """

    low: float
    high: float
    method: str

    def to_dict(self) -> dict[str, Any]:
        """The limits as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Description:
    """One score over n runs; what is undefined is None.

    Attributes:
        n: runs that have a value.
        mean: their mean.
        std: sample standard deviation (divisor n - 1); from two runs on.
        median: the middle value.
        interquartile_mean: mean of what a quarter, rounded down, cut off at either end leaves.
        min: lowest value.
        max: highest value.
        interval: t interval of the mean; from two runs on.
        bca: bootstrap interval of the mean; from 20 runs on.
        std_interval: chi-square interval of the standard deviation; from two runs on.
        level: nominal coverage of the intervals.
        notes: what has to be known to read the above rightly, in sentences.
    """

    n: int
    mean: float | None
    std: float | None
    median: float | None
    interquartile_mean: float | None
    min: float | None
    max: float | None
    interval: Interval | None
    bca: Interval | None
    std_interval: Interval | None
    level: float
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; undefined ones are None."""
        return asdict(self) | {"notes": list(self.notes)}


def describe(
    values: Iterable[float | None],
    *,
    level: float = 0.95,
    ceiling: float | None = None,
    floor: float | None = None,
) -> Description:
    """Centre, spread and intervals of one score over repeated runs.

    Nothing depends on the order of the runs. Interquartile mean: Agarwal et al., "Deep
    reinforcement learning at the edge of the statistical precipice", NeurIPS 2021, section 4.3.

    Args:
        values: one for each run. None, NaN and infinities are undefined and not counted.
        level: nominal coverage of the intervals, between 0 and 1.
        ceiling: the highest value that the score can take, see `ceiling`; None for no such. The
            t interval ends there.
        floor: the lowest, see `floor`; likewise.

    Raises:
        ConfigError: the level is not between 0 and 1.
    """
    check_level(level)
    given = list(values)
    known = sorted(defined(given))
    n = len(known)
    spread = statistics.stdev(known) if n > 1 else None
    whole = t_interval(known, level) if n > 1 else None
    interval = None if whole is None else within(whole, floor, ceiling)
    return Description(
        n=n,
        mean=statistics.mean(known) if known else None,
        std=spread,
        median=statistics.median(known) if known else None,
        interquartile_mean=interquartile_mean(known) if known else None,
        min=known[0] if known else None,
        max=known[-1] if known else None,
        interval=interval,
        bca=bca_interval(known, level) if n >= BOOTSTRAP_RUNS else None,
        std_interval=std_interval(spread, n - 1, level) if spread is not None else None,
        level=level,
        notes=(*_gaps(len(given), n), *_spread_notes(known, whole, ceiling, floor)),
    )


def within(interval: Interval, floor: float | None, ceiling: float | None) -> Interval:
    """An interval whose ends are values that the score can take."""
    low = interval.low if floor is None else max(interval.low, floor)
    high = interval.high if ceiling is None else min(interval.high, ceiling)
    return Interval(low, high, interval.method)


def defined(values: Iterable[float | None]) -> list[float]:
    """The values that are finite numbers, in their order."""
    return [float(v) for v in values if v is not None and math.isfinite(v)]


def check_level(level: float) -> None:
    """Refuse a coverage that is none.

    Raises:
        ConfigError: the level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ConfigError("level", str(level), "a coverage between 0 and 1, such as 0.95")


def interquartile_mean(values: Sequence[float]) -> float:
    """Mean without the lowest and the highest quarter, each rounded down to whole values."""
    cut = len(values) // 4
    return statistics.mean(sorted(values)[cut : len(values) - cut])


def t_interval(values: Sequence[float], level: float) -> Interval:
    """Student's interval of the mean of at least two values."""
    mean = statistics.mean(values)
    half = statistics.stdev(values) * t_factor(len(values), level)
    return Interval(mean - half, mean + half, "t")


def t_factor(n: int, level: float) -> float:
    """Half the width of the t interval of a mean of n values, in their standard deviations."""
    from scipy import stats

    return float(stats.t.ppf((1 + level) / 2, n - 1)) / math.sqrt(n)


def bca_interval(values: Sequence[float], level: float) -> Interval:
    """Bias-corrected and accelerated bootstrap interval of the mean, with a fixed seed."""
    low, high = bca_limits(np.sort(np.asarray(values, float))[None], level)
    return Interval(float(low[0]), float(high[0]), "BCa")


def bca_limits(
    samples: NDArray[np.float64], level: float, resamples: int = _RESAMPLES
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """BCa limits of the means of many samples at once.

    Efron, "Better bootstrap confidence intervals", JASA 82 (1987). Equal values give an interval
    without width, where the formula is undefined.

    Args:
        samples: S × n values.
        level: nominal coverage.
        resamples: number of bootstrap samples.

    Returns:
        S lower and S upper limits.
    """
    from scipy import stats

    low, high = samples.min(1), samples.max(1)
    spread = low < high
    if spread.any():
        found = stats.bootstrap(
            (samples[spread],),
            np.mean,
            axis=-1,
            n_resamples=resamples,
            confidence_level=level,
            method="BCa",
            rng=np.random.default_rng(0),
        ).confidence_interval
        low[spread], high[spread] = found.low, found.high
    return low, high


def std_interval(std: float, degrees: int, level: float) -> Interval:
    """Chi-square interval of a standard deviation with so many degrees of freedom."""
    low, high = std_factors(degrees, level)
    return Interval(std * low, std * high, "chi-square")


def std_factors(degrees: int, level: float) -> tuple[float, float]:
    """Limits of the chi-square interval of a standard deviation, in units of its estimate."""
    from scipy import stats

    high, low = stats.chi2.ppf([(1 - level) / 2, (1 + level) / 2], degrees)
    return math.sqrt(degrees / low), math.sqrt(degrees / high)


def skewness(values: Sequence[float]) -> float:
    """Third standardised moment; 0 where all values are equal."""
    deviations = np.asarray(values, float) - np.mean(values)
    spread = math.sqrt(float(np.mean(deviations**2)))
    return float(np.mean((deviations / spread) ** 3)) if spread > 0 else 0.0


def squeezed(values: Sequence[float], ceiling: float | None) -> str | None:
    """Why intervals that assume normal values cover less than they say; None if nothing speaks so.

    Args:
        values: of the runs.
        ceiling: the highest possible value, if there is one.
    """
    if ceiling is not None and ceiling - statistics.mean(values) < NEAR_CEILING:
        return f"the values lie close to their ceiling of {ceiling:g}"
    if len(values) > 2 and abs(skew := skewness(values)) > _SKEWED:
        return f"the values are skewed (skewness {skew:.1f})"
    return None


def _gaps(given: int, n: int) -> list[str]:
    if n == given and n:
        return []
    if n == 0:
        return ["no run has a value"]
    return [f"{given - n} of {given} runs have no value and are not counted"]


def _spread_notes(
    known: Sequence[float],
    interval: Interval | None,
    ceiling: float | None,
    floor: float | None,
) -> list[str]:
    n = len(known)
    if n == 1:
        return ["one run says nothing about the spread"]
    if interval is None:
        return []
    if known[-1] - known[0] <= ROUNDING * scale_of(known):
        return [f"all {n} runs gave the same value, so the intervals have no width"]
    notes = []
    if n < BOOTSTRAP_RUNS:
        notes.append(f"no bootstrap interval: it covers too little below {BOOTSTRAP_RUNS} runs")
    if (why := squeezed(known, ceiling)) is not None:
        notes.append(
            f"{why}: the t interval covers somewhat less than it says, that of the standard "
            "deviation much less"
        )
    if ceiling is not None and interval.high > ceiling:
        notes.append(f"the t interval is cut at {ceiling:g}, the highest possible value")
    if floor is not None and interval.low < floor:
        notes.append(f"the t interval is cut at {floor:g}, the lowest possible value")
    return notes
