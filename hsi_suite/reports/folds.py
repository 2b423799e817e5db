"""What a page and a terminal say of a spatial cross-validation."""

from __future__ import annotations

from collections.abc import Mapping

from ..metrics.measures import measure
from ..printable import plain
from .content import Metrics, baseline_name, count
from .document import Cell, Column, Remark, Table, Value

_FEW = 20
_MOST_NAMED = 50


def folds_table(metrics: Metrics) -> list[Table]:
    """The parts and scores of each fold of a cross-validation; [] for one split."""
    folds = metrics.get("folds")
    if not folds:
        return []
    measures = [measure(name) for name in ("overall_accuracy", "average_accuracy", "cohen_kappa")]
    heads = [Column("fold", number=False), Column("training pixels", short="train")]
    heads += [Column("test pixels", short="test"), Column("classes")]
    heads += [Column(measure=each) for each in measures]
    heads += [Column(f"{baseline_name('position')}: {measures[0].heading}", short="position")]
    rows: list[list[Value]] = []
    for row in folds:
        alone = row["position_scores"]["overall_accuracy"]
        rows.append(
            [
                str(row["fold"]),
                row["train"],
                row["test"],
                row["classes"],
                *(row["test_scores"][each.name] for each in measures),
                Cell(measures[0].text(alone), alone),
            ]
        )
    return [Table("Each fold, with a model of its own.", heads, rows)]


def untested_rows(untested: Mapping[str, int]) -> list[tuple[str, str]]:
    """Pixels that no fold can test."""
    if not untested:
        return []
    named = [f"{plain(name)} {count(pixels)}" for name, pixels in untested.items()]
    if len(named) > _MOST_NAMED:
        named = [*named[:_MOST_NAMED], f"{count(len(named) - _MOST_NAMED)} more"]
    total = count(sum(untested.values()))
    return [("tested by no fold", f"{total} pixels ({', '.join(named)})")]


def folds_remarks(metrics: Metrics) -> list[Remark]:
    """What a cross-validation's figures are, and what its intervals are."""
    folds, intervals = metrics.get("folds"), metrics.get("intervals")
    if not folds or not intervals:
        return []
    known, found = measure("overall_accuracy"), intervals["test"]["overall_accuracy"]
    text = (
        f"{len(folds)} models were trained, one for each spatial fold; each pixel was tested by "
        "the model that learnt nothing within the guard around its fold, and all answers are "
        "scored together"
    )
    if found["low"] is None:
        return [Remark(f"{text}.")]
    text += (
        f". The interval of the overall accuracy is {known.end_text(found['low'])} to "
        f"{known.end_text(found['high'])} %: {100 * intervals['level']:.0f} %, from leaving out "
        f"one fold at a time (jackknife, Student's t with {len(folds) - 1} "
        f"{'degree' if len(folds) == 2 else 'degrees'} of freedom)."
    )
    if len(folds) < _FEW:
        text += " So few folds, whose models share training pixels, make rough intervals."
    return [Remark(text)]
