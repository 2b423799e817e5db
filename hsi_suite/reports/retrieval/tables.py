"""A retriever on the terminal, in 80 columns."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..content import Metrics
from ..tables import new_table, remarks_grid, spaced
from .content import (
    direction_words,
    figure_rows,
    method_rows,
    retrieval_heading,
    retrieval_remarks,
    setting_rows,
)


def retrieval_summary(metrics: Metrics) -> Group:
    """Everything about a run, the remarks last: nearest to the prompt.

    Args:
        metrics: the content of a run's metrics.json.
    """
    return Group(
        spaced(_settings(metrics)),
        spaced(_figures(metrics)),
        spaced(_methods(metrics)),
        remarks_grid(retrieval_remarks(metrics)),
    )


def _directions(metrics: Metrics) -> list[str]:
    return [direction_words(direction, metrics["pair"]) for direction in metrics["directions"]]


def _methods(metrics: Metrics) -> Table:
    table = new_table("mean average precision, %")
    table.add_column("", max_width=34)
    for words in _directions(metrics):
        table.add_column(words, justify="right", max_width=20)
    for row in method_rows(metrics):
        # Text, not str: names are not markup.
        cells = map(Text, (row.name, *row.figures[:2]))
        table.add_row(*cells, style="bold" if row.own else None)
    return table


def _figures(metrics: Metrics) -> Table:
    table = new_table(retrieval_heading(metrics))
    table.add_column("", max_width=34)
    for words in _directions(metrics):
        table.add_column(words, justify="right", max_width=20)
    for row in figure_rows(metrics):
        table.add_row(*map(Text, row))
    return table


def _settings(metrics: Metrics) -> Table:
    table = new_table("pairs", show_header=False)
    table.add_column(style="dim", max_width=28)
    table.add_column(max_width=48)
    for row in setting_rows(metrics):
        table.add_row(*map(Text, row))
    return table
