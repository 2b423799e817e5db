"""Tables for the terminal, made for 80 columns; plain text where the output is no terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..metrics.measure import Measure
from ..metrics.measures import measure
from ..metrics.summary import PER_CLASS
from ..printable import plain, safe_line
from .content import (
    MOST_CLASSES_TERMINAL,
    Metrics,
    audit_rows,
    class_rows,
    classes_note,
    count,
    heading,
    overall_measures,
    score_rows,
    split_rows,
)
from .fitting_table import FittingTable
from .verdict import Remark, verdict

_STYLES = {"model": "bold", "baseline": "", "other": "dim"}


def classification_summary(metrics: Metrics) -> Group:
    """Everything about a run, the verdict last: nearest to the prompt.

    Args:
        metrics: the content of a run's metrics.json.
    """
    return Group(
        metrics_table(metrics),
        class_table(metrics),
        split_table(metrics),
        verdict_text(metrics),
    )


def metrics_table(metrics: Metrics) -> Padding:
    """The figures over all classes beside those of the baselines."""
    table = new_table(heading(metrics))
    table.add_column("", min_width=26)
    columns = overall_measures(metrics["test"])
    for title in ("pixels", *(each.short_heading for each in columns)):
        table.add_column(title, justify="right", no_wrap=True)
    rows = score_rows(metrics)
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        cells = (row.name, row.pixels, *row.figures)
        last = following is None or following.kind != row.kind
        _add(table, *cells, style=_STYLES[row.kind], end_section=last)
    return spaced(table)


def class_table(metrics: Metrics) -> Padding:
    """Precision, recall and F1 of each class, led by its colour in the map."""
    note = classes_note(metrics, MOST_CLASSES_TERMINAL)
    table = new_table(f"classes, test pixels. {note}" if note else "classes, test pixels")
    table.add_column("", no_wrap=True)
    table.add_column("class", max_width=30, overflow="ellipsis", no_wrap=True)
    for title in ("train", "test", "precision", "recall", "F1"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in class_rows(metrics, MOST_CLASSES_TERMINAL):
        table.add_row(
            Text("■", style=row.colour),
            Text(row.name),
            *(Text(cell) for cell in (row.train, row.test, row.precision, row.recall, row.f1)),
        )
    return spaced(table)


def split_table(metrics: Metrics) -> Padding:
    """How the pixels were divided and what that lets slip from training to test."""
    table = new_table("split and leakage audit", show_header=False)
    table.add_column(style="dim", max_width=43)
    table.add_column(max_width=40)
    for rows in (split_rows(metrics), audit_rows(metrics)):
        for number, (what, value) in enumerate(rows, 1):
            table.add_row(
                Text(safe_line(what)), Text(safe_line(value)), end_section=number == len(rows)
            )
    return spaced(table)


def verdict_text(metrics: Metrics) -> Padding:
    """The verdict in sentences, warnings marked."""
    return remarks_grid(verdict(metrics))


def remarks_grid(remarks: Sequence[Remark]) -> Padding:
    """Remarks below each other, warnings marked."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(max_width=76)
    for remark in remarks:
        mark = Text("!", style="bold red") if remark.warning else Text("·", style="dim")
        grid.add_row(mark, Text(plain(remark.text)))
    return Padding(grid, (0, 0, 0, 1), expand=False)


def runs_table(summary: Mapping[str, Mapping[str, Any]], title: str) -> Padding:
    """Mean ± standard deviation of each metric over repeated runs.

    Args:
        summary: of `metrics.summary.summarise` on rows of `flatten_scores`.
        title: what was repeated.
    """
    runs = max((entry["n"] for entry in summary.values()), default=0)
    table = new_table(f"{plain(title)}: mean ± std in %, n = {runs} runs")
    table.add_column("", max_width=36, overflow="ellipsis", no_wrap=True)
    for name in ("mean ± std", "lowest", "highest", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    recalls = {name: entry for name, entry in summary.items() if name.startswith("recall/")}
    overall = {
        name: entry for name, entry in summary.items() if name.partition("/")[0] not in PER_CLASS
    }
    means = {name: entry["mean"] for name, entry in recalls.items()}
    lowest = sorted(means, key=lambda name: (means[name] is None, means[name]))
    shown = set(lowest[:MOST_CLASSES_TERMINAL])
    classes = {name: entry for name, entry in recalls.items() if name in shown}
    if len(shown) < len(recalls):
        table.caption = f"The {len(shown)} classes of lowest recall out of {count(len(recalls))}."
    for group in (overall, classes):
        for number, (name, entry) in enumerate(group.items(), 1):
            figure = measure(name)
            extremes = (figure.text(entry["min"]), figure.text(entry["max"]), str(entry["n"]))
            cells = (figure.title, spread(figure, entry), *extremes)
            _add(table, *cells, end_section=number == len(group))
    return spaced(table)


def spread(figure: Measure, entry: Mapping[str, Any]) -> str:
    """Mean ± standard deviation, written; the mean alone where a deviation is undefined."""
    mean = figure.text(entry["mean"])
    if entry["mean"] is None or entry["std"] is None:
        return mean
    return f"{mean} ± {figure.size_text(entry['std'])}"


def new_table(title: str, show_header: bool = True) -> Table:
    """An empty table in the house's manner, its title in bold."""
    return FittingTable(
        title=Text(safe_line(title), style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD if show_header else box.SIMPLE,
        show_header=show_header,
        header_style="dim",
        padding=(0, 1),
        pad_edge=False,
        show_edge=False,
    )


def spaced(table: Table) -> Padding:
    """A table with an empty line after it."""
    return Padding(table, (0, 0, 1, 1), expand=False)


def _add(table: Table, *cells: str, style: str = "", end_section: bool = False) -> None:
    # Text, not str: names are not markup.
    table.add_row(*map(Text, map(safe_line, cells)), style=style, end_section=end_section)
