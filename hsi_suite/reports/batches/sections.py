"""The sections of a batch's report, in the order in which they are read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...metrics.measures import measure
from ...printable import UNDEFINED, plain
from ..content import metric_words, percent, value_text
from ..document import (
    Block,
    Cards,
    Cell,
    Column,
    Document,
    Figure,
    Fold,
    Paragraph,
    Remark,
    Remarks,
    Section,
    Table,
    columns,
)
from ..pictures import chart
from .again import again_section, cost_section, environment_section, runs_section
from .answers import answers
from .charts import (
    centre_and_band,
    curve,
    curve_keys,
    curves_figure,
    ordered_sources,
    variance_figure,
)
from .classes import class_section, classes_of, confusion_section
from .comparisons import comparisons
from .content import BatchReport, Contest, GroupFacts, contender_name
from .maps import atlas
from .scores import glance, leakage, results, spread_only
from .sources import largest_source_words, meanings, remainder_words
from .values import name_text, value_cell
from .verdict import lead, question, sentence, warnings

_MOST_CURVES = 8
_MOST_CURVE_FIGURES = 10
_MOST_EPOCHS = 25
_MOST_CARDS = 12


def batch_document(report: BatchReport) -> Document:
    """The whole report; sections without content are left out."""
    found = [
        _head(report),
        glance(report),
        results(report),
        comparisons(report),
        leakage(report),
        variance_section(report),
        dropout_section(report),
        class_section(report),
        curves_section(report),
        maps_section(report),
        confusion_section(report),
        runs_section(report),
        cost_section(report),
        environment_section(report),
        again_section(report),
    ]
    sections = [section for section in found if section is not None]
    return Document(question(report), lead(report), sections)


def _head(report: BatchReport) -> Section:
    cards = answers(report)
    blocks: list[Block] = [Paragraph(sentence(report), "sentence"), Cards(cards[:_MOST_CARDS])]
    if more := max(0, len(cards) - _MOST_CARDS):
        text = f"{more} more data sets and variants stand under “Results”."
        blocks.append(Paragraph(text))
    remarks = warnings(report)
    return Section("", [*blocks, Remarks(remarks)] if remarks else blocks)


def variance_section(report: BatchReport) -> Section | None:
    """Which source of chance spreads the figures, each taken alone."""
    by_group: dict[str, list[Mapping[str, Any]]] = {}
    for entry in report.summary["variance"]:
        by_group.setdefault(str(entry["name"]), []).append(entry)
    blocks: list[Block] = []
    for name, entries in by_group.items():
        blocks.append(_variance_chart(entries[0]))
        if entries[1:]:
            tables = [_variance_table(entry) for entry in entries[1:]]
            blocks.append(Fold(f"{name_text(name)}: other metrics and scales", tables))
        notes = dict.fromkeys(plain(note) for note in _variance_notes(entries, report))
        if notes:
            blocks.append(Remarks([Remark(f"{note[:1].upper()}{note[1:]}.") for note in notes]))
    return Section("Where the spread comes from", blocks) if blocks else None


def _variance_notes(entries: Sequence[Mapping[str, Any]], report: BatchReport) -> Iterator[str]:
    """Which source is largest, what each is, and what else has to be known."""
    largest = largest_source_words(entries[0], report.summary["level"])
    if largest:
        yield largest
    together = remainder_words(entries[0])
    if together:
        yield together
    yield from meanings(entries[0])
    for entry in entries:
        yield from entry["notes"]


def _variance_title(entry: Mapping[str, Any]) -> str:
    title = f"{name_text(entry['name'])}: {measure(entry['metric']).title}"
    return title if entry["scale"] == "identity" else f"{title}, {entry['scale']} scale"


def _variance_chart(entry: Mapping[str, Any]) -> Figure:
    title = _variance_title(entry)
    caption = (
        f"{title}. Left: standard deviation when one source alone varies, with its interval; "
        "right: its share of the variance when all vary together. The remainder is what is left "
        "of that, and has no bar below 0."
    )
    alt = f"Sources of variance: {title}."
    return chart(variance_figure(entry), alt, caption, [_variance_table(entry)], name="variance")


def _variance_table(entry: Mapping[str, Any]) -> Table:
    identity = entry["scale"] == "identity"
    factor = measure(entry["metric"]).scaled(1.0) if identity else 1.0

    def size(value: float | None) -> str:
        return UNDEFINED if value is None else f"{factor * value:.4g}"

    def limits(found: Mapping[str, Any] | None, scale: float, digits: str) -> str:
        if found is None:
            return UNDEFINED
        return f"{scale * found['low']:{digits}} … {scale * found['high']:{digits}}"

    rows: list[Sequence[Cell]] = [
        (
            Cell("all together"),
            Cell(str(entry["n"])),
            Cell(size(entry["total_std"])),
            Cell(limits(entry["total_std_interval"], factor, ".4g")),
            Cell("100" if entry["total_variance"] else UNDEFINED),
            Cell(UNDEFINED),
        )
    ]
    for name, source in ordered_sources(entry):
        rows.append(
            (
                Cell(plain(name)),
                Cell(str(source["n"])),
                Cell(size(source["std"])),
                Cell(limits(source["std_interval"], factor, ".4g")),
                Cell(percent(source["share"], 1)),
                Cell(limits(source["share_interval"], 100, ".0f")),
            )
        )
    rest, ends = entry.get("remainder_share"), entry.get("remainder_share_interval")
    text = UNDEFINED if rest is None else f"{100 * rest:.1f}".replace("-", "−")
    span = limits(ends, 100, ".0f").replace("-", "−")
    rows.append((Cell("remainder"), *(Cell("") for _ in range(3)), Cell(text), Cell(span)))
    heads = columns("source", "runs", "std", "interval of the std", "share, %", "interval, %")
    unit = measure(entry["metric"]).heading if identity else "logits"
    caption = f"{_variance_title(entry)}. Standard deviations in the unit of {unit}."
    return Table(caption, heads, rows)


def dropout_section(report: BatchReport) -> Section | None:
    """What leaving dropout on would do, where the runs looked."""
    rows = []
    for facts in report.groups:
        for key, entry in (facts.group.get("dropout_at_test") or {}).items():
            off = facts.group["test"].get(key)
            rows.append(
                (
                    Cell(facts.name),
                    Cell(measure(key).title),
                    value_cell(key, off["mean"] if off else None),
                    value_cell(key, entry["mean"]),
                    Cell(spread_only(key, entry["std"]), entry["std"]),
                    Cell(f"{entry['n']} × {entry['evaluations']}"),
                )
            )
    if not rows:
        return None
    heads = [Column("group", number=False), Column("score", number=False)]
    heads += [Column(t) for t in ("dropout off", "left on", "std within a run", "evaluations")]
    caption = (
        "A known mistake: without eval() dropout stays on, and the same weights give another "
        "score at every test. Evaluations: runs × evaluations of each. All other scores here "
        "are with dropout off."
    )
    return Section("If dropout were left on", [Table(caption, heads, rows, sortable=True)])


def curves_section(report: BatchReport) -> Section | None:
    """Learning curves, a figure for each data set and variant."""
    blocks: list[Block] = []
    left_out = 0
    for contest in report.contests:
        drawn = [facts for facts in contest.groups if curve_keys([facts])]
        if not drawn:
            continue
        if len(blocks) >= _MOST_CURVE_FIGURES:
            left_out += 1
            continue
        blocks.append(_curves(contest, drawn))
    if left_out:
        blocks.append(Paragraph(f"Curves of {left_out} more are in the history.csv of their runs."))
    return Section("Learning curves", blocks) if blocks else None


def _curves(contest: Contest, drawn: Sequence[GroupFacts]) -> Figure:
    shown = drawn[:_MOST_CURVES]
    names = [contender_name(facts.group["name"], contest) for facts in shown]
    most = max(len(facts.runs) for facts in shown)
    caption = f"{contest.title}: mean of each epoch"
    caption += ", band from the lowest to the highest run." if most > 1 else " of one run."
    if len(drawn) > len(shown):
        caption += f" The first {len(shown)} of {len(drawn)} groups."
    tables = [_curve_table(facts, name) for facts, name in zip(shown, names, strict=True)]
    return chart(curves_figure(shown, names), f"Learning curves. {caption}", caption, tables)


def _curve_table(facts: GroupFacts, name: str) -> Table:
    keys = curve_keys([facts])
    found = {key: curve(facts, key) for key in keys}
    length = max(len(pair[0]) for pair in found.values() if pair is not None)
    step = math.ceil(length / _MOST_EPOCHS)
    epochs = sorted({*range(0, length, step), length - 1})
    bands = {key: centre_and_band(pair[1]) for key, pair in found.items() if pair is not None}
    rows = []
    for epoch in epochs:
        row = [Cell(str(epoch + 1), epoch)]
        for key in keys:
            mean, low, high = (values[epoch] for values in bands[key])
            known = np.isfinite(mean)
            text = f"{value_text(float(low))} … {value_text(float(high))}"
            row += [Cell(value_text(float(mean)) if known else UNDEFINED)]
            row += [Cell(text if known else UNDEFINED)]
        rows.append(row)
    heads = [Column("epoch")]
    for key in keys:
        heads += [Column(metric_words(key)), Column("lowest … highest")]
    every = f", every {step}th epoch and the last" if step > 1 else ""
    return Table(f"{name}{every}.", heads, rows, style="dense")


def maps_section(report: BatchReport) -> Section | None:
    """The maps of the runs together, group by group."""
    blocks: list[Block] = []
    for facts in report.groups:
        if facts.votes is None:
            continue
        names = {one.label: one.name for one in classes_of(facts)}
        shown = atlas(facts.votes, names, facts.name)
        blocks += (
            [Paragraph(f"{facts.name}:"), shown] if len(blocks) < 8 else [Fold(facts.name, [shown])]
        )
    blocks += [Paragraph(plain(words)) for words in report.maps_left_out]
    return Section("Maps of the runs together", blocks) if blocks else None
