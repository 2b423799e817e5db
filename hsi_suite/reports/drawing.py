"""Figures without pyplot or global state, and their bytes: equal inputs give equal files."""

from __future__ import annotations

import base64
import io
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, cast

from matplotlib import rc_context, rcParams, style
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from ..atomic import atomic_file
from .fonts import LATIN, chinese_font, missing_signs

INK = "#24292f"
FAINT = "#8c959f"
ACCENT = "#0969da"
SECOND = "#bc4c00"

#: Pixels of a figure, which take 4 bytes each while it is drawn, and of its longer edge.
MOST_PIXELS = 40_000_000
LONGEST_EDGE = 30_000

# Whatever a figure says, an SVG is laid out in points.
_SVG_DPI = 72

# What the user's matplotlibrc says must not reach a figure: it is put aside while one is drawn.
_STYLE = {
    "axes.edgecolor": FAINT,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": "medium",
    "figure.dpi": 100,
    "font.size": 10,
    "grid.alpha": 0.3,
    "grid.color": FAINT,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "hsi_suite",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}

# Matplotlib's settings are the whole process's: one thread draws at a time.
_alone = threading.RLock()


@contextmanager
def house_style() -> Iterator[None]:
    """The project's figure style inside the block, whatever is set outside."""
    with _alone, rc_context(), missing_signs():
        # Its values are valid, and checking the 300 anew for every figure takes longer than some.
        dict.update(cast(dict[Any, Any], rcParams), _style())
        yield


@cache
def _style() -> dict[str, Any]:
    with rc_context(), style.context(["default", _STYLE], after_reset=True):
        values = dict(cast(dict[Any, Any], rcParams.copy()))
    # Reading it chooses one, which is the user's to do.
    del values["backend"]
    # Names of classes and files may be Chinese in a page of any language.
    values["font.family"] = [LATIN, *filter(None, [chinese_font()])]
    return values


def save_png(figure: Figure, path: Path, dpi: float | None = None) -> None:
    """Write a figure as PNG, whole or not at all.

    Args:
        figure: what to write.
        path: where to.
        dpi: pixels per inch; None for the figure's own, at which maps are drawn pixel by pixel.

    Raises:
        OutputError: the place cannot be written.
    """
    with atomic_file(Path(path)) as temporary:
        temporary.write_bytes(to_png(figure, dpi))


def to_png(figure: Figure, dpi: float | None = None, print_dpi: float | None = None) -> bytes:
    """A figure as the bytes of a PNG file, without dates or versions in it.

    Args:
        figure: what to write.
        dpi: pixels per inch of the figure; None for its own.
        print_dpi: what the file says of it, where it is printed in another size.
    """
    buffer = io.BytesIO()
    width, height = figure.get_size_inches()
    # Whatever a figure is made of, drawing it takes no more than this, and never an edge that
    # Agg refuses.
    most = min(math.sqrt(MOST_PIXELS / (width * height)), LONGEST_EDGE / max(width, height))
    dpi = min(dpi or figure.dpi, most)
    with house_style(), laid_out(figure, FigureCanvasAgg, dpi):
        said = {} if print_dpi is None else {"dpi": (print_dpi, print_dpi)}
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None}, pil_kwargs=said)
    return buffer.getvalue()


def to_svg(figure: Figure) -> str:
    """A figure as SVG text on a transparent ground, without dates or versions in it."""
    buffer = io.StringIO()
    nothing: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with house_style(), laid_out(figure, FigureCanvasSVG, _SVG_DPI):
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return buffer.getvalue()


@contextmanager
def laid_out(figure: Figure, canvas: type[FigureCanvasBase], dpi: float) -> Iterator[None]:
    """A figure whose layout stands inside the block; the bytes are those of `savefig` alone.

    Matplotlib draws a figure twice to save it, of which the first time serves its layout.

    Args:
        figure: its layout may be left to an engine or not.
        canvas: of the format it is saved in.
        dpi: that it is saved at.
    """
    engine = figure.get_layout_engine()
    if engine is None or not figure.axes:
        yield
        return
    before = figure.canvas, figure.dpi
    canvas(figure)
    figure.dpi = dpi
    # As where matplotlib does it: a figure too small for its texts is drawn as it is.
    with suppress(ValueError):
        engine.execute(figure)
    figure.canvas, figure.dpi = before
    # Not "none", which leaves a placeholder for which it would be drawn twice all the same.
    figure.set_layout_engine(None)
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


def data_uri(content: bytes | str, kind: str) -> str:
    """An image as a data URI.

    Args:
        content: the bytes of a PNG file or the text of an SVG file.
        kind: "png" or "svg+xml".
    """
    raw = content.encode() if isinstance(content, str) else content
    return f"data:image/{kind};base64,{base64.b64encode(raw).decode('ascii')}"
