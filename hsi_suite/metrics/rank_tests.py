"""Tests that look at ranks alone, exact for few runs, ties included.

Values such as k/n that are equal in exact arithmetic differ by their last bits; all that is here
takes such as tied (`rounding.settled`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from .rounding import scale_of, settled
from .statistics import Interval

# Above this number of values the distribution of the rank sum is taken as normal.
_EXACT = 60


@dataclass(frozen=True)
class RankTest:
    """Result of a rank test.

    Attributes:
        method: which one.
        p: two-sided p value.
        smallest_possible_p: what the clearest result would give with these numbers of runs.
    """

    method: str
    p: float
    smallest_possible_p: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def wilcoxon(differences: Sequence[float], scale: float | None = None) -> RankTest:
    """Wilcoxon's signed-rank test, exact: every sign of every rank is equally likely.

    Differences of zero are left out; equal ones share the mean of their ranks, and the
    distribution is that of the ranks as they are. Wilcoxon, "Individual comparisons by ranking
    methods", Biometrics Bulletin 1 (1945).

    Args:
        differences: first minus second, one for each pair.
        scale: size of the values that were subtracted, by which rounding is known; None takes the
            largest difference.
    """
    values = settled(differences, scale_of(differences) if scale is None else scale)
    values = values[values != 0]
    # Twice the mid-ranks are whole numbers.
    ranks = np.rint(2 * stats.rankdata(np.abs(values))).astype(int)
    chances = np.ones(1)
    for rank in ranks:
        longer = np.zeros(len(chances) + rank)
        longer[: len(chances)] = chances / 2
        longer[rank:] += chances / 2
        chances = longer
    smaller = min(int(ranks[values > 0].sum()), int(ranks[values < 0].sum()))
    return RankTest(
        method="Wilcoxon signed-rank, exact",
        p=min(1.0, 2 * float(chances[: smaller + 1].sum())),
        smallest_possible_p=min(1.0, 2.0 ** (1 - len(values))),
    )


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> RankTest:
    """Mann and Whitney's rank-sum test, exact up to 60 values: every division is equally likely.

    Mann and Whitney, "On a test of whether one of two random variables is stochastically larger
    than the other", Annals of Mathematical Statistics 18 (1947).
    """
    m, n = len(first), len(second)
    best = 2 / math.comb(m + n, m)
    values = settled([*first, *second], scale_of(first, second))
    if m + n > _EXACT:
        p = float(stats.mannwhitneyu(values[:m], values[m:], method="asymptotic").pvalue)
        # All values equal: no rank differs, and scipy divides by zero.
        return RankTest("Mann-Whitney, approximate", p if math.isfinite(p) else 1.0, best)
    ranks = np.rint(2 * stats.rankdata(values)).astype(int)
    chances = _rank_sums(ranks, m)
    below = np.cumsum(chances)
    above = np.cumsum(chances[::-1])[::-1]
    two_sided = np.minimum(1.0, 2 * np.minimum(below, above))
    return RankTest(
        method="Mann-Whitney, exact",
        p=float(two_sided[int(ranks[:m].sum())]),
        smallest_possible_p=float(two_sided[chances > 0].min()),
    )


def _rank_sums(ranks: NDArray[np.integer], chosen: int) -> NDArray[np.float64]:
    """Chance of each sum of so many of the ranks, when every choice is equally likely."""
    total = int(ranks.sum())
    ways = np.zeros((chosen + 1, total + 1))
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : total + 1 - rank]
    chances: NDArray[np.float64] = ways[chosen] / math.comb(len(ranks), chosen)
    return chances


def share_of_improved_pairs(
    differences: Sequence[float], level: float, scale: float | None = None
) -> tuple[float, Interval]:
    """In what share of pairs the first is higher, ties counting half, with its exact interval.

    Clopper and Pearson, Biometrika 26 (1934); half a tie is rounded to the wider side. This is not
    the probability of improvement of Agarwal et al. (NeurIPS 2021), see `chance_of_improvement`.

    Args:
        differences: first minus second, one for each pair.
        level: nominal coverage.
        scale: as of `wilcoxon`.
    """
    n = len(differences)
    values = settled(differences, scale_of(differences) if scale is None else scale)
    wins = float((values > 0).sum() + (values == 0).sum() / 2)
    least, most = math.floor(wins), math.ceil(wins)
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, least, n - least + 1)) if least > 0 else 0.0
    high = float(stats.beta.ppf(1 - tail, most + 1, n - most)) if most < n else 1.0
    return wins / n, Interval(low, high, "Clopper-Pearson")


def chance_of_improvement(
    first: Sequence[float], second: Sequence[float], level: float
) -> tuple[float, Interval]:
    """How likely a run of the first is higher than one of the second, ties half; its interval.

    The probability of improvement of Agarwal et al., "Deep reinforcement learning at the edge of
    the statistical precipice", NeurIPS 2021, section 4.3, on one task. The interval: Newcombe,
    "Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Part 2",
    Statistics in Medicine 25 (2006), method 5: unlike a bootstrap it keeps its width where the
    groups do not overlap.
    """
    m, n = len(first), len(second)
    values = settled([*first, *second], scale_of(first, second))
    signs = np.sign(np.subtract.outer(values[:m], values[m:]))
    found = float((signs.mean() + 1) / 2)
    z = float(stats.norm.ppf((1 + level) / 2))
    effective = (m + n) / 2 - 1

    def excess(theta: float) -> float:
        inflation = 1 + effective * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return (theta - found) ** 2 - z * z * theta * (1 - theta) * inflation / (m * n)

    # At 0 and 1 the equation has a second root where the estimate itself is.
    low = float(optimize.brentq(excess, 0.0, min(found, 1 - 1e-9))) if found > 0 else 0.0
    high = float(optimize.brentq(excess, max(found, 1e-9), 1.0)) if found < 1 else 1.0
    return found, Interval(low, high, "Newcombe")
