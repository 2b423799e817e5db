"""Words and values that reports share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..metrics.measure import Measure
from ..metrics.measures import of_classifiers
from ..printable import UNDEFINED, plain
from .languages.catalogue import said
from .languages.speaking import ENGLISH, spoken

Metrics = Mapping[str, Any]

UNVERIFIED = "UNVERIFIED"
#: Classes beyond which a page's table lists the worst alone, and the same in a terminal.
MOST_CLASSES = 100
MOST_CLASSES_TERMINAL = 50
_LONGEST_LIST = 12
#: What distinguishes the baselines in comparisons from models of their kind, and from each other.
BASELINE, BESIDE = "baseline ", " beside "
_BASELINES = {
    "position": "position only, 1-NN",
    "svm": "RBF-SVM on spectra",
    "wide_svm": "wide RBF-SVM on spectra",
    "forest": "random forest on spectra",
    "cnn1d": "1-D CNN on spectra",
    "lda": "shrinkage LDA on spectra",
    "gaussian": "Gaussian maximum likelihood on spectra",
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
        listed = [*listed[: most - 1], said(f"{len(listed) - most + 1} more")]
    between, last = ("; " if any("," in name for name in listed) else ", "), " and "
    if spoken() != ENGLISH:
        between, last = ("；" if between == "; " else "、"), " 和 "
    return last.join(filter(None, [between.join(listed[:-1]), *listed[-1:]]))


def metric_words(key: str) -> str:
    """The name of a score in a history or in metrics, in words."""
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


def unverified_marks(names: Iterable[object]) -> dict[str, Any]:
    """What metrics.json holds of data whose files could not be verified; nothing of others."""
    listed = [str(name) for name in names]
    return {"unverified": listed, "data": UNVERIFIED} if listed else {}


def unverified_text(names: Iterable[object]) -> str:
    """What has to be known of scores of files that no published checksum vouches for."""
    return (
        f"{UNVERIFIED} data: no published checksum vouches for {enumerate_names(names)}. The "
        "scores may be of other data than the name says, and compare with nobody's."
    )


def overall_measures(scores: Metrics) -> list[Measure]:
    """The scores over all classes that a run has, in the order of tables."""
    return [each for each in of_classifiers() if each.name in scores]


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


def hex_colour(colour: Iterable[Any]) -> str:
    """Red, green and blue, 0 to 255, as "#rrggbb"."""
    red, green, blue = (int(level) for level in list(colour)[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"


def flat_rows(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A tree of values as (what, value), the names of its levels in a row."""
    rows: list[tuple[str, str]] = []
    for key, value in tree.items():
        name = f"{prefix}{plain(key)}"
        if isinstance(value, Mapping):
            rows += flat_rows(value, f"{name}: ")
        else:
            rows.append((name, value_text(value)))
    return rows


def value_text(value: object) -> str:
    """A value in a table."""
    if value is None or value == "":
        return UNDEFINED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, list | tuple) and len(value) > _LONGEST_LIST:
        numbers = all(isinstance(item, int | float) for item in value)
        ends = (min(value), max(value)) if numbers else (value[0], value[-1])
        return f"{len(value)} values, {' … '.join(map(value_text, ends))}"
    if isinstance(value, list | tuple):
        return ", ".join(map(value_text, value)) or UNDEFINED
    return plain(value)
