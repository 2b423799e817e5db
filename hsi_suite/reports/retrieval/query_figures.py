"""What a search found, in pictures: score map, contact sheet, spectra, the common space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from ...palette import class_colours
from ...printable import shortened
from ..drawing import ACCENT, FAINT, INK, SECOND, house_style
from ..fonts import figure_names

_DPI = 150
_COLUMNS = 5
_TILE_INCHES = 1.5
_TILE_TITLE = 0.48
_MOST_CLASSES = 20

Picture = NDArray[np.uint8]


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
            names = figure_names(space.class_names, range(1, len(space.class_names) + 1))
            for label in range(len(space.class_names) + 1):
                chosen = space.labels == label
                if not chosen.any():
                    continue
                name = names[label - 1] if label else "unlabelled"
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
