"""Classes of a batch: their scores with spread over the runs, and what is taken for what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...metrics.confusion import Confusion
from ...metrics.summary import flatten_scores
from ...palette import class_colours
from ...printable import UNDEFINED
from ..content import MOST_CLASSES, count, hex_colour, percent
from ..document import Block, Cell, Column, Fold, Paragraph, Section, Table
from .content import BatchReport, GroupFacts, entry_of
from .values import name_text, runs_text, spread_cell

_MOST_CELLS = 24  # classes; a larger matrix is listed by its largest confusions
_MOST_PAIRS = 40
_SHADES = 9
_OPEN = 2  # groups whose tables stand open


@dataclass(frozen=True)
class _Class:
    """A class by the name it has in the summary."""

    name: str
    label: int


def has_classes(facts: GroupFacts) -> bool:
    """Whether the runs of a group classify."""
    return any("confusion_matrix" in (run.metrics.get("test") or {}) for run in facts.runs)


def classes_of(facts: GroupFacts) -> list[_Class]:
    """All classes that any run of the group was tested on, in the order of their labels.

    Disjoint splits may leave out other classes in each run.
    """
    found: dict[str, int] = {}
    for run in facts.runs:
        for name, entry in zip(_names(run.metrics), run.metrics["classes"], strict=True):
            found.setdefault(name, int(entry["label"]))
    return [_Class(name, label) for name, label in sorted(found.items(), key=lambda pair: pair[1])]


def _names(metrics: Mapping[str, Any]) -> list[str]:
    # As the summary names them: those of one name are distinguished by a number.
    return [
        key.partition("/")[2] for key in flatten_scores(metrics["test"]) if key.startswith("recall")
    ]


def class_section(report: BatchReport) -> Section | None:
    """A table of classes for each group."""
    blocks: list[Block] = []
    for number, facts in enumerate(filter(has_classes, report.groups)):
        table = _class_table(facts)
        blocks.append(table if number < _OPEN else Fold(facts.name, [table]))
    return Section("Classes", blocks) if blocks else None


def _class_table(facts: GroupFacts) -> Table:
    test, classes = facts.group["test"], classes_of(facts)
    palette = class_colours(max((one.label for one in classes), default=0))
    heads = [Column("class", number=False), Column("n"), Column("recall, %"),
             Column("lowest … highest"), Column("precision, %"), Column("F1, %")]  # fmt: skip
    position = facts.baselines.get("position")
    if position:
        heads.append(Column("position only, recall %"))
    rows = []
    listed = _listed(test, classes)
    for one in listed:
        recall = entry_of(test, f"recall/{one.name}")
        row = [
            Cell(name_text(one.name), colour=hex_colour(palette[one.label]) if facts.maps else ""),
            Cell(str(recall["n"]), recall["n"]),
            spread_cell("recall", recall),
            Cell(_range(recall), recall["min"]),
            spread_cell("precision", entry_of(test, f"precision/{one.name}")),
            spread_cell("f1", entry_of(test, f"f1/{one.name}")),
        ]
        if position:
            row.append(spread_cell("recall", position.get(f"recall/{one.name}")))
        rows.append(row)
    caption = (
        f"{facts.name}: mean ± standard deviation over {runs_text(facts.group['n'])}, below it "
        "the t interval of the mean. n: runs in which the class was tested."
    )
    if len(listed) < len(classes):
        caption += f" The {len(listed)} classes of lowest F1 out of {count(len(classes))}."
    return Table(caption, heads, rows, style="classes", sortable=True)


def _listed(test: Mapping[str, Any], classes: Sequence[_Class]) -> Sequence[_Class]:
    """All classes, or of many the worst by mean F1, the worst first."""
    if len(classes) <= MOST_CLASSES:
        return classes
    means = [entry_of(test, f"f1/{one.name}")["mean"] for one in classes]
    order = sorted(range(len(classes)), key=lambda k: (means[k] is None, means[k]))
    return [classes[k] for k in order[:MOST_CLASSES]]


def _range(entry: Mapping[str, Any]) -> str:
    if entry.get("min") is None:
        return UNDEFINED
    return f"{percent(entry['min'])} … {percent(entry['max'])}"


def confusion_section(report: BatchReport) -> Section | None:
    """What is taken for what, in the mean over the runs and with its spread."""
    blocks: list[Block] = []
    for number, facts in enumerate(filter(has_classes, report.groups)):
        table = confusion_table(facts)
        blocks.append(table if number < 1 else Fold(facts.name, [table]))
    if not blocks:
        return None
    words = Paragraph(
        "Share of a true class (row) that is given each class (column), in percent: mean ± "
        "standard deviation over the runs; the darker a cell, the larger the mean. Empty: never."
    )
    return Section("Confusions", [words, *blocks])


def confusion_table(facts: GroupFacts) -> Table:
    """The confusion matrix with its spread; of many classes the largest confusions alone."""
    classes = classes_of(facts)
    if len(classes) > _MOST_CELLS:
        return _largest_confusions(facts, classes)
    shares = confusion_shares(facts, [one.name for one in classes])
    heads = [Column("truth", number=False)]
    heads += [Column(name_text(one.name)) for one in classes]
    palette = class_colours(max((one.label for one in classes), default=0))
    rows = []
    for index, one in enumerate(classes):
        row = [Cell(name_text(one.name), colour=hex_colour(palette[one.label]))]
        row += [_shaded(shares[:, index, column]) for column in range(len(classes))]
        rows.append(row)
    return Table(f"{facts.name}: confusions.", heads, rows, style="dense matrix")


def confusion_shares(facts: GroupFacts, names: Sequence[str]) -> NDArray[np.float64]:
    """Runs × true class × predicted class: shares of the true class; NaN where it was not tested.

    For few classes: it grows with their square.

    Args:
        facts: a group whose runs classify.
        names: all classes, in the order that is wanted.
    """
    place = {name: index for index, name in enumerate(names)}
    shares = np.full((len(facts.runs), len(names), len(names)), math.nan)
    for number, run in enumerate(facts.runs):
        counts = _counts(run.metrics).matrix().astype(np.float64)
        support = counts.sum(1, keepdims=True)
        rows = np.divide(counts, support, out=np.full_like(counts, math.nan), where=support > 0)
        where = [place[name] for name in _names(run.metrics)]
        tested = np.isfinite(rows).all(1)
        # A class that the run never learned cannot be its answer: a share of nought.
        shares[number, [w for w, t in zip(where, tested, strict=True) if t]] = 0
        shares[number][np.ix_(where, where)] = rows
    return shares


def _mean_and_spread(values: NDArray[np.float64]) -> tuple[float | None, float | None]:
    known = values[np.isfinite(values)]
    if not len(known):
        return None, None
    return float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else None


def _shaded(values: NDArray[np.float64]) -> Cell:
    mean, spread = _mean_and_spread(values)
    if mean is None:
        return Cell(UNDEFINED)
    if mean == 0:
        return Cell("", 0.0)
    text = percent(mean, 1) + ("" if spread is None else f" ± {100 * spread:.1f}")
    # The root lifts the few errors of a good classifier out of the ground.
    return Cell(text, mean, style=f"heat{math.ceil(_SHADES * math.sqrt(mean))}")


def _counts(metrics: Mapping[str, Any]) -> Confusion:
    return Confusion.from_plain(metrics["test"]["confusion_matrix"])


def _largest_confusions(facts: GroupFacts, classes: Sequence[_Class]) -> Table:
    """Memory grows with the confusions that occurred, not with the square of the classes."""
    size, place = len(classes), {one.name: index for index, one in enumerate(classes)}
    tested = np.zeros((len(facts.runs), size), bool)
    cells: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
    for number, run in enumerate(facts.runs):
        counts = _counts(run.metrics)
        where = np.array([place[name] for name in _names(run.metrics)])
        support = counts.support
        tested[number, where[support > 0]] = True
        wrong = counts.errors()
        keys = where[wrong.truth] * size + where[wrong.predicted]
        cells.append((keys, wrong.counts / support[wrong.truth]))
    found, inverse = np.unique(np.concatenate([keys for keys, _ in cells]), return_inverse=True)
    sums = np.bincount(inverse, np.concatenate([shares for _, shares in cells]), len(found))
    means = sums / tested.sum(0)[found // size] if len(found) else sums
    rows = []
    for index in np.argsort(-means, kind="stable")[:_MOST_PAIRS].tolist():
        truth, answer = divmod(int(found[index]), size)
        # A run that tested the class and never gave this answer counts with a share of nought.
        shares = np.array(
            [
                float(own[keys == found[index]].sum())
                for (keys, own), here in zip(cells, tested[:, truth], strict=True)
                if here
            ]
        )
        mean, spread = _mean_and_spread(shares)
        assert mean is not None
        text = percent(mean, 1) + ("" if spread is None else f" ± {100 * spread:.1f}")
        names = (Cell(name_text(classes[k].name)) for k in (truth, answer))
        rows.append((*names, Cell(text, mean)))
    heads = [Column("truth", number=False), Column("taken for", number=False), Column("share, %")]
    caption = f"{facts.name}: the largest {len(rows)} of {len(found)} confusions."
    return Table(caption, heads, rows, sortable=True)
