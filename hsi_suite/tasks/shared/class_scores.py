"""The scores of tasks that are scored class by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...metrics.measures import measure, of_classifiers
from ...metrics.probabilities import PROBABILITY_SCORES
from ...metrics.summary import flatten_scores
from ...runs.task import Metrics, Scores, Task

if TYPE_CHECKING:
    from ...engine.observer import Observer
    from ...reports.paper.figure import PaperFigure
    from ...runs.pages import PageFacts

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

    def figures(self, facts: PageFacts, observer: Observer) -> list[PaperFigure]:
        """Those of its page, and the scores of each class."""
        from ...reports.class_figures import class_figure

        return [*super().figures(facts, observer), class_figure(facts.metrics)]

    def compared(self, result: Mapping[str, Any]) -> list[str]:
        """See `Task`."""
        test, stored = result["test"], result["stored"]
        names = (*overall_names(test), *(name for name in PROBABILITY_SCORES if name in test))
        width = max(18, *(len(measure(name).title) for name in names))
        lines = [
            f"{kind.title:{width}} {kind.with_unit(test[name])}   "
            f"stored {kind.with_unit(stored.get(name))}"
            for name in names
            for kind in [measure(name)]
        ]
        kept = (result.get("probabilities") or {}).get("kept")
        return lines if kept is None else [*lines, _surest_text(kept["accuracy"])]

    def told_together(self, result: Mapping[str, Any]) -> list[str]:
        """See `Task`."""
        from ...reports.joint_scores import joint_lines

        test = result["test"]
        names = (*overall_names(test), *(name for name in PROBABILITY_SCORES if name in test))
        return joint_lines(result, names)


def overall_names(scores: Metrics) -> list[str]:
    """The names of the scores over all classes that there are, the most important one first."""
    names = (*(each.name for each in of_classifiers()), _TOP)
    return [name for name in names if name in scores]


def _scores(scores: Metrics) -> Scores:
    names = (*overall_names(scores), *(name for name in PROBABILITY_SCORES if name in scores))
    return {**{name: scores[name] for name in names}, **flatten_scores(scores)}


def _surest_text(kept: Sequence[tuple[float, float, float]]) -> str:
    """The accuracy of the surest pixels in one line."""
    accuracy = measure("overall_accuracy")
    parts = (
        f"{accuracy.with_unit(value)} of the surest {100 * share:.0f} %"
        for share, value, _ in kept
        if share < 1
    )
    return f"right are {', '.join(parts)}"
