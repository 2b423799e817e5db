"""Is one group of runs better than another? Tests, effect size, and what they cannot tell."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..errors import ShapeError
from .comparison_notes import missing, paired_notes, power_notes, rank_notes, unpaired_notes
from .power import POWER, pairs_to_tell, runs_per_group_to_tell
from .rank_tests import (
    RankTest,
    chance_of_improvement,
    mann_whitney,
    share_of_improved_pairs,
    wilcoxon,
)
from .rounding import scale_of, settled
from .statistics import Interval, check_level, defined
from .t_tests import TTest, difference_interval, hedges_corrected, spread_of, t_test

CORRECTED = "corrected resampled t"
_PAIRED_EFFECT = "Cohen's d_z with Hedges' correction"
_UNPAIRED_EFFECT = "Hedges' g"


@dataclass(frozen=True)
class Comparison:
    """The first group against the second; what is undefined is None.

    Attributes:
        paired: whether run k of both used the same split.
        n: runs with a value in the first and the second group; pairs where paired.
        level: nominal coverage of intervals; tests reject below 1 - level.
        first_mean: mean of the first group.
        second_mean: mean of the second.
        difference: first minus second.
        interval: of the difference, by the t test's own standard error.
        t_test: corrected resampled, plain paired or Welch's.
        rank_test: Wilcoxon's or Mann and Whitney's; None without runs.
        effect_method: how the effect size is defined.
        effect_size: the difference in standard deviations.
        improvement: how often the first is higher, ties half: of the pairs where paired, else of
            all couples of a run of the first and one of the second.
        improvement_interval: its interval.
        runs_to_tell: runs of each group with which the t test would tell a true difference of
            the observed size with a chance of 0.8; None where no number up to 10,000 would.
        notes: what has to be known to read the above rightly, in sentences.
    """

    paired: bool
    n: tuple[int, int]
    level: float
    first_mean: float | None
    second_mean: float | None
    difference: float | None
    interval: Interval | None
    t_test: TTest
    rank_test: RankTest | None
    effect_method: str
    effect_size: float | None
    improvement: float | None
    improvement_interval: Interval | None
    runs_to_tell: int | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; undefined ones are None."""
        plain = asdict(self)
        limits = plain.pop("improvement_interval")
        value = plain.pop("improvement")
        improvement = None if limits is None else {"value": value, **limits}
        return plain | {
            "n": list(self.n),
            "effect_size": {"method": plain.pop("effect_method"), "value": self.effect_size},
            "share_of_improved_pairs": improvement if self.paired else None,
            "probability_of_improvement": None if self.paired else improvement,
            "power": POWER,
            "notes": list(self.notes),
        }


def compare_paired(
    first: Sequence[float | None],
    second: Sequence[float | None],
    *,
    counts: tuple[float, float] | None,
    level: float = 0.95,
) -> Comparison:
    """Compare two groups whose runs share their splits one by one.

    The t test is the corrected resampled one: Nadeau and Bengio, "Inference for the
    generalization error", Machine Learning 52 (2003), which replaces the variance s²/n of a mean
    over overlapping splits by (1/n + test/train)·s².

    Args:
        first: one value for each split; None and NaN are undefined and their pairs not counted.
        second: the same for the other group, in the same order.
        counts: training and test items of a split; None for a plain paired t test.
        level: nominal coverage; tests reject below 1 - level.

    Raises:
        ShapeError: the groups differ in length, or a count is not positive.
        ConfigError: the level is not between 0 and 1.
    """
    check_level(level)
    ratio = _test_per_train(counts)
    if len(first) != len(second):
        raise ShapeError("paired runs", f"{len(first)} and {len(second)}", "as many of both")
    couples = [defined(pair) for pair in zip(first, second, strict=True)]
    pairs = [(couple[0], couple[1]) for couple in couples if len(couple) == 2]
    notes = missing(len(couples) - len(pairs), "pairs")
    method = "paired t" if counts is None else CORRECTED
    if not pairs:
        return _nothing(True, level, method, _PAIRED_EFFECT, ["no pair of runs", *notes])
    differences = [a - b for a, b in pairs]
    scale = scale_of(*pairs)
    n, mean = len(pairs), _but_for_rounding(statistics.mean(differences), scale)
    spread = spread_of(differences, scale)
    error = math.sqrt(1 / n + ratio) * spread
    effect = None if spread == 0 else mean / spread
    needed = pairs_to_tell(abs(effect), ratio, level) if effect else None
    rank = wilcoxon(differences, scale)
    share, limits = share_of_improved_pairs(differences, level, scale)
    test = t_test(mean, error, n - 1, method)
    if counts is not None:
        plain = t_test(mean, spread / math.sqrt(n), n - 1, "paired t")
        test = replace(test, uncorrected_p=plain.p)
    notes += paired_notes(mean, n, spread, None if counts is None else ratio)
    notes += rank_notes(rank, n, "pairs", level) + power_notes(effect, needed, ratio)
    return Comparison(
        paired=True,
        n=(n, n),
        level=level,
        first_mean=statistics.mean(a for a, _ in pairs),
        second_mean=statistics.mean(b for _, b in pairs),
        difference=mean,
        interval=difference_interval(mean, error, n - 1, method, level) if n > 1 else None,
        t_test=test,
        rank_test=rank,
        effect_method=_PAIRED_EFFECT,
        effect_size=hedges_corrected(effect, n - 1),
        improvement=share,
        improvement_interval=limits,
        runs_to_tell=needed,
        notes=tuple(notes),
    )


