"""Batches and comparisons in the terminal: scores with intervals, verdicts, sources of spread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from ...metrics.measure import Measure
from ...metrics.measures import measure
from ...metrics.summary import PER_CLASS
from ...printable import UNDEFINED, plain
from ..content import MOST_CLASSES_TERMINAL, baseline_name, count, ordered_baselines, percent
from ..document import Block, Paragraph, Remark, Remarks, Table, Value, columns
from .values import interval_text, level_text, spread_text
from .verdict import unverified_of

Summary = Mapping[str, Any]
_MOST_VERDICTS = 12


def summary_blocks(summary: Summary) -> list[Block]:
    """Everything a batch's summary says that fits a terminal, the verdicts last.

    Args:
        summary: the content of a batch's summary.json.
    """
    groups = summary["groups"]
    blocks: list[Block] = []
    if len(groups) == 1 and any(name.startswith("recall/") for name in groups[0]["test"]):
        blocks += runs_tables(groups[0]["test"], groups[0]["name"])
    # Groups of one task have the same scores.
    for headline, members in groupby(groups, lambda group: group["headline"]):
        alike = list(members)
        blocks.append(headline_table(alike, headline[0], summary["level"]))
        if len(headline) > 1:
            blocks.append(further_table(alike, headline[1:4]))
    for entry in _shown_shares(summary):
        blocks.append(shares_table(entry))
        if entry["notes"]:
            blocks.append(Remarks([Remark(note, warning=True) for note in entry["notes"]]))
    return [*blocks, Remarks(_remarks(summary))]


def runs_tables(summary: Mapping[str, Mapping[str, Any]], title: str) -> list[Table]:
    """Mean ± standard deviation of each metric over repeated runs, then of each class's recall.

    Args:
        summary: of `metrics.summary.summarise` on rows of `flatten_scores`.
        title: what was repeated.
    """
    runs = max((entry["n"] for entry in summary.values()), default=0)
    recalls = {name: entry for name, entry in summary.items() if name.startswith("recall/")}
    overall = {
        name: entry for name, entry in summary.items() if name.partition("/")[0] not in PER_CLASS
    }
    lowest = sorted(recalls, key=lambda k: (recalls[k]["mean"] is None, recalls[k]["mean"]))
    shown = set(lowest[:MOST_CLASSES_TERMINAL])
    classes = "classes"
    if len(shown) < len(recalls):
        classes = f"the {len(shown)} classes of lowest recall out of {count(len(recalls))}"
    return [
        _described(f"{title}: mean ± std in %, n = {runs} runs", overall),
        _described(classes, {name: entry for name, entry in recalls.items() if name in shown}),
    ]


def _described(caption: str, entries: Mapping[str, Mapping[str, Any]]) -> Table:
    rows: list[list[Value]] = [
        [
            measure(name).title,
            spread_text(name, entry),
            *(measure(name).text(entry[side]) for side in ("min", "max")),
            entry["n"],
        ]
        for name, entry in entries.items()
    ]
    return Table(caption, columns("", "mean ± std", "lowest", "highest", "n"), rows)


def headline_table(groups: Sequence[Summary], metric: str, level: float) -> Table:
    """One score of every group and its baselines: mean, deviation, t interval, extremes."""
    rows: list[list[Value]] = []
    styles = []
    for name, scores, style in _rows(groups):
        entry = scores.get(metric)
        if entry is None:
            continue
        ends = f"{measure(metric).text(entry['min'])} … {measure(metric).text(entry['max'])}"
        spread, interval = spread_text(metric, entry), interval_text(metric, entry)
        rows.append([name, entry["n"], spread, interval, ends])
        styles.append(style)
    heads = columns("", "n", "mean ± std", f"{level_text(level)} interval", "min … max")
    return Table(measure(metric).heading, heads, rows, styles)


def further_table(groups: Sequence[Summary], metrics: Sequence[str]) -> Table:
    """Mean ± standard deviation of further scores."""
    parts = list(_rows(groups))
    rows: list[list[Value]] = [
        [name, *(spread_text(metric, scores.get(metric)) for metric in metrics)]
        for name, scores, _ in parts
    ]
    heads = columns("", *(measure(metric).heading for metric in metrics))
    caption = "mean ± standard deviation over the runs"
    return Table(caption, heads, rows, [style for *_, style in parts])


def _rows(groups: Sequence[Summary]) -> Iterator[tuple[str, Summary, str]]:
    for group in groups:
        yield group["name"], group["test"], "model"
        for key, scores in ordered_baselines(group).items():
            yield baseline_name(key), scores, "baseline"


def _shown_shares(summary: Summary) -> list[Summary]:
    """Of each training the score that stands first, on every scale there is."""
    first: dict[str, str] = {}
    for entry in summary["variance"]:
        first.setdefault(entry["name"], entry["metric"])
    return [entry for entry in summary["variance"] if entry["metric"] == first[entry["name"]]]


def shares_table(entry: Summary) -> Table:
    """The spread of one score by source of chance.

    Args:
        entry: of the summary's "variance".
    """
    metric, level = entry["metric"], level_text(entry["level"])
    logit = entry["scale"] == "logit"
    scale = "logit scale" if logit else measure(metric).heading
    interval = f"{level} interval"

    def size(value: float | None) -> str:
        if not logit:
            return measure(metric).size_text(value)
        return UNDEFINED if value is None else f"{value:.4f}"

    def share(value: float | None) -> str:
        return percent(value, 0).replace("-", "−")

    def ends(found: Mapping[str, float] | None, text: Callable[[float | None], str]) -> str:
        return UNDEFINED if found is None else f"{text(found['low'])} … {text(found['high'])}"

    rows: list[list[Value]] = [
        [
            name,
            source["n"],
            size(source["std"]),
            ends(source["std_interval"], size),
            share(source["share"]),
            ends(source["share_interval"], share),
        ]
        for name, source in entry["sources"].items()
    ]
    rest = entry.get("remainder_share")
    span = ends(entry.get("remainder_share_interval"), share)
    rows.append(["remainder", "", "", "", share(rest), span])
    total = (size(entry["total_std"]), ends(entry["total_std_interval"], size))
    rows.append(["all together", entry["n"], *total, "100", ""])
    caption = f"where the spread comes from: {entry['name']} ({scale})"
    heads = columns("what varies", "runs", "std", interval, "share %", interval)
    return Table(caption, heads, rows)


def _remarks(summary: Summary) -> list[Remark]:
    """The verdicts, those that say something first, and what failed."""
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


def contest_blocks(contest: Mapping[str, Any]) -> list[Block]:
    """Scores of every group, a verdict for every pair, and what limits them.

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
    kind = measure(metric)
    rows: list[list[Value]] = [
        [
            group["name"],
            group["figures"]["n"],
            kind.with_unit(group["figures"]["mean"]),
            kind.size_with_points(group["figures"]["std"]),
            _interval(kind, group["figures"]["interval"]),
        ]
        for group in groups
    ]
    heads = columns("", "n", "mean", "± std", f"{100 * level:g} % of the mean")
    return Table(f"{kind.title} over n runs", heads, rows)


def _interval(kind: Measure, interval: Mapping[str, Any] | None) -> str:
    if interval is None:
        return UNDEFINED
    low, high = (kind.end_text(interval[side]) for side in ("low", "high"))
    return f"{low} to {high} {kind.unit}".strip()
