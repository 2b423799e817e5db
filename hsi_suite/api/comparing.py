"""Is A really better than B: figures of several runs, compared with tests that fit them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ..arguments import checked
from ..errors import ConfigError, ShapeError
from ..metrics.group_comparisons import GroupComparison, RunGroup, compare_groups
from ..runs.batches.files import Batch
from ..runs.comparison import Contest
from ..runs.comparison import compare as compare_runs
from ..runs.folder import Run
from ..shown import Rows, Shown
from .arguments import RunLike, folder_of

Scores = Mapping[str, Sequence[float] | NDArray[np.floating[Any]]]


@dataclass(frozen=True, repr=False)
class Comparisons(Shown):
    """Every pair compared.

    Attributes:
        pairs: in the order of the names; each with difference, interval, tests, verdict.
    """

    pairs: Sequence[GroupComparison]

    def shown(self) -> tuple[str, Rows]:
        """The verdict on every pair, and what limits it."""
        rows = [("", pair.verdict) for pair in self.pairs]
        notes = dict.fromkeys(note for pair in self.pairs for note in pair.comparison.notes)
        title = f"Comparison, {len(rows)} {'pair' if len(rows) == 1 else 'pairs'}"
        return title, [*rows, *(("note", note) for note in notes)]

    def __str__(self) -> str:
        """The verdicts, a sentence each."""
        return "\n".join(pair.verdict for pair in self.pairs)


@overload
def compare(
    scores: Scores,
    metric: str | None = None,
    *,
    paired: bool = False,
    train_test: tuple[int, int] | None = None,
    level: float = 0.95,
) -> Comparisons: ...
@overload
def compare(
    scores: RunLike | Batch | Sequence[RunLike | Batch], metric: str | None = None
) -> Contest: ...
@checked
def compare(
    scores: Scores | RunLike | Batch | Sequence[RunLike | Batch],
    metric: str | None = None,
    *,
    paired: bool = False,
    train_test: Sequence[int] | None = None,
    level: float = 0.95,
) -> Comparisons | Contest:
    """Compare figures of several methods, each measured over several runs, or runs themselves.

    Args:
        scores: by the method's name the figure of each run, as stored: accuracies 0 to 1. Or runs
            and batches (what `train` and `batch` return, or folders): those that differ by their
            seeds alone are repetitions, as for `hsi compare`.
        metric: what the figure is, see `hsi_suite.metrics.measure`; None: overall accuracy, of runs
            the first figure of their task.
        paired: whether the k-th run of every method used the same split; its differences are then
            tested, by the t test corrected for overlapping training parts (Nadeau and Bengio 2003).
        train_test: training and test items of such a split, which that correction needs.
        level: coverage of the intervals; p values are adjusted over all pairs (Holm).

    Raises:
        ShapeError: fewer than two methods, paired runs of different numbers, or no figures.
        ConfigError: the level is not between 0 and 1.
        RunError: a folder holds no finished run, or a damaged one.

    >>> found = compare({"a": [0.91, 0.92, 0.90, 0.91], "b": [0.81, 0.83, 0.80, 0.82]})
    >>> str(found).partition(" (")[0]
    'a has a higher overall accuracy than b, by 9.50 points'
    """
    if not isinstance(scores, Mapping):
        if paired or train_test is not None or level != 0.95:
            found = "given with runs, which know it themselves"
            raise ConfigError("paired, train_test, level", found, "scores by name")
        given: list[RunLike | Batch]
        given = [scores] if isinstance(scores, str | os.PathLike | Run | Batch) else list(scores)
        if not given:
            raise ConfigError("scores", "no runs", "runs or batches")
        paths = [each.path if isinstance(each, Batch) else folder_of(each) for each in given]
        return compare_runs(paths, metric=metric)
    if len(scores) < 2:
        raise ShapeError("scores", f"{len(scores)} methods", "at least two")
    figures = {name: _figures(str(name), values) for name, values in scores.items()}
    if paired and len({len(values) for values in figures.values()}) > 1:
        raise ShapeError("scores", "different numbers of runs", "the same splits for each method")
    counts = None if train_test is None else _two(train_test)
    groups = [
        RunGroup(
            name,
            values,
            [str(k) if paired else f"{name} {k}" for k in range(len(values))],
            counts=counts,
        )
        for name, values in figures.items()
    ]
    return Comparisons(compare_groups(groups, metric or "overall_accuracy", level=level))


def _figures(name: str, values: Sequence[float] | NDArray[np.floating[Any]]) -> list[float]:
    try:
        given = np.asarray(values, np.float64)
    except (ValueError, TypeError, RuntimeError):  # the last is torch's, of what has a gradient
        raise ShapeError(f"scores of {name}", "what is no number", "a figure of each run") from None
    if given.ndim != 1 or not given.size:
        found = f"an array of shape {given.shape}"
        raise ShapeError(f"scores of {name}", found, "a list with a figure of each run")
    if not np.isfinite(given).all():
        raise ShapeError(f"scores of {name}", "figures that are not finite", "numbers")
    return [float(value) for value in given]


def _two(counts: Sequence[int]) -> tuple[int, int]:
    if len(counts) != 2 or min(counts) < 1:
        raise ConfigError("train_test", f"{tuple(counts)}", "training items, test items")
    return counts[0], counts[1]
