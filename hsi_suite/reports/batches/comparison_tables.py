"""Groups of runs and the verdicts between them, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ...metrics.measure import Measure
from ...metrics.measures import measure
from ...printable import UNDEFINED, plain
from ..tables import new_table, remarks_grid, spaced
from ..verdict import Remark


def contest_summary(contest: Mapping[str, Any]) -> Group:
    """Figures of every group, a verdict for every pair, and what limits them.

    Args:
        contest: level, groups, comparisons and notes, as `hsi compare --json` prints them.
    """
    groups = contest["groups"]
    metrics = list(dict.fromkeys(group["metric"] for group in groups))
    parts: list[Padding] = [
        groups_table([g for g in groups if g["metric"] == metric], metric, contest["level"])
        for metric in metrics
    ]
    verdicts = [Remark(found["verdict"], warning=False) for found in contest["comparisons"]]
    parts += [Padding(remarks_grid(verdicts), (0, 0, 1, 0))] if verdicts else []
    limits = [note for found in contest["comparisons"] for note in found["notes"]]
    limits += [note for group in groups for note in group["figures"]["notes"]]
    notes = list(dict.fromkeys([*contest["notes"], *limits]))
    if notes:
        parts.append(_notes(notes))
    return Group(*parts)


def groups_table(groups: Sequence[Mapping[str, Any]], metric: str, level: float) -> Padding:
    """Number of runs, mean, standard deviation and t interval of each group."""
    figure = measure(metric)
    table = new_table(f"{figure.title} over n runs")
    table.add_column("", max_width=40, overflow="fold")
    for title in ("n", "mean", "± std", f"{100 * level:g} % of the mean"):
        table.add_column(title, justify="right", no_wrap=True)
    for group in groups:
        found = group["figures"]
        table.add_row(
            Text(plain(group["name"])),
            Text(str(found["n"])),
            Text(figure.with_unit(found["mean"])),
            Text(figure.size_with_points(found["std"])),
            Text(_interval(figure, found["interval"])),
        )
    return spaced(table)


def _interval(figure: Measure, interval: Mapping[str, Any] | None) -> str:
    if interval is None:
        return UNDEFINED
    low, high = (figure.end_text(interval[side]) for side in ("low", "high"))
    return f"{low} to {high} {figure.unit}".strip()


def _notes(notes: Sequence[str]) -> Padding:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(max_width=78)
    for note in notes:
        grid.add_row(Text(plain(f"{note[:1].upper()}{note[1:]}."), style="dim"))
    return Padding(grid, (0, 0, 0, 1), expand=False)