def compare_unpaired(
    first: Sequence[float | None], second: Sequence[float | None], *, level: float = 0.95
) -> Comparison:
    """Compare two groups whose runs share no splits.

    The t test is Welch's, "The generalization of Student's problem when several different
    population variances are involved", Biometrika 34 (1947).

    Args:
        first: one value for each run; None and NaN are undefined and not counted.
        second: the same for the other group.
        level: nominal coverage; tests reject below 1 - level.

    Raises:
        ConfigError: the level is not between 0 and 1.
    """
    check_level(level)
    a, b = defined(first), defined(second)
    m, n = len(a), len(b)
    notes = missing(len(first) + len(second) - m - n, "runs")
    if not a or not b:
        return _nothing(False, level, "Welch t", _UNPAIRED_EFFECT, ["no runs to compare", *notes])
    scale = scale_of(a, b)
    parts = [(spread_of(group, scale) ** 2 / len(group), len(group) - 1) for group in (a, b)]
    mean = _but_for_rounding(statistics.mean(a) - statistics.mean(b), scale)
    error = math.sqrt(sum(v for v, _ in parts))
    testable = min(m, n) > 1
    degrees = _welch_degrees(parts) if testable and error > 0 else m + n - 2
    typical = math.sqrt(sum(v * (d + 1) for v, d in parts) / 2)
    pooled = math.sqrt(sum(v * (d + 1) * d for v, d in parts) / max(m + n - 2, 1))
    effect = mean / typical if testable and typical > 0 else None
    needed = runs_per_group_to_tell(abs(effect), level) if effect else None
    rank = mann_whitney(a, b)
    chance, limits = chance_of_improvement(a, b, level)
    notes += unpaired_notes(testable, mean, error)
    notes += rank_notes(rank, min(m, n), "runs", level) + power_notes(effect, needed, 0.0)
    return Comparison(
        paired=False,
        n=(m, n),
        level=level,
        first_mean=statistics.mean(a),
        second_mean=statistics.mean(b),
        difference=mean,
        interval=difference_interval(mean, error, degrees, "Welch t", level) if testable else None,
        t_test=t_test(mean, error, degrees if testable else 0, "Welch t"),
        rank_test=rank,
        effect_method=_UNPAIRED_EFFECT,
        effect_size=hedges_corrected(mean / pooled if testable and pooled > 0 else None, m + n - 2),
        improvement=chance,
        improvement_interval=limits,
        runs_to_tell=needed,
        notes=tuple(notes),
    )


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p values for their number.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979).

    Args:
        p_values: of the tests; None for one that could not be made, which is not counted.

    Returns:
        Adjusted values in the same order, at most 1.
    """
    order = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for passed, (p, place) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - passed) * p))
        adjusted[place] = highest
    return adjusted


def _but_for_rounding(difference: float, scale: float) -> float:
    return float(settled([difference], scale)[0])


def _welch_degrees(parts: Sequence[tuple[float, int]]) -> float:
    """Welch and Satterthwaite's, of two squared standard errors with their degrees of freedom."""
    total = sum(v for v, _ in parts)
    return 1 / sum((v / total) ** 2 / d for v, d in parts)


def _test_per_train(counts: tuple[float, float] | None) -> float:
    if counts is None:
        return 0.0
    train, test = counts
    if not (train > 0 and test > 0):
        raise ShapeError("split", f"{train} training and {test} test items", "some of both")
    return test / train


def _nothing(
    paired: bool, level: float, method: str, effect_method: str, notes: Sequence[str]
) -> Comparison:
    return Comparison(
        paired=paired,
        n=(0, 0),
        level=level,
        first_mean=None,
        second_mean=None,
        difference=None,
        interval=None,
        t_test=TTest(method),
        rank_test=None,
        effect_method=effect_method,
        effect_size=None,
        improvement=None,
        improvement_interval=None,
        runs_to_tell=None,
        notes=tuple(notes),
    )
