"""The rows and remarks of a classifier of images, worded once for the terminal and the page."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...metrics.measure import Measure
from ...metrics.measures import measure
from ...printable import plain
from ..content import (
    Metrics,
    count,
    enumerate_names,
    figure_texts,
    overall_measures,
    percent,
    shown_classes,
    unverified_mark,
)
from ..verdict import Remark, commonest_remarks, first_remarks

_TOP = "top_5_accuracy"
_PARTS = (("test", "test part"), ("validation", "validation part"))
# The quantile of the normal distribution for intervals of 95 %.
_QUANTILE = 1.959964


@dataclass(frozen=True)
class ImageScoreRow:
    """The classifier on one part.

    Attributes:
        interval: of the overall accuracy, 95 %, Wilson's.
        figures: in the order of `image_measures`, written.
    """

    name: str
    images: str
    interval: str
    figures: tuple[str, ...]


def image_heading(metrics: Metrics) -> str:
    """Model and data set in one line."""
    return f"{plain(metrics['model'])} on {plain(metrics['dataset'])}{unverified_mark(metrics)}"


def image_measures(metrics: Metrics) -> list[Measure]:
    """The figures over all classes that a run has, in the order of tables."""
    top = [measure(_TOP)] if _TOP in metrics["test"] else []
    return [*overall_measures(metrics["test"]), *top]


def image_score_rows(metrics: Metrics) -> list[ImageScoreRow]:
    """The test part, and the validation part where there is one."""
    rows = []
    for part, words in _PARTS:
        scores = metrics.get(part)
        if not scores:
            continue
        low, high = wilson_interval(scores["overall_accuracy"], scores["num_images"])
        rows.append(
            ImageScoreRow(
                name=words,
                images=count(scores["num_images"]),
                interval=f"{percent(low, 1)} … {percent(high, 1)}",
                figures=figure_texts(scores, image_measures(metrics)),
            )
        )
    return rows


def image_class_rows(metrics: Metrics, most: int | None = None) -> list[tuple[str, ...]]:
    """Name, training images, test images, precision, recall and F1 of each class.

    Args:
        metrics: the content of a run's metrics.json.
        most: of more classes than these the worst alone, see `shown_classes`; None for all.
    """
    classes, tested = metrics["classes"], metrics["test"]["per_class"]
    return [
        (
            plain(classes[index]["name"]),
            count(classes[index]["train"]),
            count(tested[index]["support"]),
            *(measure(name).text(tested[index][name]) for name in ("precision", "recall", "f1")),
        )
        for index in shown_classes(metrics, most)
    ]


def image_split_rows(metrics: Metrics) -> list[tuple[str, str]]:
    """How the images were divided and are seen, as (what, value)."""
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
    return rows


def image_remarks(metrics: Metrics) -> list[Remark]:
    """What the figures say, the most important first."""
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
