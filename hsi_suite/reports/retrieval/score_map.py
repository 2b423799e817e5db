"""The score map of a search: a gallery with its numbered matches beside every similarity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from ...printable import shortened
from ..drawing import house_style

_DPI = 150
_PANEL_INCHES = 4.6
_MOST_NUMBERED = 9
# In points: the ring of a match, half a number with its ground, and where numbers are tried.
_RING = 3.3
_HALF = np.array([4.2, 4.8])
_RADII = (9.0, 15.0, 22.0, 30.0, 39.0, 50.0)
_ANGLES = (45, 0, 90, 315, 135, 270, 180, 225)


@dataclass(frozen=True)
class ScaleBar:
    """A length to be drawn into a map.

    Attributes:
        pixels: its length in pixels of the map.
        text: the same in words: "200 m", "20 pixels".
    """

    pixels: float
    text: str


def score_map_figure(
    scores: NDArray[np.float32],
    picture: NDArray[np.uint8],
    matches: NDArray[np.integer],
    bar: ScaleBar,
    title: str,
    step: int = 1,
) -> Figure:
    """The gallery with its numbered matches beside the similarity of every pixel.

    Args:
        scores: lines × samples of similarities; NaN where there is no item.
        picture: the gallery in colours; as large as the map times `step`, or a little smaller.
        matches: line and sample in the picture, best first, K × 2.
        bar: the length drawn into both.
        title: what was looked for.
        step: pixels of the picture for one of the map.
    """
    lines, samples = picture.shape[:2]
    width = _PANEL_INCHES * min(1.0, 1.6 * samples / lines)
    height = width * lines / samples
    with house_style():
        figure = Figure(figsize=(2 * width + 1.3, height + 1.0), dpi=_DPI, layout="constrained")
        figure.suptitle(shortened(title, 90), size=11, parse_math=False)
        left, right = figure.subplots(1, 2)
        extent = (-0.5, samples - 0.5, lines - 0.5, -0.5)
        thin = math.ceil(max(lines, samples) / (_PANEL_INCHES * _DPI * 2))
        left.imshow(picture[::thin, ::thin], interpolation="nearest", extent=extent)
        left.set_title("gallery and best matches", size=10)
        # The item of a coarser map stands in the middle of its pixel.
        edge = (step - 1) / 2 + 0.5
        spread = (-edge, scores.shape[1] * step - edge, scores.shape[0] * step - edge, -edge)
        thin = math.ceil(max(scores.shape) / (_PANEL_INCHES * _DPI * 2))
        good = scores[np.isfinite(scores)]
        low, high = float(np.percentile(good, 2)), float(good.max())
        image = right.imshow(
            scores[::thin, ::thin],
            cmap="viridis",
            vmin=low if low < high else high - 1e-6,
            vmax=high,
            interpolation="nearest",
            extent=spread,
        )
        right.set(xlim=(-0.5, samples - 0.5), ylim=(lines - 0.5, -0.5))
        right.set_facecolor("#d0d0d0")
        right.set_title("similarity to the query", size=10)
        figure.colorbar(image, ax=right, shrink=0.9, label="cosine similarity", extend="min")
        for axes, ink, numbered in ((left, "white", True), (right, "#ff4d4d", False)):
            _mark(axes, matches, ink, numbered, samples / (72 * width))
            _draw_bar(axes, bar, lines, samples)
            axes.grid(False)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
    return figure


def _mark(axes: Axes, matches: NDArray[np.integer], ink: str, numbered: bool, point: float) -> None:
    """Rings around matches, and the numbers of the best; `point` in pixels of the picture."""
    across, down = (sorted(limits) for limits in (axes.get_xlim(), axes.get_ylim()))
    corners = np.array([across, down]) / point
    places = matches[:, ::-1] / point
    offsets = number_offsets(places[:_MOST_NUMBERED], places, corners) if numbered else []
    for rank, (line, sample) in enumerate(matches, 1):
        axes.plot(
            sample, line, "o", markersize=5, fillstyle="none", color="black", markeredgewidth=1.6
        )
        axes.plot(sample, line, "o", markersize=5, fillstyle="none", color=ink, markeredgewidth=0.8)
        if rank <= len(offsets):
            right, up = offsets[rank - 1]
            text = axes.annotate(
                str(rank),
                (sample, line),
                (right, up),
                textcoords="offset points",
                size=7,
                color=ink,
                ha="center",
                va="center",
                arrowprops={"arrowstyle": "-", "color": ink, "linewidth": 0.5, "shrinkB": 2.5},
            )
            text.set_bbox({"facecolor": "black", "alpha": 0.45, "pad": 0.6, "edgecolor": "none"})


def number_offsets(
    places: NDArray[np.floating], rings: NDArray[np.floating], corners: NDArray[np.floating]
) -> list[tuple[float, float]]:
    """Where numbers stand beside their matches, so that each can be read.

    Args:
        places: of the matches that are numbered, across and down in points, best first.
        rings: of all matches, in the same units.
        corners: least and greatest place across, and down.

    Returns:
        For each number how far right and up of its match its middle stands, in points.
    """
    taken: list[NDArray[np.floating]] = []
    offsets = []
    for place in places:
        best, least = np.zeros(2), math.inf
        for radius in _RADII:
            for angle in np.deg2rad(_ANGLES):
                middle = place + radius * np.array([math.cos(angle), -math.sin(angle)])
                inside = (corners[:, 0] <= middle - _HALF) & (middle + _HALF <= corners[:, 1])
                hidden = np.abs(rings - middle) < _HALF + _RING
                over = sum(bool((np.abs(other - middle) < 2 * _HALF).all()) for other in taken)
                # Numbers upon each other are worst, then those that leave the picture.
                cost = 1000 * over + 100 * (not inside.all()) + int(hidden.all(1).sum())
                if cost < least:
                    best, least = middle, cost
            if least == 0:
                break
        taken.append(best)
        right, down = best - place
        offsets.append((float(right), float(-down)))
    return offsets


def _draw_bar(axes: Axes, bar: ScaleBar, lines: int, samples: int) -> None:
    left, bottom, thick = 0.04 * samples, 0.955 * lines, max(1.0, 0.012 * lines)
    for grow, colour in ((0.35, "black"), (0.0, "white")):
        axes.add_patch(
            Rectangle(
                (left - grow * thick, bottom - (1 + grow) * thick),
                bar.pixels + 2 * grow * thick,
                (1 + 2 * grow) * thick,
                facecolor=colour,
                edgecolor="none",
            )
        )
    text = axes.text(
        left, bottom - 1.9 * thick, bar.text, size=8, color="white", va="bottom", parse_math=False
    )
    text.set_bbox({"facecolor": "black", "alpha": 0.45, "pad": 1.0, "edgecolor": "none"})
