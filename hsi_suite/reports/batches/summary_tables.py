"""The summary of a batch in the terminal: figures with intervals, verdicts, sources of spread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ...metrics.measures import measure
from ...printable import plain
from ..content import baseline_name, ordered_baselines, percent
from ..tables import new_table, remarks_grid, runs_table, spaced
from ..verdict import Remark
from .values import interval_text, level_text, spread_text
from .verdict import unverified_of

Summary = Mapping[str, Any]
_MOST_VERDICTS = 12
_SCORED_BY_CLASS = ("classification", "image_classification")


def summary_text(summary: Summary) -> Group:
    """Everything a batch's summary says that fits a terminal, the verdicts last.

    Args:
        summary: the content of a batch's summary.json.
    """
    return Group(*_parts(summary))


def _parts(summary: Summary) -> Iterator[RenderableType]:
    groups = summary["groups"]
    if len(groups) == 1 and groups[0]["task"] in _SCORED_BY_CLASS:
        yield runs_table(groups[0]["test"], groups[0]["name"])
    # Groups of one task are told by the same figures.
    for headline, members in groupby(groups, lambda group: group["headline"]):
        alike = list(members)
        yield headline_table(alike, headline[0], summary["level"])
        if len(headline) > 1:
            yield further_table(alike, headline[1:4])
    for entry in _told_shares(summary):
        yield shares_table(entry)
    yield remarks_grid(_remarks(summary))


def headline_table(groups: Sequence[Summary], metric: str, level: float) -> Padding:
    """One figure of every group and its baselines: mean, deviation, t interval, extremes."""
    table = new_table(measure(metric).heading)
    table.add_column("", max_width=28, overflow="fold")
    for title in ("n", "mean ± std", f"{level_text(level)} interval", "min … max"):
        table.add_column(title, justify="right", no_wrap=True)
    for name, figures, last in _rows(groups):
        entry = figures.get(metric)
        if entry is None:
            continue
        ends = f"{measure(metric).text(entry['min'])} … {measure(metric).text(entry['max'])}"
        cells = (str(entry["n"]), spread_text(metric, entry), interval_text(metric, entry), ends)
        table.add_row(*map(Text, (name, *cells)), end_section=last)
    return spaced(table)


def further_table(groups: Sequence[Summary], metrics: Sequence[str]) -> Padding:
    """Mean ± standard deviation of further figures."""
    table = new_table("mean ± standard deviation over the runs")
    table.add_column("", max_width=28, overflow="fold")
    for metric in metrics:
        table.add_column(measure(metric).heading, justify="right")
    for name, figures, last in _rows(groups):
        cells = [spread_text(metric, figures.get(metric)) for metric in metrics]
        table.add_row(*map(Text, (name, *cells)), end_section=last)
    return spaced(table)


def _rows(groups: Sequence[Summary]) -> Iterator[tuple[str, Summary, bool]]:
    for group in groups:
        baselines = ordered_baselines(group)
        yield plain(group["name"]), group["test"], not baselines
        for number, (key, figures) in enumerate(baselines.items(), 1):
            yield f"  {baseline_name(key)}", figures, number == len(baselines)


def _told_shares(summary: Summary) -> list[Summary]:
    """Of each training the figure that stands first, on every scale there is."""
    first: dict[str, str] = {}
    for entry in summary["variance"]:
        first.setdefault(entry["name"], entry["metric"])
    return [entry for entry in summary["variance"] if entry["metric"] == first[entry["name"]]]


def shares_table(entry: Summary) -> Group:
    """The spread of one figure by source of chance.

    Args:
        entry: of the summary's "variance".
    """
    metric, level = entry["metric"], level_text(entry["level"])
    logit = entry["scale"] == "logit"
    scale = "logit scale" if logit else measure(metric).heading
    table = new_table(f"where the spread comes from: {plain(entry['name'])} ({scale})")
    table.add_column("what varies", no_wrap=True)
    for title in ("runs", "std", f"{level} interval", "share %", f"{level} interval"):
        table.add_column(title, justify="right", no_wrap=True)

    def size(value: float | None) -> str:
        if not logit:
            return measure(metric).size_text(value)
        return "–" if value is None else f"{value:.4f}"

    def ends(interval: Mapping[str, float] | None, text: Any) -> str:
        return "–" if interval is None else f"{text(interval['low'])} … {text(interval['high'])}"

    for name, source in entry["sources"].items():
        _add(
            table,
            name,
            str(source["n"]),
            size(source["std"]),
            ends(source["std_interval"], size),
            percent(source["share"], 0),
            ends(source["share_interval"], lambda share: percent(share, 0)),
        )
    rest = entry["interaction_share"]
    _add(table, "interaction", "", "", "", "–" if rest is None else f"{100 * rest:.0f}", "")
    total = (size(entry["total_std"]), ends(entry["total_std_interval"], size))
    _add(table, "all together", str(entry["n"]), *total, "100", "")
    remarks = [Remark(plain(note), warning=True) for note in entry["notes"]]
    parts: list[RenderableType] = [remarks_grid(remarks), Text()] if remarks else []
    return Group(spaced(table), *parts)


def _add(table: Table, *cells: str) -> None:
    # Text, not str: names are not markup.
    table.add_row(*map(Text, cells))


def _remarks(summary: Summary) -> list[Remark]:
    """The verdicts, those that tell something first, and what failed."""
    comparisons = sorted(summary["comparisons"], key=lambda each: not each["told"])
    remarks = [
        Remark(plain(each["verdict"]), warning=False) for each in comparisons[:_MOST_VERDICTS]
    ]
    more = len(comparisons) - len(remarks)
    remarks = [*unverified_of(summary), *remarks]
    if more > 0:
        remarks.append(Remark(f"{more} further comparisons stand in the report", warning=False))
    return remarks + [
        Remark(plain(f"failed: {what}: {why}"), warning=True)
        for what, why in summary["failures"].items()
    ]
