"""The rows of a classification report, worded once for the terminal and for the page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..metrics.measure import Measure
from ..metrics.measures import measure, of_classifiers
from ..palette import class_colours
from ..printable import UNDEFINED, plain

Metrics = Mapping[str, Any]

UNVERIFIED = "UNVERIFIED"
#: Classes beyond which a page's table lists the worst alone, and the same in a terminal.
MOST_CLASSES = 100
MOST_CLASSES_TERMINAL = 50
_MOST_REASONS = 50
#: What tells the baselines in comparisons from models of their kind, and from each other.
BASELINE, BESIDE = "baseline ", " beside "
_BASELINES = {
    "position": "position only, 1-NN",
    "svm": "RBF-SVM on spectra",
    "forest": "random forest on spectra",
    "cnn1d": "1-D CNN on spectra",
    "class_posterior": "class posterior: two logistic regressions",
    "cca": "canonical correlations (CCA)",
    "nearest_pair": "nearest training pair's partner",
    "spectral_angle": "spectral angle",
}


def percent(share: float | None, digits: int = 2) -> str:
    """A share of 0 … 1 in percent, without the sign; a dash when undefined.

    Rounding never claims perfection: only 1 itself reads 100.
    """
    if share is None or math.isnan(share):
        return UNDEFINED
    text = f"{100 * share:.{digits}f}"
    if share < 1 and float(text) >= 100:
        return f"{100 - 10.0**-digits:.{digits}f}"
    return text


def count(number: int) -> str:
    """A whole number with thousands set apart."""
    return f"{number:,}"


def enumerate_names(names: Iterable[object], most: int = 8) -> str:
    """Names in a sentence, at most `most` of them; by semicolons where names have commas."""
    listed = [plain(name) for name in names]
    if len(listed) > most:
        listed = [*listed[: most - 1], f"{len(listed) - most + 1} more"]
    between = "; " if any("," in name for name in listed) else ", "
    return " and ".join(filter(None, [between.join(listed[:-1]), *listed[-1:]]))


def metric_words(key: str) -> str:
    """The name of a figure in a history or in metrics, in words."""
    return plain(key).replace("train_", "training ").replace("_", " ")


def baseline_name(key: str) -> str:
    """How a baseline is called in tables."""
    return _BASELINES.get(key, plain(key))


def ordered_baselines(metrics: Metrics) -> dict[str, Any]:
    """The scores of the baselines by name, position first, in the same order for every run."""
    order = list(_BASELINES)
    known = metrics.get("baselines") or {}

    def place(key: str) -> tuple[int, str]:
        return (order.index(key) if key in order else len(order), key)

    return {key: known[key] for key in sorted(known, key=place)}


def unverified_mark(metrics: Metrics) -> str:
    """What follows a data set's name where its files could not be verified; else nothing."""
    return f" ({UNVERIFIED} data)" if metrics.get("unverified") else ""


def unverified_text(names: Iterable[object]) -> str:
    """What has to be known of figures of files that no published checksum vouches for."""
    return (
        f"{UNVERIFIED} data: no published checksum vouches for {enumerate_names(names)}. The "
        "figures may be of other data than the name says, and compare with nobody's."
    )


def heading(metrics: Metrics) -> str:
    """Model, data set and split in one line."""
    synthetic = " (synthetic scene)" if metrics["synthetic"] else ""
    synthetic += unverified_mark(metrics)
    model, dataset = plain(metrics["model"]), plain(metrics["dataset"])
    return f"{model} on {dataset}{synthetic}, {plain(metrics['split']['kind'])} split"


@dataclass(frozen=True)
class ScoreRow:
    """One classifier on one part.

    Attributes:
        figures: in the order of `overall_measures`, written.
        kind: "model" on the test part, "baseline" on the same, or "other" for the model on
            its own training side.
    """

    name: str
    pixels: str
    figures: tuple[str, ...]
    kind: str


def overall_measures(scores: Metrics) -> list[Measure]:
    """The figures over all classes that a run has, in the order of tables."""
    return [each for each in of_classifiers() if each.name in scores]


def figure_texts(scores: Metrics, columns: Iterable[Measure]) -> tuple[str, ...]:
    """A row of figures, written; a dash for what is undefined or not there."""
    return tuple(each.text(scores.get(each.name)) for each in columns)


def score_rows(metrics: Metrics) -> list[ScoreRow]:
    """The model on the test part, the baselines on the same part, the model elsewhere."""
    model, columns = plain(metrics["model"]), overall_measures(metrics["test"])
    rows = [_score_row(model, metrics["test"], columns, "model")]
    for key, scores in ordered_baselines(metrics).items():
        rows.append(_score_row(baseline_name(key), scores, columns, "baseline"))
    for part, words in (("validation", "validation part"), ("train", "training part")):
        if metrics.get(part):
            rows.append(_score_row(f"{model}, {words}", metrics[part], columns, "other"))
    return rows


