"""Scores of several models on the same folds: which is best, and how sure that is.

All folds are scored together, and the interval of a difference comes from leaving out one fold at
a time, for both models alike (`area_scores.jackknife`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .area_scores import LEVEL, jackknife

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FoldCounts:
    """What a model said of the test pixels of each fold.

    Attributes:
        hits: right answers, folds × classes.
        support: pixels, folds × classes.
    """

    hits: Counts
    support: Counts

    def score(self, kind: str, without: int | None = None) -> float:
        """A score of all folds together, or of all but one.

        Args:
            kind: overall_accuracy, average_accuracy (over the classes that are tested), or mean:
                of both.
            without: the fold that is left out.
        """
        kept = np.arange(len(self.hits)) != without
        hits, support = self.hits[kept].sum(0), self.support[kept].sum(0)
        tested = support > 0
        if not tested.any():
            return float("nan")
        overall = float(hits.sum() / support.sum())
        average = float((hits[tested] / support[tested]).mean())
        return {
            "overall_accuracy": overall,
            "average_accuracy": average,
            "mean": (overall + average) / 2,
        }[kind]

    def of_fold(self, fold: int) -> FoldCounts:
        """One fold alone."""
        return FoldCounts(self.hits[[fold]], self.support[[fold]])


def best_of(counts: Mapping[str, FoldCounts], kind: str) -> str:
    """The name of the model with the best score; of equal ones the first."""
    return max(counts, key=lambda name: counts[name].score(kind))


def first_of(counts: Mapping[str, FoldCounts], kind: str) -> str:
    """The name of the first model that is not told apart from the best."""
    best = counts[best_of(counts, kind)]
    return next(name for name, each in counts.items() if not behind(best, each, kind)["apart"])


def behind(best: FoldCounts, other: FoldCounts, kind: str) -> dict[str, Any]:
    """By how much a model scores less than the best, with its interval.

    Returns:
        value, low, high (None where nothing tells), and "apart": whether the interval leaves out
        0. Models whose answers are right for equally many pixels everywhere are not apart.
    """
    value = best.score(kind) - other.score(kind)
    folds: Sequence[int] = range(len(best.hits))
    without = np.array([best.score(kind, each) - other.score(kind, each) for each in folds])
    found = jackknife(value, without, LEVEL)
    if found is None:
        return {"value": value, "low": None, "high": None, "apart": False}
    return {
        "value": value,
        "low": found.low,
        "high": found.high,
        "apart": not found.low <= 0 <= found.high,
    }
