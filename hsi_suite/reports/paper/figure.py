"""A figure of a paper: drawn for a width in millimetres, with text of one size whatever it is."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from PIL import Image

from ...errors import RunError
from ...guard import parsing

#: What is an inch on a page of ours is so much of an inch in print: text of 10 points has 7 there.
SCALE = 0.7
#: Widths of one and of two columns, as most journals have them, mm.
ONE_COLUMN, TWO_COLUMNS = 88.0, 180.0
# Beyond this width in print a figure that is drawn for a page takes two columns.
_MOST_FOR_ONE = 120.0
_MM = 25.4
# Panels side by side become narrower than this no more, inches on a page; they go below each other.
_NARROWEST_PANEL = 2.6
_LARGEST_STRETCH = 1.3
# Panels below each other are lower than those side by side.
_LOWER = 0.75

Draw = Callable[[float], Figure]
"""Makes a drawing so many inches wide, as on a page: in print it is smaller by `SCALE`."""


@dataclass(frozen=True)
class PaperFigure:
    """A figure that can be written as a file.

    Attributes:
        name: of the file, without its ending.
        caption: what it shows, in whole sentences.
        draw: makes it, with a layout engine or without.
        natural: the width it is drawn for on a page, inches.
    """

    name: str
    caption: str
    draw: Draw
    natural: float

    def width(self, asked: float | None) -> float:
        """How wide it is in print, mm: as asked for, or the narrowest column it has room in."""
        if asked is not None:
            return asked
        return ONE_COLUMN if self.natural * SCALE * _MM <= _MOST_FOR_ONE else TWO_COLUMNS

    def drawing(self, width: float) -> Figure:
        """The drawing for a width in print, mm."""
        return self.draw(page_inches(width))


def page_inches(millimetres: float) -> float:
    """Inches on a page of what measures so many millimetres in print."""
    return millimetres / _MM / SCALE


def print_millimetres(inches: float) -> float:
    """Millimetres in print of what measures so many inches on a page."""
    return inches * SCALE * _MM


def fitted(drawing: Figure, width: float) -> Figure:
    """A page's drawing made so many inches wide; its own text keeps its size.

    Panels that would become too narrow side by side go below each other. The height stays, or
    grows a little with a wider figure.

    Args:
        drawing: with a layout engine, which lays it out anew.
        width: inches.
    """
    own, height = drawing.get_size_inches()
    columns = _columns(drawing)
    if columns > 1 and width / columns < _NARROWEST_PANEL:
        wanted = max(1, int(width // _NARROWEST_PANEL))
        rows = math.ceil(len(drawing.axes) / wanted)
        height *= _LOWER * rows / math.ceil(len(drawing.axes) / columns)
        grid = GridSpec(rows, wanted, figure=drawing)
        for place, axes in enumerate(drawing.axes):
            axes.set_subplotspec(grid[divmod(place, wanted)])
    stretch = min(max(width / own, 1.0), _LARGEST_STRETCH) if columns == 1 else 1.0
    drawing.set_size_inches(width, height * stretch)
    return drawing


def picture_figure(png: bytes, name: str, width: float) -> Figure:
    """A picture of pixels as a figure so many inches wide, pixel by pixel.

    Args:
        png: the bytes of a PNG file.
        name: of the file without its ending, for messages.
        width: inches.

    Raises:
        RunError: the file is damaged.
    """
    remedy = "delete it to leave it out"
    with (
        parsing(f"{name}.png", "what hsi drew", remedy, kind=RunError),
        Image.open(io.BytesIO(png)) as opened,
    ):
        pixels = np.asarray(opened.convert("RGB"))
    figure = Figure(figsize=(width, width * pixels.shape[0] / pixels.shape[1]))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.imshow(pixels, interpolation="none", aspect="auto")
    return figure


def _columns(drawing: Figure) -> int:
    """How many panels stand side by side and can be parted; 1 where they share an axis."""
    specs = [axes.get_subplotspec() for axes in drawing.axes]
    if len(specs) < 2 or any(spec is None for spec in specs):
        return 1
    shared = [
        axes for axes in drawing.axes
        if len(axes.get_shared_y_axes().get_siblings(axes)) > 1
        or len(axes.get_shared_x_axes().get_siblings(axes)) > 1
    ]  # fmt: skip
    grids = {id(spec.get_gridspec()) for spec in specs if spec is not None}
    if shared or len(grids) > 1:
        return 1
    return int(np.max([spec.colspan.stop for spec in specs if spec is not None]))
