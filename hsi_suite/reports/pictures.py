"""Figures and PNG files as pictures of a page."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from matplotlib.figure import Figure as Drawing

from .content import metric_words, value_text
from .document import Figure, Picture, Section, Table
from .drawing import INK, data_uri, to_png, to_svg
from .figures import has_curves, learning_curves_figure
from .languages.figures import translate_figure
from .paper.figure import Draw, fitted, picture_figure

_DARK_INK = "#d1d7e0"
_LARGEST_SVG = 400_000  # characters; a chart of more elements than that goes in as PNG


def photograph(png: bytes, alt: str, caption: str, name: str = "") -> Figure:
    """A PNG file, drawn at twice the size it is shown at: sharp on dense screens.

    Args:
        png: its bytes.
        alt: what it shows.
        caption: what stands below it.
        name: of a file of its own, see `Picture`; empty where others show the same.
    """
    # Width and height stand at a fixed place in every PNG file.
    width, height = struct.unpack(">II", png[16:24])
    uri = data_uri(png, "png")
    draw = (lambda inches: picture_figure(png, name, inches)) if name else None
    picture = Picture(uri, uri, width // 2, height // 2, alt, caption, name=name, draw=draw)
    return Figure([picture])


def raster(drawing: Drawing, alt: str, caption: str) -> Figure:
    """A drawing as PNG, at its own number of pixels to the inch."""
    translate_figure(drawing)
    width, height = _size(drawing)
    uri = data_uri(to_png(drawing), "png")
    picture = Picture(uri, uri, width, height, alt, caption, draw=partial(fitted, drawing))
    return Figure([picture])


def chart(
    drawing: Drawing,
    alt: str,
    caption: str,
    tables: Sequence[Table] = (),
    *,
    name: str = "",
    draw: Draw | None = None,
) -> Figure:
    """A drawing as SVG, with its ink lightened for dark pages; large ones as PNG.

    Args:
        drawing: of the page.
        alt: what it shows.
        caption: what stands below it.
        tables: the numbers it is drawn from.
        name: of a file of its own; empty for that of its section.
        draw: makes it in another width; None where it only has to be laid out anew.
    """
    draw = draw or partial(fitted, drawing)
    translate_figure(drawing)
    width, height = _size(drawing)
    svg = to_svg(drawing)
    if len(svg) > _LARGEST_SVG:
        uri = data_uri(to_png(drawing, 192), "png")
        picture = Picture(uri, uri, width, height, alt, caption, name=name, draw=draw)
        return Figure([picture], tables)
    light, dark = (data_uri(text, "svg+xml") for text in (svg, svg.replace(INK, _DARK_INK)))
    picture = Picture(light, dark, width, height, alt, caption, name=name, draw=draw)
    return Figure([picture], tables)


def _size(drawing: Drawing) -> tuple[int, int]:
    width, height = drawing.get_size_inches()
    return round(96 * width), round(96 * height)


def curves_section(
    history: Sequence[Mapping[str, Any]], epoch: int | None, note: str = ""
) -> list[Section]:
    """The learning curves; nothing where there are none.

    Args:
        history: a row of figures for each epoch.
        epoch: whose model was kept; None or 0 where it is not known.
        note: what to know of the curves.
    """
    if not has_curves(history):
        return []
    last = {key: value for key, value in history[-1].items() if key != "epoch"}
    ends = ", ".join(f"{metric_words(key)} {value_text(value)}" for key, value in last.items())
    caption = f"Learning curves; after {len(history)} epochs: {ends}."
    if epoch:
        caption += f" The model is that of epoch {epoch}."
    if note:
        caption += f" {note}"
    alt = f"Learning curves over {len(history)} epochs."
    return [Section("Learning curves", [chart(learning_curves_figure(history), alt, caption)])]
