"""A classifier of images on the terminal, in 80 columns."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..content import MOST_CLASSES_TERMINAL, Metrics, classes_note
from ..tables import new_table, remarks_grid, spaced
from .content import (
    image_class_rows,
    image_heading,
    image_measures,
    image_remarks,
    image_score_rows,
    image_split_rows,
)


def image_classification_summary(metrics: Metrics) -> Group:
    """Everything about a run, the remarks last: nearest to the prompt.

    Args:
        metrics: the content of a run's metrics.json.
    """
    return Group(
        spaced(_scores(metrics)),
        spaced(_classes(metrics)),
        spaced(_split(metrics)),
        remarks_grid(image_remarks(metrics)),
    )


def _scores(metrics: Metrics) -> Table:
    table = new_table(image_heading(metrics))
    table.add_column("", min_width=16)
    columns = image_measures(metrics)
    for title in ("images", *(each.short_heading for each in columns), "OA, 95 % interval"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in image_score_rows(metrics):
        # Text, not str: names are not markup.
        table.add_row(*map(Text, (row.name, row.images, *row.figures, row.interval)))
    return table


def _classes(metrics: Metrics) -> Table:
    note = classes_note(metrics, MOST_CLASSES_TERMINAL)
    table = new_table(f"classes, test images. {note}" if note else "classes, test images")
    table.add_column("class", max_width=30, overflow="ellipsis", no_wrap=True)
    for title in ("train", "test", "precision", "recall", "F1"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in image_class_rows(metrics, MOST_CLASSES_TERMINAL):
        table.add_row(*map(Text, row))
    return table


def _split(metrics: Metrics) -> Table:
    table = new_table("parts", show_header=False)
    table.add_column(style="dim", max_width=30)
    table.add_column(max_width=46)
    for row in image_split_rows(metrics):
        table.add_row(*map(Text, row))
    return table
