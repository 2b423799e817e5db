"""The figures of tasks that are scored class by class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...metrics.summary import OVERALL, flatten_scores
from ...runs.figures import percent_text
from ...runs.task import Figures, Metrics, Task

_TOP = "top_5_accuracy"


class ScoredByClass(Task):
    """A task whose test figures are those of a confusion matrix."""

    def figures(self, metrics: Metrics) -> Figures:
        """Those over all classes first, then recall, precision and F1 of every class."""
        return _figures(metrics["test"])

    def baseline_figures(self, metrics: Metrics) -> dict[str, Figures]:
        """See `Task`."""
        baselines = sorted(metrics.get("baselines", {}).items())
        return {name: _figures(scores) for name, scores in baselines}

    def headline(self, metrics: Metrics) -> list[str]:
        """See `Task`."""
        return [*OVERALL, *([_TOP] if _TOP in metrics["test"] else [])]

    def compared(self, result: Mapping[str, Any]) -> list[str]:
        """See `Task`."""
        test, stored = result["test"], result["stored"]
        return [
            f"{name:18} {percent_text(test[name])}   stored {percent_text(stored[name])}"
            for name in OVERALL
        ]


def _figures(scores: Metrics) -> Figures:
    extra = {_TOP: scores[_TOP]} if _TOP in scores else {}
    flat = flatten_scores(scores)
    overall = {name: flat.pop(name) for name in OVERALL}
    return {**overall, **extra, **flat}
