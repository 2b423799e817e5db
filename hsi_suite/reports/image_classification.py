"""The page of a classifier of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .content import Metrics, count
from .figures import confusion_figure
from .image_content import (
    has_top,
    image_class_rows,
    image_heading,
    image_remarks,
    image_score_rows,
    image_split_rows,
)
from .page import Picture, chart, curves_chart, flat_rows, photograph, render_page, seed_rows


@dataclass(frozen=True)
class ImageClassificationReport:
    """What the page of a run is made of.

    Attributes:
        metrics: the content of metrics.json.
        history: a row of figures for each epoch.
        environment: versions, device and threads, possibly nested.
        seeds: the seed of each stream.
        config_text: the resolved configuration, YAML.
        command: the command line that makes the run again.
        cost: time and memory.
        mistakes: PNG of the images classified wrongly, at twice its size; None where all are
            right.
    """

    metrics: Metrics
    history: Sequence[Mapping[str, Any]]
    environment: Mapping[str, Any]
    seeds: Mapping[str, Any]
    config_text: str
    command: str
    cost: Mapping[str, Any]
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
        "seeds": seed_rows(content.seeds),
        "environment": flat_rows(content.environment),
        "config_text": content.config_text.rstrip(),
        "command": content.command.strip(),
        "cost": flat_rows(content.cost),
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
