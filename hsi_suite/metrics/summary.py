"""Mean and spread of metrics over repeated runs."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from .measures import of_classifiers

PER_CLASS = ("recall", "precision", "f1")


class Summary(TypedDict):
    """One metric over runs.

    Attributes:
        mean: None when no run has a value.
        std: sample standard deviation (divisor n - 1); None with fewer than two values.
        n: number of runs with a value.
        min: lowest value, None without one.
        max: highest value, None without one.
    """

    mean: float | None
    std: float | None
    n: int
    min: float | None
    max: float | None


def summarise(rows: Sequence[Mapping[str, float | None]]) -> dict[str, Summary]:
    """Summarise each metric over the runs that have it.

    Args:
        rows: for each run its metrics by name. A value that is missing, None or NaN is undefined
            in that run and not counted.

    Returns:
        A summary for each name that occurs, in order of first occurrence.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _summary([row.get(name) for row in rows]) for name in names}


def _summary(values: Sequence[float | None]) -> Summary:
    # The statistics module sums exactly: equal runs have a deviation of 0.0, not of 1e-17.
    known = [float(v) for v in values if v is not None and not math.isnan(v)]
    return {
        "mean": statistics.mean(known) if known else None,
        "std": statistics.stdev(known) if len(known) > 1 else None,
        "n": len(known),
        "min": min(known, default=None),
        "max": max(known, default=None),
    }


def flatten_scores(scores: Mapping[str, Any]) -> dict[str, float | None]:
    """The scores of `ClassificationScores.to_dict` side by side, one row for `summarise`.

    Returns:
        Those over all classes that the scores hold (`of_classifiers`), then recall/NAME,
        precision/NAME and f1/NAME for each class. Classes that share a name are distinguished by a
        number.
    """
    names = _distinct([entry["name"] for entry in scores["per_class"]])
    row: dict[str, float | None] = {
        each.name: scores[each.name] for each in of_classifiers() if each.name in scores
    }
    for metric in PER_CLASS:
        for name, entry in zip(names, scores["per_class"], strict=True):
            row[f"{metric}/{name}"] = entry[metric]
    return row


def _distinct(names: Sequence[str]) -> list[str]:
    times = Counter(names)
    return [
        name if times[name] == 1 else f"{name} ({number})" for number, name in enumerate(names, 1)
    ]
