"""How the figures of a batch are written: the words, units and digits of each metric."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...printable import plain
from ..content import UNDEFINED, enumerate_names, percent
from .document import Cell, Table, pairs

Entry = Mapping[str, Any]

# Names come from files: beyond this they would push everything else off the page.
_LONGEST_NAME = 80
_LONGEST_SENTENCE = 400
_MOST_BESIDE = 6


@dataclass(frozen=True)
class Measure:
    """How a metric is written.

    Attributes:
        title: its name in words, with what it is measured on.
        unit: "%", "dB" or none.
        factor: from the stored value to the written one.
        digits: after the point.
        points: the unit of a difference.
    """

    title: str
    unit: str
    factor: float
    digits: int
    points: str


_SHARE = ("%", 100.0, 2, "points")
_KINDS: dict[str, tuple[str, tuple[str, float, int, str]]] = {
    "overall_accuracy": ("overall accuracy", _SHARE),
    "average_accuracy": ("average accuracy", _SHARE),
    "top_5_accuracy": ("top-5 accuracy", _SHARE),
    "cohen_kappa": ("Cohen's κ × 100", ("", 100.0, 2, "points")),
    "recall": ("recall", _SHARE),
    "precision": ("precision", _SHARE),
    "f1": ("F1", _SHARE),
    "peak_signal_noise_ratio": ("PSNR", ("dB", 1.0, 2, "dB")),
    "structural_similarity": ("SSIM", ("", 1.0, 4, "")),
    "mean_average_precision": ("mean average precision", _SHARE),
    "spectral_angle": ("spectral angle", ("°", 1.0, 3, "°")),
}


def name_text(name: object) -> str:
    """A name on one line, of bounded length."""
    text = plain(name)
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1].rstrip() + "…"


def sentence_text(text: object) -> str:
    """A sentence that holds names, on one line, of bounded length."""
    words = plain(text)
    return words if len(words) <= _LONGEST_SENTENCE else words[: _LONGEST_SENTENCE - 1] + "…"


def measure(key: str) -> Measure:
    """How the metric `key` is written: parts between slashes, one of them the metric itself."""
    parts = key.split("/")
    known = next((part for part in parts if part in _KINDS), None)
    if known is None:
        words = ", ".join(_qualifier(part) for part in parts)
        return Measure(words, "", 1.0, 4, "")
    words, (unit, factor, digits, points) = _KINDS[known]
    others = [_qualifier(part) for part in parts if part != known]
    return Measure(", ".join([words, *others]), unit, factor, digits, points)


def _qualifier(part: str) -> str:
    if part.replace(".", "", 1).isdigit():
        return f"σ {part}"
    return name_text(part.replace("_", " "))


def heading(key: str) -> str:
    """A metric's name with its unit, for the head of a column or an axis."""
    kind = measure(key)
    return f"{kind.title}, {kind.unit}" if kind.unit else kind.title


def scaled(key: str, value: float) -> float:
    """A stored value on the scale it is written in."""
    return measure(key).factor * value


def value_text(key: str, value: float | None) -> str:
    """A value in its digits, without its unit; a dash where it is undefined."""
    kind = measure(key)
    if value is None or math.isnan(value):
        return UNDEFINED
    if kind.factor == 100.0:
        return percent(value, kind.digits)
    return f"{value:.{kind.digits}f}"


def with_unit(key: str, text: str) -> str:
    """A written value and its unit."""
    unit = measure(key).unit
    return f"{text} {unit}" if unit and text != UNDEFINED else text


def size_text(key: str, value: float | None) -> str:
    """A difference or a deviation: never rounded to nothing when it is not nothing."""
    kind = measure(key)
    if value is None or math.isnan(value):
        return UNDEFINED
    size = kind.factor * value
    least = 10.0**-kind.digits
    if 0 < abs(size) < least / 2:
        return f"< {least:.{kind.digits}f}"
    return f"{size:.{kind.digits}f}"


def difference_text(key: str, value: float | None) -> str:
    """A difference of two values with its sign and unit."""
    if value is None or math.isnan(value):
        return UNDEFINED
    text = size_text(key, abs(value))
    sign = "" if value == 0 else "+" if value > 0 else "−"
    return f"{sign}{text} {measure(key).points}".strip()


def spread_text(key: str, entry: Entry | None) -> str:
    """Mean ± standard deviation; the mean alone where a deviation is undefined."""
    if not entry or entry.get("mean") is None:
        return UNDEFINED
    text = value_text(key, entry["mean"])
    return text if entry.get("std") is None else f"{text} ± {size_text(key, entry['std'])}"


def interval(entry: Entry | None) -> tuple[float, float] | None:
    """Both ends of an interval; None where it is undefined."""
    found = (entry or {}).get("interval")
    if not isinstance(found, Mapping) or found.get("low") is None or found.get("high") is None:
        return None
    return float(found["low"]), float(found["high"])


def interval_text(key: str, entry: Entry | None) -> str:
    """The interval of a mean; its ends are values that the metric can take."""
    ends = interval(entry)
    if ends is None:
        return UNDEFINED
    kind = measure(key)
    return " … ".join(f"{kind.factor * end:.{kind.digits}f}".replace("-", "−") for end in ends)


def difference_interval_text(key: str, entry: Entry) -> str:
    """The interval of a difference."""
    ends = interval(entry)
    if ends is None:
        return UNDEFINED
    kind = measure(key)
    return " … ".join(f"{kind.factor * end:+.{kind.digits}f}".replace("-", "−") for end in ends)


def spread_cell(key: str, entry: Entry | None) -> Cell:
    """`spread_text` with the interval of the mean below it, ordered by the mean."""
    note = "" if interval(entry) is None else interval_text(key, entry)
    return Cell(spread_text(key, entry), None if not entry else entry.get("mean"), note)


def value_cell(key: str, value: float | None) -> Cell:
    """`value_text`, ordered by the value."""
    return Cell(value_text(key, value), value)


def p_text(value: float | None) -> str:
    """A p-value in a table."""
    if value is None or math.isnan(value):
        return UNDEFINED
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def level_text(level: float) -> str:
    """A confidence level in percent, without needless digits."""
    return f"{100 * level:g} %"


def runs_text(number: int) -> str:
    """A number of runs in words."""
    return "1 run" if number == 1 else f"{number} runs"


def notes_table(caption: str, notes: Iterable[tuple[str, str]]) -> Table:
    """Notes, each once, with what they are about.

    Args:
        caption: of the table.
        notes: (note, what it is about) pairs.
    """
    about: dict[str, list[str]] = {}
    for note, what in notes:
        about.setdefault(note, []).append(what)
    return pairs(
        caption,
        [(enumerate_names(whats, _MOST_BESIDE), note) for note, whats in about.items()],
    )
