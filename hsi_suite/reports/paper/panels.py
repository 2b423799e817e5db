"""Pictures of a scene for a paper: single panels, several beside each other, and the legend.

Everything is laid out in inches of a page from the upper left corner, and becomes smaller by
`SCALE` in print. A pixel of the scene becomes a rectangle of many dots: no viewer blurs it.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from numpy.typing import NDArray

from ...palette import Colour
from ...printable import shortened
from ..drawing import FAINT, INK, house_style
from .figure import SCALE
from .frame import EdgeTicks, MapFrame, bar_metres, left_ticks, lower_ticks, metres_text

Image = NDArray[np.uint8]
Entry = tuple[str, Colour]

_FONT, _SMALL = 10.0, 9.0  # points
_LINE = 0.21  # inches from one line of text to the next
_SWATCH = 0.15
_GAP = 0.2
_MARGIN = 0.05
_LEFT, _BELOW = 0.5, 0.46  # of the coordinates
_STRIP = 0.5  # of scale bar and north
_ARROW = 0.3
_LEAST_PANEL = 1.9  # inches: the edge of a square as large as the smallest panel
_TALLEST = 1.2  # all panels together, times the width
_MOST_TICKS = 5
_DIGIT = 0.075  # inches of one in a coordinate
_BETWEEN = 0.12  # from a coordinate to the next
_BEYOND = 0.05  # the edge a coordinate may reach
_ACROSS, _UPRIGHT = ("left", "center", "right"), ("top", "center", "bottom")
_DOTS = 600 * SCALE  # to the inch of a page
_LONGEST = 60
_LETTER = 0.08  # inches of one, as sentences have them


@dataclass(frozen=True, eq=False)
class Panel:
    """A picture of a scene.

    Attributes:
        name: what stands above it where there are several.
        image: lines × samples × 3.
        note: a line below it: what its colours are; empty for none.
    """

    name: str
    image: Image
    note: str = ""


class _Sheet:
    """A figure addressed in inches from its upper left corner, whose height is known at the end."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height), facecolor="white")
        self.inches = self.figure.dpi_scale_trans

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        bottom = self.height - top - height
        return self.figure.add_axes(
            (left / self.width, bottom / self.height, width / self.width, height / self.height)
        )

    def text(self, left: float, middle: float, words: str, size: float = _FONT) -> None:
        # Names may hold dollar signs, which are not formulas here.
        self.figure.text(
            left, self.height - middle, words, size=size, color=INK, va="center_baseline",
            transform=self.inches, parse_math=False,
        )  # fmt: skip

    def swatch(self, left: float, middle: float, colour: Colour) -> None:
        corner = (left, self.height - middle - _SWATCH / 2)
        self.figure.add_artist(
            Rectangle(
                corner, _SWATCH, _SWATCH, transform=self.inches, linewidth=0.5, edgecolor=FAINT,
                facecolor=[level / 255 for level in colour],
            )
        )  # fmt: skip

    def bar(self, left: float, middle: float, length: float) -> None:
        y, half = self.height - middle, 0.04
        for bottom, height, start, width in (
            (y - 0.015, 0.03, left, length), (y - half, 2 * half, left, 0.015),
            (y - half, 2 * half, left + length - 0.015, 0.015),
        ):  # fmt: skip
            self.figure.add_artist(
                Rectangle((start, bottom), width, height, transform=self.inches, linewidth=0,
                          facecolor=INK)
            )  # fmt: skip

    def arrow(self, middle: tuple[float, float], north: tuple[float, float]) -> None:
        x, y = middle[0], self.height - middle[1]
        right, up = north[0], -north[1]
        half = _ARROW / 2
        self.figure.add_artist(
            FancyArrowPatch(
                (x - half * right, y - half * up), (x + half * right, y + half * up),
                arrowstyle="-|>", mutation_scale=11, shrinkA=0, shrinkB=0, linewidth=1.2,
                color=INK, transform=self.inches,
            )
        )  # fmt: skip
        beyond = half + 0.1
        self.figure.text(
            x + beyond * right, y + beyond * up, "N", size=_SMALL, color=INK, ha="center",
            va="center", transform=self.inches,
        )  # fmt: skip


