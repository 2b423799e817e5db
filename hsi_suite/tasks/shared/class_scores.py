"""The scores of tasks that are scored class by class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...metrics.measures import measure, of_classifiers
from ...metrics.summary import flatten_scores
from ...runs.task import Metrics, Scores, Task

_TOP = "top_5_accuracy"


class ScoredByClass(Task):
    """A task whose test scores are those of a confusion matrix."""

    def scores(self, metrics: Metrics) -> Scores:
        """Those over all classes first, then recall, precision and F1 of every class."""
        return _scores(metrics["test"])

    def baseline_scores(self, metrics: Metrics) -> dict[str, Scores]:
        """See `Task`."""
        baselines = sorted(metrics.get("baselines", {}).items())
        return {name: _scores(scores) for name, scores in baselines}

    def headline(self, metrics: Metrics) -> list[str]:
        """See `Task`."""
        return overall_names(metrics["test"])

    def compared(self, result: Mapping[str, Any]) -> list[str]:
        """See `Task`."""
        test, stored = result["test"], result["stored"]
        return [
            f"{kind.title:18} {kind.with_unit(test[name])}   "
            f"stored {kind.with_unit(stored.get(name))}"
            for name in overall_names(test)
            for kind in [measure(name)]
        ]


def overall_names(scores: Metrics) -> list[str]:
    """The names of the scores over all classes that there are, the most important one first."""
    names = (*(each.name for each in of_classifiers()), _TOP)
    return [name for name in names if name in scores]


def _scores(scores: Metrics) -> Scores:
    overall = {name: scores[name] for name in overall_names(scores)}
    return {**overall, **flatten_scores(scores)}
