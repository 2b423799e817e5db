"""How the scores of a batch are written: the words, units and digits of each metric."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ...metrics.measures import measure
from ...printable import UNDEFINED, shortened
from ..content import enumerate_names
from ..document import Cell, Table, pairs

Entry = Mapping[str, Any]

_LONGEST_SENTENCE = 400
_MOST_BESIDE = 6


def name_text(name: object) -> str:
    """A name on one line, of bounded length."""
    return shortened(name)


def sentence_text(text: object) -> str:
    """A sentence that holds names, on one line, of bounded length."""
    return shortened(text, _LONGEST_SENTENCE)


def spread_text(key: str, entry: Entry | None) -> str:
    """Mean ± standard deviation; the mean alone where a deviation is undefined."""
    if not entry or entry.get("mean") is None:
        return UNDEFINED
    kind = measure(key)
    text = kind.text(entry["mean"])
    return text if entry.get("std") is None else f"{text} ± {kind.size_text(entry['std'])}"


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
    return " … ".join(map(measure(key).end_text, ends))


def difference_interval_text(key: str, entry: Entry) -> str:
    """The interval of a difference."""
    ends = interval(entry)
    if ends is None:
        return UNDEFINED
    return " … ".join(measure(key).end_text(end, signed=True) for end in ends)


def spread_cell(key: str, entry: Entry | None) -> Cell:
    """`spread_text` with the interval of the mean below it, ordered by the mean."""
    note = "" if interval(entry) is None else interval_text(key, entry)
    return Cell(spread_text(key, entry), None if not entry else entry.get("mean"), note)


def value_cell(key: str, value: float | None) -> Cell:
    """A value in its digits, ordered by it."""
    return Cell(measure(key).text(value), value)


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