def scene_figure(
    panels: Sequence[Panel], entries: Sequence[Entry], frame: MapFrame, width: float
) -> Figure:
    """One panel, or several of one scene with letters before their names.

    Below them stand the scale bar and the arrow to north where these are known, then what the
    colours of the panels are, then the legend.

    Args:
        panels: at least one, all of the frame's size, or thinned.
        entries: names and colours of the legend; [] for none.
        frame: of the scene.
        width: inches.
    """
    with house_style():
        columns, edge = _arrange(len(panels), frame, width)
        rows = math.ceil(len(panels) / columns)
        tall = edge * frame.height_share
        title = _LINE if len(panels) > 1 else 0.0
        pitch = title + tall + _GAP
        strip = _STRIP if frame.sample_metres or frame.north else 0.0
        notes = _notes(panels, width)
        legend = _Legend.of(entries, width - 2 * _MARGIN)
        below = _MARGIN + rows * pitch - _GAP + _BELOW
        height = below + strip + _LINE * len(notes) + legend.height + 2 * _MARGIN
        sheet = _Sheet(width, height)
        free = width - _LEFT - columns * edge - (columns - 1) * _GAP - _MARGIN
        start = _LEFT + max(0.0, free) / 2
        for number, panel in enumerate(panels):
            row, column = divmod(number, columns)
            left, top = start + column * (edge + _GAP), _MARGIN + row * pitch
            if title:
                sheet.text(left, top + _LINE / 2, f"({_letter(number)}) {panel.name}")
            axes = sheet.axes(left, top + title, edge, tall)
            lowest = number + columns >= len(panels)
            _draw(axes, panel.image, frame, (edge, tall), outer=(column == 0, lowest))
        if strip:
            _strip(sheet, frame, start, below + strip / 2, edge)
        for number, note in enumerate(notes):
            sheet.text(_MARGIN, below + strip + (number + 0.5) * _LINE, note, _SMALL)
        legend.draw(sheet, _MARGIN, below + strip + _LINE * len(notes))
        return sheet.figure


def legend_figure(entries: Sequence[Entry], width: float) -> Figure:
    """The legend alone.

    Args:
        entries: names and colours.
        width: inches.
    """
    with house_style():
        legend = _Legend.of(entries, width - 2 * _MARGIN)
        sheet = _Sheet(width, legend.height + 2 * _MARGIN)
        legend.draw(sheet, _MARGIN, _MARGIN)
        return sheet.figure


def _letter(number: int) -> str:
    return chr(ord("a") + number)


def _notes(panels: Sequence[Panel], width: float) -> list[str]:
    several = len(panels) > 1
    notes = [
        f"({_letter(number)}) {panel.note}" if several else panel.note
        for number, panel in enumerate(panels)
        if panel.note
    ]
    return [line for note in notes for line in textwrap.wrap(note, int(width / _LETTER))]


def _arrange(number: int, frame: MapFrame, width: float) -> tuple[int, float]:
    """The most columns whose panels are not too small, and the width of a panel."""
    share = frame.height_share
    for columns in range(number, 0, -1):
        edge = (width - _LEFT - _MARGIN - (columns - 1) * _GAP) / columns
        if columns == 1 or edge * math.sqrt(share) >= _LEAST_PANEL:
            rows = math.ceil(number / columns)
            return columns, min(edge, _TALLEST * width / (rows * share))
    raise AssertionError


def _draw(
    axes: Axes,
    image: Image,
    frame: MapFrame,
    size: tuple[float, float],
    outer: tuple[bool, bool],
) -> None:
    """A picture with its coordinates; those of inner panels have no numbers."""
    dots = _dotted(image, size)
    axes.imshow(
        dots, interpolation="none", aspect="auto", extent=(0, frame.samples, frame.lines, 0)
    )
    axes.grid(False)
    axes.spines[:].set(visible=True, color=INK, linewidth=0.6)
    width, height = size
    lower = _fitting(lower_ticks, frame, width, frame.samples)
    left = _fitting(left_ticks, frame, height, frame.lines)
    axes.set_xticks(lower.places, lower.labels if outer[1] else [""] * len(lower.places))
    axes.set_yticks(
        left.places, left.labels if outer[0] else [""] * len(left.places), rotation=90, va="center"
    )
    axes.tick_params(length=3, width=0.6, color=INK, labelsize=_SMALL, pad=2)
    for label, place in zip(axes.get_xticklabels(), lower.places, strict=True):
        label.set_horizontalalignment(
            _side(label.get_text(), width * place / frame.samples, width, *_ACROSS)
        )
    for label, place in zip(axes.get_yticklabels(), left.places, strict=True):
        label.set_verticalalignment(
            _side(label.get_text(), height * place / frame.lines, height, *_UPRIGHT)
        )
    if outer[1]:
        axes.set_xlabel(lower.title, size=_SMALL, labelpad=2)
    if outer[0]:
        axes.set_ylabel(left.title, size=_SMALL, labelpad=2)


