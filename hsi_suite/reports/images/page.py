"""The page of a classifier of images."""

from __future__ import annotations

from dataclasses import dataclass

from ..content import Metrics, count
from ..figures import confusion_figure
from ..page import Picture, RunPage, chart, curves_chart, photograph, render_page
from .content import (
    has_top,
    image_class_rows,
    image_heading,
    image_remarks,
    image_score_rows,
    image_split_rows,
)


@dataclass(frozen=True)
class ImageClassificationReport(RunPage):
    """What the page of a run is made of, beside what all pages are.

    Attributes:
        mistakes: PNG of the images classified wrongly, at twice its size; None where all are
            right.
    """

    mistakes: bytes | None


def image_classification_report(content: ImageClassificationReport) -> str:
    """The page as HTML text: no script, nothing loaded, readable in light, dark and print."""
    metrics = content.metrics
    values = {
        "title": f"{image_heading(metrics)}, seed {metrics['seed']}",
        "lead": f"Image classification · {count(metrics['parameters'])} parameters",
        "remarks": image_remarks(metrics),
        "scores": image_score_rows(metrics),
        "top": has_top(metrics),
        "mistakes": _mistakes(content),
        "classes": image_class_rows(metrics),
        "confusion": _confusion(metrics),
        "confusion_rows": metrics["test"]["confusion_matrix"],
        "curves": curves_chart(content.history, metrics["epoch"]),
        "split": image_split_rows(metrics),
        **content.common_values(),
    }
    return render_page("image_classification.html", values)


def _mistakes(content: ImageClassificationReport) -> Picture | None:
    if content.mistakes is None:
        return None
    caption = (
        "Test images classified wrongly, the surest answers first: the true class, what it was "
        "taken for, the probability of that answer against that of the truth."
    )
    return photograph(content.mistakes, f"A grid of images. {caption}", caption)


def _confusion(metrics: Metrics) -> Picture:
    matrix = metrics["test"]["confusion_matrix"]
    figure = confusion_figure(matrix, [entry["name"] for entry in metrics["classes"]])
    hits = sum(row[index] for index, row in enumerate(matrix))
    alt = (
        f"Confusion matrix: {count(hits)} of {count(metrics['test']['num_images'])} test images "
        "on the diagonal."
    )
    caption = (
        "Test images by true class (rows) and predicted class (columns); the darker a cell, the "
        "larger its share of the true class, with small shares lifted to be seen."
    )
    return chart(figure, alt, caption)
