"""How many runs would tell a difference of a given size."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special, stats

#: Chance of telling the difference that a number of runs has to give.
POWER = 0.8
#: Numbers of runs beyond this are not searched.
MOST_RUNS = 10_000
_NODES = 60


def pairs_to_tell(effect: float, test_per_train: float, level: float) -> int | None:
    """Pairs of runs with which the (corrected resampled) paired t test finds an effect.

    The statistic is taken as noncentral t with noncentrality effect / sqrt(1/n + test/train). The
    correction does not fade with n, so that small effects are beyond any number of pairs.

    Args:
        effect: true mean difference over the standard deviation of the differences, above 0.
        test_per_train: test items per training item; 0 for the plain paired t test.
        level: 1 - the size of the two-sided test.

    Returns:
        The smallest number with a chance of at least 0.8; None above 10,000.
    """

    def power(n: int) -> float:
        return t_power(effect / math.sqrt(1 / n + test_per_train), n - 1, level)

    return smallest(power)


def runs_per_group_to_tell(effect: float, level: float) -> int | None:
    """Runs in each of two groups with which the two-sample t test finds an effect.

    Args:
        effect: true difference of the means over the standard deviation of the runs, above 0.
        level: 1 - the size of the two-sided test.

    Returns:
        The smallest number with a chance of at least 0.8; None above 10,000.
    """
    return smallest(lambda n: t_power(effect * math.sqrt(n / 2), 2 * n - 2, level))


def t_power(noncentrality: float, degrees: int, level: float) -> float:
    """Chance that a two-sided t test rejects: the tails of the noncentral t distribution.

    Given the estimated deviation r in units of the true one, the statistic is normal; the mean
    over r is taken by quadrature over the quantiles of chi-square. (The distribution function of
    scipy 1.17 has no value in the far tail.)

    Args:
        noncentrality: of the statistic.
        degrees: of freedom.
        level: 1 - the size of the test.
    """
    limit = stats.t.ppf((1 + level) / 2, degrees)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    ratio = np.sqrt(stats.chi2.ppf((nodes + 1) / 2, degrees) / degrees)
    above = special.ndtr(noncentrality - limit * ratio)
    below = special.ndtr(-noncentrality - limit * ratio)
    return float(weights @ (above + below) / 2)


def smallest(power: Callable[[int], float]) -> int | None:
    """The smallest number from 2 to 10,000 with power enough, which grows with it."""
    if power(MOST_RUNS) < POWER:
        return None
    low, high = 1, MOST_RUNS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high
