"""The scores of a batch: means with intervals, what they stand beside, who is better."""

from __future__ import annotations

from collections.abc import Mapping

from ...metrics.measures import measure, of_classifiers
from ...printable import UNDEFINED, plain
from ..classification import published_table
from ..content import count, percent
from ..document import (
    Block,
    Cell,
    Column,
    Fold,
    Paragraph,
    Section,
    Table,
    columns,
)
from ..pictures import chart
from .charts import means_figure
from .content import (
    BatchReport,
    Contest,
    GroupFacts,
    contender_name,
    contest_rows,
    entry_of,
)
from .values import interval_text, level_text, notes_table, spread_cell, value_cell

_MOST_CHARTED = 12


def glance(report: BatchReport) -> Section:
    """All means with their intervals in one picture."""
    shown = report.contests[:_MOST_CHARTED]
    caption = (
        "Each dot is a run, the diamond their mean, the bar its "
        f"{level_text(report.level)} interval; below, in grey, the simpler methods on the same "
        "data."
    )
    if any(contest.random_split for contest in shown):
        caption += " The dashed line is what the position alone reaches."
    if any(facts.published for contest in shown for facts in contest.groups):
        caption += " Open squares are published scores."
    if len(report.contests) > len(shown):
        caption += f" The first {len(shown)} of {len(report.contests)} data sets and variants."
    alt = "Means and intervals of " + "; ".join(contest.title for contest in shown[:4])
    tables = [_single_runs(contest) for contest in shown]
    figure = chart(means_figure(shown), f"{alt}.", caption, tables, name="means")
    return Section("At a glance", [figure])


def _single_runs(contest: Contest) -> Table:
    """The scores of the runs one by one: what the dots stand for."""
    key = contest.headline
    rows = [
        (
            Cell(contender_name(facts.group["name"], contest)),
            Cell(str(run.metrics["seed"]), float(run.metrics["seed"])),
            value_cell(key, run.scores.get(key)),
        )
        for facts in contest.groups
        for run in facts.runs
    ]
    return Table(
        f"{contest.title}: the runs.", columns("model", "seed", measure(key).heading), rows
    )


def results(report: BatchReport) -> Section:
    """A table of scores for each data set and variant, published ones below."""
    blocks: list[Block] = [
        Paragraph(
            f"Mean ± standard deviation (divisor n − 1) over the runs; below it the "
            f"{level_text(report.level)} t interval of the mean."
        )
    ]
    for contest in report.contests:
        blocks.append(_results_table(contest))
        published = _published_table(contest)
        if published is not None:
            blocks.append(published)
        elif contest.groups[0].published is not None:
            blocks.append(
                Paragraph(f"{contest.title}: no published scores of this data and protocol.")
            )
        blocks.append(_details(contest))
        notes = _notes(contest)
        if notes:
            blocks.append(Fold(f"{contest.title}: how to read these scores", notes))
    return Section("Results", blocks)


def _headline(contest: Contest) -> list[str]:
    return list(dict.fromkeys(key for facts in contest.groups for key in facts.group["headline"]))


def _results_table(contest: Contest) -> Table:
    keys = _headline(contest)
    heads = [Column("", number=False), Column("n")]
    heads += [Column(measure(key).heading) for key in keys]
    audited = contest.random_split
    if audited:
        heads += [Column("position only, %"), Column("test pixels inside a training window, %")]
    rows, styles = [], []
    for name, kind, scores, facts in contest_rows(contest):
        entries = [entry_of(scores, key) for key in keys]
        row = [Cell(name), Cell(str(entries[0]["n"]), entries[0]["n"])]
        row += [spread_cell(key, entry) for key, entry in zip(keys, entries, strict=True)]
        if audited:
            row += _audit_cells(facts, kind)
        rows.append(row)
        styles.append(kind)
    caption = f"{contest.title}."
    if audited:
        caption += (
            " A random split: beside each score what the position alone scores on the same "
            "pixels, and how many test pixels the models have seen during training."
        )
    return Table(caption, heads, rows, styles, sortable=True)


