"""The page of a retriever."""

from __future__ import annotations

from dataclasses import dataclass

from ...metrics.measures import measure
from ..content import count
from ..page import RunPage, chart, curves_chart, photograph, render_page
from .content import (
    MAP,
    class_rows,
    direction_words,
    figure_rows,
    method_rows,
    retrieval_heading,
    retrieval_remarks,
    setting_rows,
)
from .figures import precision_recall_figure


@dataclass(frozen=True)
class RetrievalReport(RunPage):
    """What the page of a run is made of, beside what all pages are.

    Attributes:
        projection: PNG of the common space, at twice its size; None leaves it out.
    """

    projection: bytes | None


def retrieval_report(content: RetrievalReport) -> str:
    """The page as HTML text: no script, nothing loaded, readable in light, dark and print."""
    metrics = content.metrics
    directions = [direction_words(name, metrics["pair"]) for name in metrics["directions"]]
    curves = [metrics["test"][name][MAP] for name in metrics["directions"]]
    said = " and ".join(
        f"{words} {measure(MAP).with_unit(value)}"
        for words, value in zip(directions, curves, strict=True)
    )
    recall = (
        f"Precision against recall, averaged over the queries; mean average precision {said}. "
        "The dashed line is what random rankings reach on average."
    )
    plane = (
        "Test items of both modalities, as they lie in the common space, on its first two "
        "principal components. Items of one class should lie together in both panels."
    )
    values = {
        "title": f"{retrieval_heading(metrics)}, seed {metrics['seed']}",
        "lead": (
            f"Cross-modal retrieval · {count(metrics['parameters'])} parameters · "
            f"{metrics['embedding_size']} dimensions"
        ),
        "remarks": retrieval_remarks(metrics),
        "directions": directions,
        "methods": method_rows(metrics),
        "figures": figure_rows(metrics),
        "recall": chart(precision_recall_figure(metrics), f"A chart. {recall}", recall),
        "projection": None
        if content.projection is None
        else photograph(content.projection, f"Two scatter plots. {plane}", plane),
        "curves": curves_chart(content.history, metrics["epoch"]),
        "classes": class_rows(metrics),
        "settings": setting_rows(metrics),
        **content.common_values(),
    }
    return render_page("retrieval.html", values)