def _fitting(
    ticks: Callable[[MapFrame, int], EdgeTicks], frame: MapFrame, length: float, pixels: int
) -> EdgeTicks:
    """The most coordinates that stand apart along an edge.

    Args:
        ticks: gives them.
        frame: of the scene.
        length: of the edge, inches.
        pixels: along it.
    """
    for most in range(_MOST_TICKS, 2, -1):
        found = ticks(frame, most)
        spans = []
        for label, place in zip(found.labels, found.places, strict=True):
            half = _half(label)
            middle = min(max(length * place / pixels, half), length - half)
            spans.append((middle - half, middle + half))
        spans.sort()
        if all(after[0] - before[1] >= _BETWEEN for before, after in pairwise(spans)):
            return found
    return ticks(frame, 2)


def _side(words: str, place: float, length: float, first: Any, middle: Any, last: Any) -> Any:
    """How a coordinate is aligned: within the ends of its edge, as others stand beyond.

    Args:
        words: of it.
        place: inches from the beginning of the edge.
        length: of the edge.
        first: the alignment near the beginning.
        middle: elsewhere.
        last: near the end.
    """
    half = _half(words)
    if place < half - _BEYOND:
        return first
    return last if place > length - half + _BEYOND else middle


def _half(words: str) -> float:
    return len(words) * _DIGIT / 2


def _dotted(image: Image, size: tuple[float, float]) -> Image:
    """Each pixel as often as fills its place in print, or every n-th where they are too many."""
    for axis, inches in ((0, size[1]), (1, size[0])):
        number, dots = image.shape[axis], inches * _DOTS
        if number > 2 * dots:
            image = image.take(np.arange(0, number, int(number // dots)), axis)
        elif number < dots:
            image = image.repeat(math.ceil(dots / number), axis)
    return image


def _strip(sheet: _Sheet, frame: MapFrame, left: float, middle: float, edge: float) -> None:
    if frame.north is not None:
        sheet.arrow((left + 0.15, middle), frame.north)
        left += 0.6
    if frame.sample_metres is None:
        return
    scene = frame.sample_metres * frame.samples
    metres = bar_metres(0.4 * scene)
    length = edge * metres / scene
    sheet.bar(left, middle, length)
    sheet.text(left + length + 0.1, middle, metres_text(metres), _SMALL)


@dataclass(frozen=True)
class _Legend:
    """Entries in columns as wide as the widest.

    Attributes:
        entries: names and colours.
        rows: of the legend.
        pitch: inches from column to column.
    """

    entries: Sequence[Entry]
    rows: int
    pitch: float

    @classmethod
    def of(cls, entries: Sequence[Entry], width: float) -> _Legend:
        named = [(shortened(name, _LONGEST), colour) for name, colour in entries]
        pitch = _SWATCH + 0.08 + _widest([name for name, _ in named]) + _GAP
        columns = max(1, min(len(named), int((width + _GAP) // pitch)))
        return cls(named, math.ceil(len(named) / columns), pitch)

    @property
    def height(self) -> float:
        return self.rows * _LINE

    def draw(self, sheet: _Sheet, left: float, top: float) -> None:
        for number, (name, colour) in enumerate(self.entries):
            column, row = divmod(number, self.rows)
            x, middle = left + column * self.pitch, top + (row + 0.5) * _LINE
            sheet.swatch(x, middle, colour)
            sheet.text(x + _SWATCH + 0.08, middle, name, _SMALL)


def _widest(names: Sequence[str]) -> float:
    figure = Figure(dpi=100)
    texts = [figure.text(0, 0, name, size=_SMALL, parse_math=False) for name in names]
    return max((text.get_window_extent().width / 100 for text in texts), default=0.0)
