"""What a page shows of confusions: the matrix, or of many classes its largest cells."""

from __future__ import annotations

from ..metrics.confusion import Confusion
from ..metrics.measures import measure
from ..printable import plain
from .content import Metrics, count
from .document import Column, Section, Table, Value
from .figures import MOST_IN_MATRIX, MOST_PAIRS, confusion_figure
from .fonts import figure_names
from .pictures import chart


def confusion_section(metrics: Metrics, noun: str) -> Section:
    """The confusions of a run's test part.

    Args:
        metrics: the content of a run's metrics.json.
        noun: what is counted, "pixels" or "images".
    """
    counts = Confusion.from_plain(metrics["test"]["confusion_matrix"])
    names = [plain(entry["name"]) for entry in metrics["classes"]]
    labels = [entry.get("label", place) for place, entry in enumerate(metrics["classes"], 1)]
    drawn = figure_names(names, labels)
    drawing = confusion_figure(counts, drawn)
    right = f"{count(int(counts.hits.sum()))} of {count(int(counts.counts.sum()))} test {noun}"
    if counts.num_classes <= MOST_IN_MATRIX:
        caption = (
            f"Test {noun} by true class (rows) and predicted class (columns); the darker a cell, "
            "the larger its share of the true class, with small shares lifted to be seen."
        )
        table = _matrix(counts, metrics, noun)
        figure = chart(
            drawing, f"Confusion matrix: {right} on the diagonal.", caption, [table],
            draw=lambda width: confusion_figure(counts, drawn, width),
        )  # fmt: skip
        return Section("Confusion matrix", [figure])
    table = _largest(counts, names, noun)
    alt = f"Bars. {right} are classified right. {table.caption}"
    tables = [table] if table.rows else []
    return Section("Largest confusions", [chart(drawing, alt, table.caption, tables)])


def _matrix(counts: Confusion, metrics: Metrics, noun: str) -> Table:
    classes = metrics["classes"]
    heads = [Column("truth", number=False)]
    heads += [Column(str(entry["label"]), hint=entry["name"]) for entry in classes]
    rows: list[list[Value]] = [
        [f"{entry['label']} {entry['name']}", *map(str, row)]
        for entry, row in zip(classes, counts.matrix().tolist(), strict=True)
    ]
    caption = (
        f"Test {noun}: rows are true classes, columns predicted classes, both in the order of "
        "the class table."
    )
    return Table(caption, heads, rows, style="dense")


def _largest(counts: Confusion, names: list[str], noun: str) -> Table:
    wrong, support = counts.errors(), counts.support
    shown = min(MOST_PAIRS, len(wrong.counts))
    rows = [
        (names[truth], names[answer], number, number / int(support[truth]))
        for truth, answer, number in zip(
            wrong.truth[:shown].tolist(),
            wrong.predicted[:shown].tolist(),
            wrong.counts[:shown].tolist(),
            strict=True,
        )
    ]
    heads = [Column("truth", number=False), Column("taken for", number=False), Column(noun)]
    heads.append(Column("share of the true class, %", measure=measure("recall")))
    caption = (
        f"The {shown} largest of {count(len(wrong.counts))} confusions between "
        f"{count(counts.num_classes)} classes, by test {noun}; metrics.json holds all."
    )
    return Table(caption, heads, rows)
