"""What stands around a picture of a scene: coordinates on its edges, a scale bar, north."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 5.0)
_KILOMETRE = 1000.0
# Steps of coordinates from which on they are written in km: it leaves one decimal.
_LEAST_IN_KM = 100.0
_SQUARE = 0.01

Affine = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class MapFrame:
    """How a scene lies, in plain values.

    Attributes:
        lines: of the scene.
        samples: of it.
        transform: (a, b, c, d, e, f) with x = a·sample + b·line + c and y = d·sample + e·line + f;
            None: coordinates are lines and samples.
        unit: of x and y: "degree", "m", another name, or "" when unknown.
        sample_metres: on the ground from one sample to the next; None when unknown.
        line_metres: the same from line to line.
        north: where it is in the picture: to the right and down, a unit vector; None when unknown.
    """

    lines: int
    samples: int
    transform: Affine | None = None
    unit: str = ""
    sample_metres: float | None = None
    line_metres: float | None = None
    north: tuple[float, float] | None = None

    @property
    def height_share(self) -> float:
        """The height of its picture over the width: as on the ground, where that is known."""
        line = 1.0
        if self.sample_metres and self.line_metres:
            ratio = self.line_metres / self.sample_metres
            line = 1.0 if abs(ratio - 1) < _SQUARE else ratio
        return self.lines * line / self.samples


@dataclass(frozen=True)
class EdgeTicks:
    """The coordinates along an edge of a scene.

    Attributes:
        title: which coordinate it is.
        places: where they are, in samples along the lower edge, in lines along the left one.
        labels: what stands there.
    """

    title: str
    places: Sequence[float]
    labels: Sequence[str]


def lower_ticks(frame: MapFrame, most: int) -> EdgeTicks:
    """Those of the lower edge.

    Args:
        frame: of the scene.
        most: how many there is room for.
    """
    if frame.transform is None:
        return _counted("sample", frame.samples, most)
    a, b, c, d, e, f = frame.transform
    # Of a grid that is turned, the coordinate that changes more along the edge.
    if abs(a) >= abs(d):
        return _edge("x", frame.unit, (a, b * frame.lines + c), frame.samples, most)
    return _edge("y", frame.unit, (d, e * frame.lines + f), frame.samples, most)


def left_ticks(frame: MapFrame, most: int) -> EdgeTicks:
    """Those of the left edge; see `lower_ticks`."""
    if frame.transform is None:
        return _counted("line", frame.lines, most)
    _, b, c, _, e, f = frame.transform
    if abs(e) >= abs(b):
        return _edge("y", frame.unit, (e, f), frame.lines, most)
    return _edge("x", frame.unit, (b, c), frame.lines, most)


def _counted(title: str, number: int, most: int) -> EdgeTicks:
    values = round_values(0, number - 1, most)
    # A number stands at the middle of its pixel.
    return EdgeTicks(title, [v + 0.5 for v in values], [f"{v:.0f}" for v in values])


def _edge(axis: str, unit: str, line: tuple[float, float], length: int, most: int) -> EdgeTicks:
    """The ticks of an edge along which a coordinate is slope · place + start."""
    slope, start = line
    if not slope:
        return EdgeTicks("", [], [])
    low, high = sorted((start, start + slope * length))
    values = round_values(low, high, most)
    step = values[1] - values[0] if len(values) > 1 else abs(slope * length)
    title, labels = _written(axis, unit, values, step)
    return EdgeTicks(title, [(value - start) / slope for value in values], labels)


def _written(axis: str, unit: str, values: Sequence[float], step: float) -> tuple[str, list[str]]:
    if unit == "degree":
        sides = "EW" if axis == "x" else "NS"
        decimals = _decimals(step)
        labels = [
            f"{abs(v):.{decimals}f}°{sides[v < 0] if round(v, decimals) else ''}" for v in values
        ]
        return {"x": "longitude", "y": "latitude"}[axis], labels
    title = axis
    if unit:
        title = {"x": "easting", "y": "northing"}[axis]
    if unit == "m" and step >= _LEAST_IN_KM:
        decimals = _decimals(step / _KILOMETRE)
        return f"{title}, km", [_signed(v / _KILOMETRE, decimals) for v in values]
    return f"{title}, {unit}" if unit else title, [_signed(v, _decimals(step)) for v in values]


def _signed(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _decimals(step: float) -> int:
    return max(0, -math.floor(math.log10(step) + 1e-9))


def round_values(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten from low to high, at most so many, rising.

    Args:
        low: the least.
        high: the largest.
        most: at least 2.
    """
    if not high > low:
        return [low]
    exponent = math.floor(math.log10((high - low) / most)) - 1
    for power in range(exponent, exponent + 4):
        for lead in _STEPS:
            step = lead * 10.0**power
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if last - first + 1 <= most:
                return [number * step for number in range(first, last + 1)]
    raise AssertionError


def bar_metres(longest: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is no longer, in m.

    Args:
        longest: in m, more than 0.
    """
    exponent = math.floor(math.log10(longest))
    lengths = (lead * 10.0**power for power in (exponent - 1, exponent) for lead in _STEPS)
    return max(length for length in lengths if length <= longest * (1 + 1e-9))


def metres_text(metres: float) -> str:
    """A round length: "500 m", "2 km", "20 cm"."""
    if metres >= _KILOMETRE:
        return f"{metres / _KILOMETRE:g} km"
    return f"{metres:g} m" if metres >= 1 else f"{100 * metres:g} cm"
