"""The page of a classifier of images."""

from __future__ import annotations

from dataclasses import dataclass

from ..confusions import confusion_part
from ..content import MOST_CLASSES, classes_note, count
from ..page import Picture, RunPage, curves_chart, photograph, render_page
from .content import (
    image_class_rows,
    image_heading,
    image_measures,
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
        "columns": [each.heading for each in image_measures(metrics)],
        "mistakes": _mistakes(content),
        "classes": image_class_rows(metrics, MOST_CLASSES),
        "classes_note": classes_note(metrics, MOST_CLASSES),
        "confusion": confusion_part(metrics, "images"),
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