def _audit_cells(facts: GroupFacts, kind: str) -> list[Cell]:
    position = (facts.baselines.get("position") or {}).get("overall_accuracy")
    # The audit is of the model's windows; its baselines have none, or others.
    leakage = facts.group.get("leakage") if kind == "model" else None
    inside = (leakage or {}).get("test_inside_training_window")
    return [
        spread_cell("overall_accuracy", position),
        Cell(percent(inside), inside),
    ]


def _details(contest: Contest) -> Fold:
    keys = _headline(contest)
    heads = columns("", "n", "mean", "median", "interquartile mean", "lowest", "highest", "std",
                    "interval of the std", "bootstrap (BCa)")  # fmt: skip
    tables = []
    for key in keys:
        rows = []
        for name, _, scores, _ in contest_rows(contest):
            entry = entry_of(scores, key)
            names = ("mean", "median", "interquartile_mean", "min", "max")
            row = [Cell(name), Cell(str(entry["n"]), entry["n"])]
            row += [value_cell(key, entry.get(which)) for which in names]
            row.append(Cell(spread_only(key, entry.get("std")), entry.get("std")))
            row += [
                Cell(interval_text(key, {"interval": entry.get(which)}))
                for which in ("std_interval", "bca")
            ]
            rows.append(row)
        tables.append(
            Table(f"{measure(key).heading}: more about the runs.", heads, rows, sortable=True)
        )
    return Fold(f"{contest.title}: medians, extremes, intervals of the deviation", tables)


def spread_only(key: str, value: float | None) -> str:
    """A standard deviation without its mean."""
    kind = measure(key)
    return UNDEFINED if value is None else f"{kind.factor * value:.{kind.digits + 1}f}"


def _notes(contest: Contest) -> list[Block]:
    keys = _headline(contest)
    found = [
        (plain(note), f"{name}, {measure(key).title}")
        for name, _, scores, _ in contest_rows(contest)
        for key in keys
        for note in entry_of(scores, key).get("notes") or ()
    ]
    return [notes_table("What has to be known to read the scores rightly.", found)] if found else []


def _published_table(contest: Contest) -> Table | None:
    entries = next((facts.published for facts in contest.groups if facts.published), ())
    if not entries:
        return None
    measures = [each for each in of_classifiers() if any(each.name in e for e in entries)]
    caption = (
        f"{contest.title}: published scores, for comparison. They were measured by others, on "
        "their splits."
    )
    return published_table(entries, measures, caption, sortable=True)


def leakage(report: BatchReport) -> Section | None:
    """What the splits let slip from training to test, group by group."""
    audited = [facts for facts in report.groups if facts.group.get("leakage")]
    if not audited:
        return None
    shown = {
        "test_inside_training_window": "inside a training window, %",
        "windows_overlapping": "window overlapping one, %",
        "within_one_pixel": "within 1 pixel, %",
    }
    distances = ("median_distance", "max_distance")
    rows = []
    for facts in audited:
        values = facts.group["leakage"]
        position = (facts.baselines.get("position") or {}).get("overall_accuracy")
        rows.append(
            (
                Cell(facts.name),
                *(Cell(percent(values.get(key)), values.get(key)) for key in shown),
                *(Cell(_pixels(values.get(key)), values.get(key)) for key in distances),
                spread_cell("overall_accuracy", position),
                Cell(_level(facts.group.get("levels"))),
            )
        )
    heads = columns("group", *shown.values(), "median distance, pixels", "largest distance, pixels",
                    "position only, OA %", "by the audit's rule")  # fmt: skip
    caption = (
        "Test pixels by where they lie to the training pixels, means over the runs. Position "
        "only: overall accuracy of a nearest neighbour on line and sample, without spectra."
    )
    return Section("Leakage audit", [Table(caption, heads, rows, sortable=True)])


def _level(levels: Mapping[str, int] | None) -> str:
    """What the audit's rule calls the splits of a group's runs, and how many of them."""
    if not levels:
        return UNDEFINED
    if len(levels) == 1:
        return plain(next(iter(levels)))
    return ", ".join(f"{plain(level)} ({count(number)})" for level, number in levels.items())


def _pixels(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.4g}"
