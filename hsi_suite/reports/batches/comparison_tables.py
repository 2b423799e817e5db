"""Groups of runs and the verdicts between them, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ...metrics.verdicts import difference_in_words, in_words, with_unit
from ...printable import plain
from ..content import UNDEFINED
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
    table = new_table(f"{in_words(metric)} over n runs")
    table.add_column("", max_width=40, overflow="fold")
    for title in ("n", "mean", "± std", f"{100 * level:g} % of the mean"):
        table.add_column(title, justify="right", no_wrap=True)
    for group in groups:
        found = group["figures"]
        table.add_row(
            Text(plain(group["name"])),
            Text(str(found["n"])),
            Text(_value(metric, found["mean"])),
            Text(UNDEFINED if found["std"] is None else difference_in_words(metric, found["std"])),
            Text(_interval(metric, found["interval"])),
        )
    return spaced(table)


def _value(metric: str, value: float | None) -> str:
    return UNDEFINED if value is None else with_unit(metric, value)


def _interval(metric: str, interval: Mapping[str, Any] | None) -> str:
    if interval is None:
        return UNDEFINED
    low, high = (with_unit(metric, interval[side]) for side in ("low", "high"))
    return f"{low.removesuffix(' %').removesuffix(' dB')} to {high}"


def _notes(notes: Sequence[str]) -> Padding:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(max_width=78)
    for note in notes:
        grid.add_row(Text(plain(f"{note[:1].upper()}{note[1:]}."), style="dim"))
    return Padding(grid, (0, 0, 0, 1), expand=False)
