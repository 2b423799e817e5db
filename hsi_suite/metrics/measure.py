"""What a score is: its name, unit and digits, what it can be, and whether more of it is better."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ..printable import UNDEFINED
from .confusion import Confusion

_PERCENT = 100.0


@dataclass(frozen=True)
class Measure:
    """A score as everything that shows it or judges by it wants to know it.

    Attributes:
        name: its key in metrics.json.
        title: in words, with what it is measured on.
        short: for the head of a narrow column; empty where that is the title.
        unit: "%", "dB", "°" or none.
        factor: from the stored value to the written one.
        digits: after the point, as written.
        floor: the lowest possible stored value; None where there is none.
        ceiling: the highest possible one.
        counted: whether it is a number of items divided by that of all.
        higher_is_better: False for errors and angles.
        of_counts: computes it from a confusion matrix; such a measure is a score of every
            classifier, beside the others of its kind.
        of_images: computes it from a clean and a restored image, of the scale 0 to 1; such a
            measure is a score of every denoiser of images.
    """

    name: str
    title: str
    short: str = ""
    unit: str = ""
    factor: float = 1.0
    digits: int = 4
    floor: float | None = None
    ceiling: float | None = None
    counted: bool = False
    higher_is_better: bool = True
    of_counts: Callable[[Confusion], float | None] | None = None
    of_images: Callable[[NDArray[Any], NDArray[Any]], float] | None = None

    @property
    def is_share(self) -> bool:
        """Whether it lies in 0 … 1, so that its logit is defined between."""
        return (self.floor, self.ceiling) == (0.0, 1.0)

    @property
    def points(self) -> str:
        """The unit of a difference."""
        return "points" if self.factor == _PERCENT else self.unit

    @property
    def heading(self) -> str:
        """Its name with its unit, for the head of a column or an axis."""
        return f"{self.title}, {self.unit}" if self.unit else self.title

    @property
    def short_heading(self) -> str:
        """The same for a narrow column."""
        return f"{self.short or self.title} {self.unit}".strip()

    def gain(self, difference: float) -> float:
        """A difference of two values, positive where the first is the better one."""
        return difference if self.higher_is_better else -difference

    def scaled(self, value: float) -> float:
        """A stored value on the scale it is written in."""
        return self.factor * value

    def text(self, value: float | None, more: int = 0) -> str:
        """A value in its digits, without its unit; a dash where it is undefined.

        Rounding never claims perfection: of shares and their like only 1 itself reads 100.

        Args:
            value: as stored.
            more: digits beyond those of the measure.
        """
        if value is None or math.isnan(value):
            return UNDEFINED
        digits = self.digits + more
        text = f"{self.factor * value:z.{digits}f}"
        if self.ceiling is not None and value < self.ceiling:
            most = self.factor * self.ceiling
            if float(text) >= most:
                return f"{most - 10.0**-digits:.{digits}f}"
        return text

    def with_unit(self, value: float | None) -> str:
        """The same with its unit: 91.23 %, 31.41 dB, 0.9312."""
        text = self.text(value)
        return f"{text} {self.unit}" if self.unit and text != UNDEFINED else text

    def size_text(self, value: float | None) -> str:
        """A difference or a deviation: never rounded to nothing when it is not nothing."""
        if value is None or math.isnan(value):
            return UNDEFINED
        size, least = self.factor * value, 10.0**-self.digits
        if 0 < abs(size) < least / 2:
            return f"< {least:.{self.digits}f}"
        return f"{size:.{self.digits}f}"

    def size_with_points(self, value: float | None) -> str:
        """The same with its unit: 1.23 points, 0.41 dB, 0.0312."""
        text = self.size_text(value)
        return text if text == UNDEFINED else f"{text} {self.points}".strip()

    def difference_text(self, value: float | None) -> str:
        """A difference of two values with its sign and unit."""
        if value is None or math.isnan(value):
            return UNDEFINED
        sign = "" if value == 0 else "+" if value > 0 else "−"
        return f"{sign}{self.size_with_points(abs(value))}"

    def end_text(self, value: float, *, signed: bool = False) -> str:
        """An end of an interval in the digits of the measure."""
        sign = "+" if signed else ""
        return f"{self.factor * value:{sign}.{self.digits}f}".replace("-", "−")


def share(name: str, title: str, short: str = "", **more: Any) -> Measure:
    """A measure of 0 … 1 that is written in percent."""
    return Measure(name, title, short, "%", _PERCENT, 2, 0.0, 1.0, **more)
