"""The runs of a batch, what they cost and ran on, and how to do them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...metrics.measures import measure
from ...printable import UNDEFINED
from ..content import count, flat_rows, value_text
from ..document import Block, Cell, Column, Fold, Listing, Paragraph, Section, Table, pairs
from .content import BatchReport, RunFacts
from .values import name_text, sentence_text, value_cell

_MOST_CONFIGURATIONS = 30
_LONGEST_TEXT = 20_000


def runs_section(report: BatchReport) -> Section:
    """A line for each run, and the runs that failed."""
    keys = list(dict.fromkeys(key for f in report.groups for key in f.group["headline"]))
    heads = [Column("run", number=False), Column("group", number=False), Column("seed")]
    heads += [Column(measure(key).heading) for key in keys]
    rows = [
        [
            Cell(name_text(run.name)),
            Cell(facts.name),
            Cell(str(run.metrics["seed"]), float(run.metrics["seed"])),
            *(value_cell(key, run.scores.get(key)) for key in keys),
        ]
        for facts in report.groups
        for run in facts.runs
    ]
    table = Table("The runs one by one.", heads, rows, sortable=True)
    blocks: list[Block] = []
    failures = report.summary["failures"]
    if failures:
        reasons = [
            (Cell(name_text(what)), Cell(sentence_text(why))) for what, why in failures.items()
        ]
        names = (Column("run", number=False), Column("reason", number=False))
        blocks.append(Table("Runs that failed and count nowhere.", names, reasons, style="pairs"))
    blocks.append(Fold(f"{len(rows)} runs and their scores", [table]))
    return Section("Runs", blocks)


def cost_section(report: BatchReport) -> Section:
    """What a run of each group costs in countable terms; what is measured stands in a file."""
    heads = [Column("group", number=False)]
    titles = ("runs", "parameters", "multiply-adds", "epochs trained", "epoch kept")
    heads += [Column(title) for title in titles]
    rows = []
    for facts in report.groups:
        metrics = [run.metrics for run in facts.runs]
        epochs = [len(run.history) for run in facts.runs]
        rows.append(
            [
                Cell(facts.name),
                Cell(str(len(facts.runs)), len(facts.runs)),
                _range_cell([one.get("parameters") for one in metrics]),
                _range_cell([_operations(one) for one in metrics]),
                _range_cell([number or None for number in epochs]),
                _range_cell([one.get("epoch") for one in metrics]),
            ]
        )
    words = Paragraph(
        "Multiply-adds are those of one window, image or pair, and of denoisers those of one "
        "pixel; of models that are no networks of this package they are not counted. "
        "Seconds and memory are measured: they differ each time, even between runs that are equal "
        "bit by bit. They stand in cost.csv beside this report and in the cost.json of each run, "
        "and not in the report, so that equal batches have equal reports."
    )
    return Section(
        "Cost", [Table("Cost in numbers that do not depend on the machine.", heads, rows), words]
    )


def _operations(metrics: Mapping[str, Any]) -> int | None:
    found = metrics.get("multiply_adds", metrics.get("multiply_adds_per_pixel"))
    return None if found is None else round(found)


def _range_cell(values: Sequence[Any]) -> Cell:
    known = sorted({int(value) for value in values if value is not None})
    if not known:
        return Cell(UNDEFINED)
    if len(known) == 1:
        return Cell(count(known[0]), known[0])
    return Cell(f"{count(known[0])} … {count(known[-1])}", known[0])


def environment_section(report: BatchReport) -> Section:
    """What all runs ran on, and where they differ."""
    runs = [run for facts in report.groups for run in facts.runs]
    facts = [_flat(run) for run in runs]
    names = list(dict.fromkeys(name for one in facts for name in one))
    common, differing = [], []
    for name in names:
        values = [one.get(name, UNDEFINED) for one in facts]
        if len(set(values)) == 1:
            common.append((name, values[0]))
        else:
            differing.append((name, values))
    blocks: list[Block] = [pairs(f"The same for all {len(runs)} runs." if len(runs) > 1 else
                                 "What the run ran on.", common)]  # fmt: skip
    if differing:
        rows = [(name, _values(values)) for name, values in differing]
        table = pairs("Not the same for all runs: values and the number of runs with each.", rows)
        blocks.append(table)
    return Section("Environment", blocks)


def _flat(run: RunFacts) -> dict[str, str]:
    # The identity and the checksums of the data belong to a run, not to the machine.
    kept = {k: v for k, v in run.environment.items() if k not in ("identity", "data")}
    return dict(flat_rows(kept))


def _values(values: Sequence[str]) -> str:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    listed = [f"{name_text(value)} ({number})" for value, number in counts.items()]
    return "; ".join(listed[:12]) + ("; …" if len(listed) > 12 else "")


def again_section(report: BatchReport) -> Section:
    """Commands, the batch and the configurations."""
    blocks: list[Block] = [Listing("The commands.", report.commands)]
    if report.batch_text:
        blocks.append(Fold("The batch", [Listing("batch.yaml", _bounded(report.batch_text))]))
    data = _data_rows(report)
    if data:
        blocks.append(Fold("Checksums of the data", [pairs("SHA-256 of the files.", data)]))
    for facts in report.groups[:_MOST_CONFIGURATIONS]:
        run = facts.runs[0]
        listing = Listing(f"config.yaml of {name_text(run.name)}", _bounded(run.config_text))
        blocks.append(Fold(f"Configuration: {facts.name}", [listing]))
    if len(report.groups) > _MOST_CONFIGURATIONS:
        text = f"The configurations of the other {len(report.groups) - _MOST_CONFIGURATIONS} groups"
        blocks.append(Paragraph(f"{text} stand in the folders of their runs."))
    return Section("To do it again", blocks)


def _data_rows(report: BatchReport) -> list[tuple[str, str]]:
    rows: dict[str, str] = {}
    for facts in report.groups:
        for run in facts.runs:
            data = run.environment.get("data")
            if isinstance(data, Mapping):
                rows |= {name_text(name): value_text(digest) for name, digest in data.items()}
    return sorted(rows.items())[:200]


def _bounded(text: str) -> str:
    text = "".join(c if c.isprintable() or c == "\n" else "�" for c in text).rstrip()
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}\n… (cut)"
