"""What a page shows of confusions: the matrix, or of many classes its largest cells."""

from __future__ import annotations

from dataclasses import dataclass

from ..metrics.confusion import Confusion
from ..printable import plain
from .content import Metrics, count, percent
from .figures import MOST_IN_MATRIX, MOST_PAIRS, confusion_figure
from .page import Picture, chart


@dataclass(frozen=True)
class ConfusionPart:
    """What a page shows of confusions.

    Attributes:
        picture: the matrix, or the largest confusions.
        noun: what is counted.
        heads: number and name of each class of `rows`.
        rows: the matrix, rows truth, columns predictions; empty where there are many classes.
        pairs: truth, prediction, count and share of the true class in percent of the largest
            confusions; empty where there are few classes.
        caption: of whichever table is filled.
    """

    picture: Picture
    noun: str
    heads: list[tuple[int, str]]
    rows: list[list[int]]
    pairs: list[tuple[str, str, str, str]]
    caption: str


def confusion_part(metrics: Metrics, noun: str) -> ConfusionPart:
    """The confusions of a run's test part.

    Args:
        metrics: the content of a run's metrics.json.
        noun: what is counted, "pixels" or "images".
    """
    counts = Confusion.from_plain(metrics["test"]["confusion_matrix"])
    names = [plain(entry["name"]) for entry in metrics["classes"]]
    heads = [(entry["label"], plain(entry["name"])) for entry in metrics["classes"]]
    told = f"{count(int(counts.hits.sum()))} of {count(int(counts.counts.sum()))} test {noun}"
    if counts.num_classes <= MOST_IN_MATRIX:
        caption = (
            f"Test {noun} by true class (rows) and predicted class (columns); the darker a cell, "
            "the larger its share of the true class, with small shares lifted to be seen."
        )
        picture = chart(
            confusion_figure(counts, names),
            f"Confusion matrix: {told} on the diagonal.",
            caption,
        )
        table = (
            f"Test {noun}: rows are true classes, columns predicted classes, both in the order of "
            "the class table."
        )
        return ConfusionPart(picture, noun, heads, counts.matrix().tolist(), [], table)
    wrong, support = counts.errors(), counts.support
    shown = min(MOST_PAIRS, len(wrong.counts))
    caption = (
        f"The {shown} largest of {count(len(wrong.counts))} confusions between "
        f"{count(counts.num_classes)} classes, by test {noun}; metrics.json holds all."
    )
    alt = f"Bars. {told} are classified right. {caption}"
    pairs = [
        (names[truth], names[answer], count(number), percent(number / int(support[truth])))
        for truth, answer, number in zip(
            wrong.truth[:shown].tolist(),
            wrong.predicted[:shown].tolist(),
            wrong.counts[:shown].tolist(),
            strict=True,
        )
    ]
    picture = chart(confusion_figure(counts, names), alt, caption)
    return ConfusionPart(picture, noun, heads, [], pairs, caption)
