"""Which source of chance spreads repeated runs most, and whether that can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scipy import special

from .power import smallest
from .variance import LEAST_VARIANCE


@dataclass(frozen=True)
class LargestSource:
    """The source with the largest variance, against the others.

    Attributes:
        name: of it.
        second: of the one that comes nearest.
        p_value: the largest of those of two-sided F tests against each other source.
        told: whether it is larger than every other one by that.
    """

    name: str
    second: str
    p_value: float
    told: bool


def largest_source(sources: Mapping[str, tuple[float, int]], level: float) -> LargestSource | None:
    """The largest of several variances, if it can be told from every other one.

    It has to beat each of the others in a test of its own, and each test is two-sided, since which
    one is the largest is seen in the same runs. If none is truly the largest, one is then named
    with a chance of at most 1 − level, which two equal ones and others far below reach. The runs
    of a source are taken for normally distributed around each of its anchors.

    Args:
        sources: by name, variance and its degrees of freedom.
        level: 1 − the size of the tests.

    Returns:
        None where fewer than two sources have a variance to compare, or all are 0.
    """
    known = {name: each for name, each in sources.items() if each[1] > 0}
    order = sorted(known, key=lambda name: -known[name][0])
    if len(order) < 2 or known[order[0]][0] <= LEAST_VARIANCE:
        return None
    first, second = order[:2]
    p_values = [_p_value(known[first], known[other]) for other in order[1:]]
    p_value = max(p_values)
    return LargestSource(first, second, p_value, told=p_value < 1 - level)


def runs_to_tell(ratio: float, anchors: int, level: float) -> int | None:
    """Runs of each of two sources that would tell a ratio of their variances, in 4 of 5 cases.

    Args:
        ratio: of the larger to the smaller one.
        anchors: at which each is varied.
        level: 1 − the size of the two-sided F test.

    Returns:
        None where none up to 10,000 would.
    """

    def power(runs: int) -> float:
        degrees = runs - anchors
        if degrees < 1:
            return 0.0
        limit = special.fdtri(degrees, degrees, (1 + level) / 2)
        return float(special.fdtrc(degrees, degrees, limit / ratio))

    return smallest(power) if ratio > 1 else None


def _p_value(large: tuple[float, int], small: tuple[float, int]) -> float:
    if small[0] <= LEAST_VARIANCE:
        return 0.0
    return min(1.0, 2 * float(special.fdtrc(large[1], small[1], large[0] / small[0])))