def _score_row(name: str, scores: Metrics, columns: Iterable[Measure], kind: str) -> ScoreRow:
    return ScoreRow(
        name=name,
        pixels=count(scores["num_pixels"]),
        figures=figure_texts(scores, columns),
        kind=kind,
    )


@dataclass(frozen=True)
class ClassRow:
    """One class on the test part; precision, recall and F1 in percent.

    Attributes:
        colour: its colour in the maps, "#rrggbb".
        train: pixels it was learned from, a dash when not recorded.
        others: recall of each baseline, in the order of `ordered_baselines`.
    """

    label: int
    name: str
    colour: str
    train: str
    test: str
    precision: str
    recall: str
    f1: str
    others: tuple[str, ...]


def shown_classes(metrics: Metrics, most: int | None) -> list[int]:
    """The classes a table lists, as positions: all, or of more than `most` the worst by F1.

    The worst come first; those that were neither tested nor predicted are left out before others.
    """
    tested = metrics["test"]["per_class"]
    if most is None or len(tested) <= most:
        return list(range(len(tested)))
    undefined = [row["f1"] is None for row in tested]
    order = sorted(range(len(tested)), key=lambda index: (undefined[index], tested[index]["f1"]))
    return order[:most]


def classes_note(metrics: Metrics, most: int) -> str:
    """What a table of `shown_classes` leaves out, in a sentence; empty where that is nothing."""
    number = len(metrics["classes"])
    if number <= most:
        return ""
    return f"The {most} classes of lowest F1 out of {count(number)}; metrics.json holds all."


def class_rows(metrics: Metrics, most: int | None = None) -> list[ClassRow]:
    """Every class that the model learns, in the order of its outputs.

    Args:
        metrics: the content of a run's metrics.json.
        most: of more classes than these the worst alone, see `shown_classes`; None for all.
    """
    classes, tested = metrics["classes"], metrics["test"]["per_class"]
    learned = (metrics.get("train") or {}).get("per_class")
    palette = class_colours(max((entry["label"] for entry in classes), default=0))
    baselines = [scores["per_class"] for scores in ordered_baselines(metrics).values()]
    rows = []
    for index in shown_classes(metrics, most):
        entry, scores = classes[index], tested[index]
        red, green, blue = (int(level) for level in palette[entry["label"]])
        rows.append(
            ClassRow(
                label=entry["label"],
                name=plain(entry["name"]),
                colour=f"#{red:02x}{green:02x}{blue:02x}",
                train=count(learned[index]["support"]) if learned else UNDEFINED,
                test=count(scores["support"]),
                precision=measure("precision").text(scores["precision"]),
                recall=measure("recall").text(scores["recall"]),
                f1=measure("f1").text(scores["f1"]),
                others=tuple(measure("recall").text(rows[index]["recall"]) for rows in baselines),
            )
        )
    return rows


def split_rows(metrics: Metrics) -> list[tuple[str, str]]:
    """How the pixels were divided, as (what, value)."""
    split = metrics["split"]
    rows = [("kind", plain(split["kind"]))]
    if split.get("layout"):
        rows.append(("partition", plain(split["layout"])))
    if split.get("guard"):
        rows.append(("guard", f"{split['guard']} pixels kept free around the test pixels"))
    parts = ("train", "training"), ("validation", "validation"), ("test", "test")
    rows += [(f"{words} pixels", count(split[part])) for part, words in parts if split.get(part)]
    for key, words in (("dropped", "class left out"), ("train_only", "learned, not tested")):
        reasons = split.get(key) or {}
        rows += [
            (words, f"{plain(name)}: {plain(reason)}")
            for name, reason in islice(reasons.items(), _MOST_REASONS)
        ]
        if len(reasons) > _MOST_REASONS:
            rows.append((words, f"{count(len(reasons) - _MOST_REASONS)} more"))
    lost = {name: pixels for name, pixels in (split.get("lost") or {}).items() if pixels}
    if lost:
        named = [
            f"{plain(name)} {count(pixels)}" for name, pixels in islice(lost.items(), _MOST_REASONS)
        ]
        if len(lost) > _MOST_REASONS:
            named.append(f"{count(len(lost) - _MOST_REASONS)} more")
        rows.append(
            ("lost to the guard", f"{count(sum(lost.values()))} pixels ({', '.join(named)})")
        )
    return rows


def audit_rows(metrics: Metrics) -> list[tuple[str, str]]:
    """What the split lets slip from training to test, as (what, value)."""
    leakage = metrics["leakage"]
    nearest, median, farthest = (leakage[f"{key}_distance"] for key in ("min", "median", "max"))
    return [
        ("window", f"{leakage['window']} × {leakage['window']} pixels"),
        ("test pixels inside a training window", _share(leakage["test_inside_training_window"])),
        ("test windows overlapping a training window", _share(leakage["windows_overlapping"])),
        ("test pixels within 1 pixel of training", _share(leakage["within_one_pixel"])),
        ("distance to the nearest training pixel", f"{nearest} … {farthest}, median {median:g} px"),
    ]


def _share(value: float) -> str:
    return f"{percent(value)} %"
