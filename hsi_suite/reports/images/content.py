"""The tables and remarks of a classifier of images, made once for the terminal and the page."""

from __future__ import annotations

import math

from ...metrics.measure import Measure
from ...metrics.measures import measure
from ...printable import plain
from ..content import (
    MOST_CLASSES_TERMINAL,
    Metrics,
    classes_note,
    count,
    enumerate_names,
    overall_measures,
    percent,
    shown_classes,
    unverified_mark,
)
from ..document import Block, Column, Remark, Remarks, Table, Value, pairs
from ..verdict import commonest_remarks, first_remarks

_TOP = "top_5_accuracy"
_PARTS = (("test", "test part"), ("validation", "validation part"))
# The quantile of the normal distribution for intervals of 95 %.
_QUANTILE = 1.959964


def image_blocks(metrics: Metrics) -> list[Block]:
    """Everything about a run for the terminal, the remarks last: nearest to the prompt.

    Args:
        metrics: the content of a run's metrics.json.
    """
    note = classes_note(metrics, MOST_CLASSES_TERMINAL)
    caption = f"classes, test images. {note}" if note else "classes, test images"
    return [
        image_score_table(metrics, image_heading(metrics)),
        image_class_table(metrics, caption, MOST_CLASSES_TERMINAL),
        image_split_table(metrics),
        Remarks(image_remarks(metrics)),
    ]


def image_heading(metrics: Metrics) -> str:
    """Model and data set in one line."""
    return f"{plain(metrics['model'])} on {plain(metrics['dataset'])}{unverified_mark(metrics)}"


def image_measures(metrics: Metrics) -> list[Measure]:
    """The scores over all classes that a run has, in the order of tables."""
    top = [measure(_TOP)] if _TOP in metrics["test"] else []
    return [*overall_measures(metrics["test"]), *top]


def image_score_table(metrics: Metrics, caption: str) -> Table:
    """The test part, and the validation part where there is one."""
    measures = image_measures(metrics)
    heads = [Column("part", number=False), Column("images")]
    heads += [Column(measure=each) for each in measures]
    heads.append(Column("95 % interval", short="OA, 95 % interval"))
    rows: list[list[Value]] = []
    for part, words in _PARTS:
        scores = metrics.get(part)
        if not scores:
            continue
        low, high = wilson_interval(scores["overall_accuracy"], scores["num_images"])
        values = [scores.get(each.name) for each in measures]
        interval = f"{percent(low, 1)} … {percent(high, 1)}"
        rows.append([words, scores["num_images"], *values, interval])
    return Table(caption, heads, rows, ["own", "other"][: len(rows)])


def image_class_table(metrics: Metrics, caption: str, most: int | None) -> Table:
    """Training images, test images, precision, recall and F1 of each class.

    Args:
        metrics: the content of a run's metrics.json.
        caption: of the table.
        most: of more classes than these the worst alone, see `shown_classes`; None for all.
    """
    classes, tested = metrics["classes"], metrics["test"]["per_class"]
    shown = {"precision": "precision", "recall": "recall", "f1": "F1"}
    heads = [Column("class", number=False), Column("training images", short="train")]
    heads.append(Column("test images", short="test"))
    heads += [Column(head, measure=measure(name)) for name, head in shown.items()]
    rows: list[list[Value]] = [
        [
            classes[index]["name"],
            classes[index]["train"],
            tested[index]["support"],
            *(tested[index][name] for name in shown),
        ]
        for index in shown_classes(metrics, most)
    ]
    return Table(caption, heads, rows, style="classes")


def image_split_table(metrics: Metrics) -> Table:
    """How the images were divided and are seen."""
    split, size = metrics["split"], metrics["size"]
    kinds = {"given": "as the data set comes", "random": "drawn at random, class by class"}
    rows = [("parts", kinds.get(split["kind"], plain(split["kind"])))]
    parts = ("train", "training"), ("validation", "validation"), ("test", "test")
    rows += [(f"{words} images", count(split[part])) for part, words in parts if split[part]]
    colour = "grey" if metrics["channels"] == 1 else "RGB"
    rows.append(("seen by the network", f"{size} × {size} pixels, {colour}"))
    crops = metrics["crops"]
    averaged = f"the mean over {crops} crops of each image"
    rows.append(("classified by", averaged if crops > 1 else "one view of each image"))
    return pairs("How the images were divided and are seen.", rows)


def image_remarks(metrics: Metrics) -> list[Remark]:
    """What the scores say, the most important first."""
    test = metrics["test"]
    number, overall = test["num_images"], measure("overall_accuracy")
    low, high = wilson_interval(test["overall_accuracy"], number)
    commonest = max(entry["support"] for entry in test["per_class"]) / number
    remarks = [
        *first_remarks(metrics),
        *commonest_remarks(metrics),
        Remark(
            f"{image_heading(metrics)} classifies {overall.with_unit(test[overall.name])} of "
            f"{count(number)} test images right (95 % interval {percent(low, 1)} to "
            f"{percent(high, 1)} %); naming always the commonest class would give "
            f"{percent(commonest)} %."
        ),
    ]
    if metrics["split"]["validation"]:
        chosen = "selected the epoch" if metrics["selection"] == "best" else "was only watched"
        remarks.append(
            Remark(f"The validation part {chosen}; the test part was looked at once, at the end.")
        )
    if metrics["split"]["kind"] == "random":
        remarks.append(
            Remark(
                "The parts were drawn at random: images of one origin (a writer, a film, a place) "
                "can be in both, and new origins are then classified worse.",
                warning=True,
            )
        )
    if test["never_predicted"]:
        remarks.append(
            Remark(f"Never predicted: {enumerate_names(test['never_predicted'])}.", warning=True)
        )
    if test["absent"]:
        remarks.append(
            Remark(f"Without test images: {enumerate_names(test['absent'])}.", warning=True)
        )
    return remarks


def wilson_interval(share: float, number: int) -> tuple[float, float]:
    """95 % interval of a share of independent trials.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal
    of the American Statistical Association 22 (1927).

    Args:
        share: of successes, 0 to 1.
        number: of trials, at least 1.
    """
    square = _QUANTILE**2 / number
    centre = (share + square / 2) / (1 + square)
    reach = _QUANTILE / (1 + square) * math.sqrt(share * (1 - share) / number + square / 4 / number)
    return max(0.0, centre - reach), min(1.0, centre + reach)
