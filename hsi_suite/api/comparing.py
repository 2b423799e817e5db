"""Is A really better than B: figures of several runs, compared with tests that fit them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import ShapeError
from ..metrics.group_comparisons import GroupComparison, RunGroup, compare_groups


@dataclass(frozen=True)
class Comparisons:
    """Every pair compared.

    Attributes:
        pairs: in the order of the names; each with difference, interval, tests, verdict.
    """

    pairs: Sequence[GroupComparison]

    def __str__(self) -> str:
        """The verdicts, a sentence each."""
        return "\n".join(pair.verdict for pair in self.pairs)


def compare(
    scores: Mapping[str, Sequence[float]],
    metric: str = "overall_accuracy",
    *,
    paired: bool = False,
    train_test: tuple[int, int] | None = None,
    level: float = 0.95,
) -> Comparisons:
    """Compare figures of several methods, each measured over several runs.

    Args:
        scores: by the method's name the figure of each run, as stored: accuracies 0 to 1.
        metric: what the figure is, see `hsi_suite.metrics.measures`.
        paired: whether the k-th run of every method used the same split; its differences are then
            tested, by the t test corrected for overlapping training parts (Nadeau and Bengio 2003).
        train_test: training and test items of such a split, which that correction needs.
        level: coverage of the intervals; p values are adjusted over all pairs (Holm).

    Raises:
        ShapeError: fewer than two methods, or paired runs of different numbers.
        ConfigError: the level is not between 0 and 1.

    >>> found = compare({"a": [0.91, 0.92, 0.90, 0.91], "b": [0.81, 0.83, 0.80, 0.82]})
    >>> str(found).partition(" (")[0]
    'a has a higher overall accuracy than b, by 9.50 points'
    """
    if len(scores) < 2:
        raise ShapeError("scores", f"{len(scores)} methods", "at least two")
    if paired and len({len(values) for values in scores.values()}) > 1:
        raise ShapeError("scores", "different numbers of runs", "the same splits for each method")
    groups = [
        RunGroup(
            name,
            list(values),
            [str(k) if paired else f"{name} {k}" for k in range(len(values))],
            counts=train_test,
        )
        for name, values in scores.items()
    ]
    return Comparisons(compare_groups(groups, metric, level=level))
