"""What a search found, in pictures: score map, contact sheet, spectra, the common space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from ...palette import class_colours
from ...printable import shortened
from ..drawing import ACCENT, FAINT, INK, SECOND, house_style

_DPI = 150
_PANEL_INCHES = 4.6
_COLUMNS = 5
_TILE_INCHES = 1.5
_TILE_TITLE = 0.48
_MOST_NUMBERED = 9
# In points: the ring of a match, half a number with its ground, and where numbers are tried.
_RING = 3.3
_HALF = np.array([4.2, 4.8])
_RADII = (9.0, 15.0, 22.0, 30.0, 39.0, 50.0)
_ANGLES = (45, 0, 90, 315, 135, 270, 180, 225)
_MOST_CLASSES = 20

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class ScaleBar:
    """A length to be drawn into a map.

    Attributes:
        pixels: its length in pixels of the map.
        text: the same in words: "200 m", "20 pixels".
    """

    pixels: float
    text: str


@dataclass(frozen=True, eq=False)
class Tile:
    """One match on a contact sheet.

    Attributes:
        image: its surroundings, lines × samples × 3.
        box: left, top, width and height of what was compared, in pixels of the image.
        caption: up to three short lines.
    """

    image: Picture
    box: tuple[float, float, float, float]
    caption: str


@dataclass(frozen=True, eq=False)
class CommonSpace:
    """Some rows of a gallery, a query and its matches, in two dimensions.

    Attributes:
        points: N × 2.
        labels: of each point, 0 = unlabelled; None where none are known.
        class_names: of the labels from 1 on.
        scores: of each point, its similarity to the query.
        matches: K × 2.
        query: 2 numbers.
        share: of the variance of the rows that the two dimensions show.
    """

    points: NDArray[np.float64]
    labels: NDArray[np.integer] | None
    class_names: Sequence[str]
    scores: NDArray[np.float32]
    matches: NDArray[np.float64]
    query: NDArray[np.float64]
    share: float


def similarity_text(score: float) -> str:
    """A similarity with four digits; only equal rows read 1."""
    text = f"{score:.4f}"
    return "0.9999" if score < 1 and float(text) >= 1 else text


def score_map_figure(
    scores: NDArray[np.float32],
    picture: Picture,
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


def contact_sheet_figure(tiles: Sequence[Tile], title: str) -> Figure:
    """The matches in a grid, best first, each in its surroundings.

    Args:
        tiles: at least one.
        title: what was looked for.
    """
    columns = min(_COLUMNS, max(3, len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    top = 0.4
    height = (_TILE_INCHES + _TILE_TITLE) * rows + top
    with house_style():
        figure = Figure(figsize=(_TILE_INCHES * columns * 1.08, height), dpi=_DPI)
        figure.suptitle(shortened(title, 80), size=10, y=1 - 0.12 / height, va="top")
        grid = figure.subplots(rows, columns, squeeze=False)
        figure.subplots_adjust(
            left=0.01,
            right=0.99,
            bottom=0.05 / height,
            top=1 - (top + _TILE_TITLE) / height,
            wspace=0.08,
            hspace=_TILE_TITLE / _TILE_INCHES * 1.05,
        )
        for axes in grid.flat:
            axes.set_axis_off()
        for axes, tile in zip(grid.flat, tiles, strict=False):
            axes.imshow(tile.image, interpolation="nearest")
            x, y, across, down = tile.box
            for colour, line in (("black", 2.2), ("white", 1.0)):
                axes.add_patch(
                    Rectangle((x, y), across, down, fill=False, edgecolor=colour, linewidth=line)
                )
            axes.set_title(tile.caption, size=7.5, parse_math=False, pad=3)
    return figure


def query_spectra_figure(
    places: NDArray[np.float64],
    query: NDArray[np.float64],
    spectra: NDArray[np.float64],
    unit: str,
    count: int,
) -> Figure:
    """The query's spectrum against the mean spectrum of the best matches.

    Args:
        places: of the bands, in nm or as numbers.
        query: in each band, at the level of the matches; NaN where not measured. Empty for a query
            without a spectrum.
        spectra: of the matches, K × bands, NaN where the scene has none.
        unit: of the places.
        count: matches that the mean is of.
    """
    order = np.argsort(places, kind="stable")
    x = places[order]
    # A line over a gap (removed water bands) would show what nobody measured.
    steps = np.diff(x)
    breaks = np.flatnonzero(steps > 3 * np.median(steps)) + 1 if len(steps) else np.array([], int)

    def broken(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.insert(values[order], breaks, np.nan)

    x = np.insert(x, breaks, np.nan)
    with house_style():
        figure = Figure(figsize=(7.4, 3.4), layout="constrained")
        axes = figure.add_subplot()
        low, high = broken(spectra.min(0)), broken(spectra.max(0))
        axes.fill_between(x, low, high, color=ACCENT, alpha=0.18, linewidth=0)
        words = f"best {count} matches: mean, least to most"
        axes.plot(x, broken(spectra.mean(0)), color=ACCENT, linewidth=1.6, label=words)
        if len(query):
            axes.plot(x, broken(query), color=SECOND, linewidth=1.6, label="query, at their level")
        axes.set(xlabel="wavelength, nm" if unit == "nm" else "band", ylabel="units of the gallery")
        axes.legend(loc="best", fontsize="small")
    return figure


def common_space_figure(space: CommonSpace) -> Figure:
    """Rows of the gallery by class or similarity, with the query and its matches among them."""
    with house_style():
        figure = Figure(figsize=(6.4, 4.4), layout="constrained")
        axes = figure.add_subplot()
        x, y = space.points.T
        if space.labels is not None and len(space.class_names) <= _MOST_CLASSES:
            colours = class_colours(len(space.class_names)) / 255
            for label in range(len(space.class_names) + 1):
                chosen = space.labels == label
                if not chosen.any():
                    continue
                name = space.class_names[label - 1] if label else "unlabelled"
                colour = colours[label] if label else FAINT
                words = shortened(name, 24).replace("$", r"\$").lstrip("_")
                axes.scatter(x[chosen], y[chosen], s=5, color=colour, linewidths=0, label=words)
        else:
            dots = axes.scatter(x, y, s=5, c=space.scores, cmap="viridis", linewidths=0)
            figure.colorbar(dots, ax=axes, label="cosine similarity")
        x, y = space.matches.T
        axes.scatter(x, y, s=26, facecolors="none", edgecolors=INK, label="best matches")
        x, y = space.query[:, None]
        axes.scatter(x, y, s=190, marker="*", color=SECOND, edgecolors="white", label="query")
        axes.set(
            xlabel="first principal component of the rows",
            ylabel="second principal component",
        )
        figure.legend(loc="outside right upper", fontsize="small", markerscale=1.2)
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
