"""Scores of maps with intervals that know how alike the pixels of one field are.

Pixels of a field are right or wrong together, so that an interval from the number of pixels is far
too narrow. Here whole areas are left out one at a time (delete-one jackknife over clusters), and
Student's t has as many degrees of freedom as there are areas, less one: the estimator that
MacKinnon, Nielsen and Webb call CV3 ("Cluster-robust inference: a guide to empirical practice",
Journal of Econometrics 232, 2023, equation 9), which holds up best where areas are few or unequal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .confusion import Confusion, Counts
from .measures import MEASURES
from .overall import average_accuracy, cohen_kappa, overall_accuracy
from .statistics import Interval, check_level, t_factor, within

LEVEL = 0.95
METHOD = "jackknife over areas"
NAMES = ("overall_accuracy", "average_accuracy", "cohen_kappa")
Values = NDArray[np.float64]
Ids = NDArray[np.integer]


@dataclass(frozen=True)
class AreaScore:
    """A score and its interval.

    Attributes:
        value: of all pixels; None where it is undefined.
        interval: None with fewer than two areas, or where leaving out any changes nothing.
    """

    value: float | None
    interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: value, low and high, None where undefined."""
        low, high = (
            (None, None) if self.interval is None else (self.interval.low, self.interval.high)
        )
        return {"value": self.value, "low": low, "high": high}


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Scores of one set of answers, and what they are without each of the areas.

    Attributes:
        values: of all pixels, by the names of `NAMES`; None where undefined.
        without: by the same names, one value for each area, NaN where undefined.
    """

    values: Mapping[str, float | None]
    without: Mapping[str, Values]

    def scores(self, level: float = LEVEL) -> dict[str, AreaScore]:
        """Every score with its interval."""
        return {
            name: AreaScore(value, None if value is None else _limits(name, value, self, level))
            for name, value in self.values.items()
        }

    def minus(self, other: LeftOut, level: float = LEVEL) -> dict[str, AreaScore]:
        """By how much every score is above that of other answers for the same pixels and areas."""
        found = {}
        for name, value in self.values.items():
            theirs = other.values[name]
            if value is None or theirs is None:
                found[name] = AreaScore(None, None)
                continue
            without = self.without[name] - other.without[name]
            found[name] = AreaScore(value - theirs, jackknife(value - theirs, without, level))
        return found


def area_scores(truth: Ids, answers: Ids, areas: Ids, num_classes: int) -> LeftOut:
    """Overall accuracy, average accuracy and κ of answers, whole and without each area.

    Args:
        truth: true classes of N pixels, indices 0 … num_classes - 1.
        answers: of the same pixels, likewise; at least one.
        areas: the area of each pixel, any whole numbers.
        num_classes: number of classes.

    Raises:
        ShapeError: the arrays differ in shape, or an index is outside.
    """
    counts = Confusion.of(truth, answers, num_classes)
    names, area = np.unique(areas, return_inverse=True)
    hits = truth == answers
    size = np.bincount(area, minlength=len(names)).astype(np.float64)
    right = np.bincount(area, hits, len(names))
    left = len(truth) - size
    given = _Pairs.of(area, truth, num_classes, hits)
    with np.errstate(invalid="ignore", divide="ignore"):
        overall = (int(counts.hits.sum()) - right) / left
        without = {
            "overall_accuracy": overall,
            "average_accuracy": _averages(counts, given, len(names)),
            "cohen_kappa": _kappas(
                counts, given, _Pairs.of(area, answers, num_classes, hits), overall, left
            ),
        }
    values = {
        "overall_accuracy": overall_accuracy(counts),
        "average_accuracy": average_accuracy(counts),
        "cohen_kappa": cohen_kappa(counts),
    }
    return LeftOut(values, without)


def jackknife(value: float, without: Values, level: float = LEVEL) -> Interval | None:
    """The interval of an estimate from what it is without each of the areas.

    Args:
        value: of all areas.
        without: without each; areas without which it is undefined do not count.
        level: nominal coverage.

    Returns:
        None for fewer than two areas, or where none changes the estimate.
    """
    check_level(level)
    known = without[np.isfinite(without)]
    count = len(known)
    if count < 2 or not (spread := float(((known - value) ** 2).sum())) > 0:
        return None
    # t_factor divides by the root of the number, which is here in the variance.
    half = t_factor(count, level) * math.sqrt((count - 1) * spread)
    return Interval(value - half, value + half, METHOD)


def _limits(name: str, value: float, left: LeftOut, level: float) -> Interval | None:
    known = MEASURES[name]
    found = jackknife(value, left.without[name], level)
    return None if found is None else within(found, known.floor, known.ceiling)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """How many pixels of each class each area has, where it has any."""

    keys: Counts
    area: Counts
    cls: Counts
    count: Values
    hits: Values

    @classmethod
    def of(cls, area: Ids, classes: Ids, num_classes: int, hits: NDArray[np.bool_]) -> _Pairs:
        places = area.astype(np.int64) * num_classes + classes
        keys, which, counts = np.unique(places, return_inverse=True, return_counts=True)
        found = np.bincount(which, hits, len(keys))
        first, second = np.divmod(keys, num_classes)
        return cls(keys, first, second, counts.astype(np.float64), found.astype(np.float64))


def _averages(counts: Confusion, given: _Pairs, areas: int) -> Values:
    support, hits = counts.support.astype(np.float64), counts.hits.astype(np.float64)
    recall = np.divide(hits, support, out=np.zeros_like(hits), where=support > 0)
    left = support[given.cls] - given.count
    gone = left == 0
    new = np.where(gone, 0.0, (hits[given.cls] - given.hits) / left)
    total = recall.sum() + np.bincount(given.area, new - recall[given.cls], areas)
    found: Values = total / ((support > 0).sum() - np.bincount(given.area, gone, areas))
    return found


def _kappas(
    counts: Confusion, given: _Pairs, answered: _Pairs, overall: Values, left: Values
) -> Values:
    support, answers = counts.support.astype(np.float64), counts.answered.astype(np.float64)
    chance = np.full(len(left), support @ answers)
    chance -= np.bincount(given.area, given.count * answers[given.cls], len(left))
    chance -= np.bincount(answered.area, answered.count * support[answered.cls], len(left))
    _, first, second = np.intersect1d(
        given.keys, answered.keys, assume_unique=True, return_indices=True
    )
    both = given.count[first] * answered.count[second]
    chance += np.bincount(given.area[first], both, len(left))
    expected: Values = chance / left**2
    found: Values = (overall - expected) / (1 - expected)
    return found
