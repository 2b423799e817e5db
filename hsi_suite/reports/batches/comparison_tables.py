"""Groups of runs and the verdicts between them, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...metrics.measure import Measure
from ...metrics.measures import measure
from ...printable import UNDEFINED
from ..document import Block, Paragraph, Remark, Remarks, Table, Value, columns


def contest_blocks(contest: Mapping[str, Any]) -> list[Block]:
    """Figures of every group, a verdict for every pair, and what limits them.

    Args:
        contest: level, groups, comparisons and notes, as `hsi compare --json` prints them.
    """
    groups = contest["groups"]
    metrics = list(dict.fromkeys(group["metric"] for group in groups))
    blocks: list[Block] = [
        groups_table([g for g in groups if g["metric"] == metric], metric, contest["level"])
        for metric in metrics
    ]
    verdicts = [Remark(found["verdict"]) for found in contest["comparisons"]]
    blocks += [Remarks(verdicts)] if verdicts else []
    limits = [note for found in contest["comparisons"] for note in found["notes"]]
    limits += [note for group in groups for note in group["figures"]["notes"]]
    notes = dict.fromkeys([*contest["notes"], *limits])
    return [*blocks, *(Paragraph(f"{note[:1].upper()}{note[1:]}.", "soft") for note in notes)]


def groups_table(groups: Sequence[Mapping[str, Any]], metric: str, level: float) -> Table:
    """Number of runs, mean, standard deviation and t interval of each group."""
    figure = measure(metric)
    rows: list[list[Value]] = [
        [
            group["name"],
            group["figures"]["n"],
            figure.with_unit(group["figures"]["mean"]),
            figure.size_with_points(group["figures"]["std"]),
            _interval(figure, group["figures"]["interval"]),
        ]
        for group in groups
    ]
    heads = columns("", "n", "mean", "± std", f"{100 * level:g} % of the mean")
    return Table(f"{figure.title} over n runs", heads, rows)


def _interval(figure: Measure, interval: Mapping[str, Any] | None) -> str:
    if interval is None:
        return UNDEFINED
    low, high = (figure.end_text(interval[side]) for side in ("low", "high"))
    return f"{low} to {high} {figure.unit}".strip()
