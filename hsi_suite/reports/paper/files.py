"""The bytes of a paper's figures: PDF and SVG whose text stays text, and PNG.

Equal figures give equal files: nothing in them tells of dates, versions or the order of hashing.
"""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib import font_manager, rc_context
from matplotlib.backends import backend_mixed, backend_pdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from ..drawing import house_style, laid_out, to_png
from ..fonts import LATIN
from .figure import SCALE

#: Dots per inch of a PNG, in print.
DPI = 600
_POINTS = 72
_MM = 25.4
_FONTS: dict[Any, Any] = {"pdf.fonttype": 42, "pdf.compression": 6, "svg.fonttype": "none"}
# Neither has types.
_MIXED: Any = backend_mixed
_PDF: Any = backend_pdf
_NOTHING: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
# Matplotlib names a part of a font by a hash that is another one in every process.
_PREFIX = re.compile(rb"/[A-Z]{6}\+")


def to_pdf(figure: Figure) -> bytes:
    """A figure as PDF with its fonts embedded as TrueType, smaller by `SCALE`."""
    buffer = io.BytesIO()
    width, height = figure.get_size_inches()
    nothing: dict[str, Any] = dict.fromkeys(("CreationDate", "Producer", "Creator"))
    before = figure.dpi
    with house_style(), rc_context(_FONTS), laid_out(figure, _PDF.FigureCanvasPdf, _POINTS):
        figure.set_dpi(_POINTS)
        file = _PDF.PdfFile(buffer, metadata=nothing)
        try:
            # As matplotlib writes a page, but with all that follows made smaller.
            file.newPage(SCALE * width, SCALE * height)
            # Beyond these lines are left out.
            file.width, file.height = width, height
            file.output(SCALE, 0, 0, SCALE, 0, 0, _PDF.Op.concat_matrix)
            vectors = _PDF.RendererPdf(file, _POINTS, height, width)
            renderer = _MIXED.MixedModeRenderer(figure, width, height, _POINTS, vectors)
            figure.draw(renderer)
            renderer.finalize()
            file.finalize()
        finally:
            file.close()
            figure.set_dpi(before)
    return _PREFIX.sub(b"/HSIFIG+", buffer.getvalue())


def to_svg(figure: Figure) -> bytes:
    """A figure as SVG in millimetres, with the letters it uses embedded, smaller by `SCALE`."""
    buffer = io.StringIO()
    width, height = (SCALE * _MM * edge for edge in figure.get_size_inches())
    with house_style(), rc_context(_FONTS), laid_out(figure, FigureCanvasSVG, _POINTS):
        figure.savefig(buffer, format="svg", metadata=_NOTHING)
    text = buffer.getvalue()
    text = re.sub(r'(<svg [^>]*?)height="[^"]*"', rf'\1height="{height:.4g}mm"', text, count=1)
    text = re.sub(r'(<svg [^>]*?)width="[^"]*"', rf'\1width="{width:.4g}mm"', text, count=1)
    return _with_fonts(text).encode()


def to_print_png(figure: Figure) -> bytes:
    """A figure as PNG of `DPI` dots per inch in print."""
    return to_png(figure, DPI * SCALE, print_dpi=DPI)


FORMATS: Mapping[str, Callable[[Figure], bytes]] = {
    "pdf": to_pdf,
    "svg": to_svg,
    "png": to_print_png,
}


def _with_fonts(text: str) -> str:
    """An SVG with the parts of our font that its texts use."""
    used: dict[str, set[str]] = {}
    for element in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}text"):
        words = "".join(element.itertext())
        fonts = " ".join(each.get("style", "") for each in element.iter())
        weight = "bold" if re.search(r"\b(bold|700)\b", fonts) else "normal"
        used.setdefault(weight, set()).update(words)
    faces = "".join(_face(weight, used[weight]) for weight in sorted(used))
    # Behind the element's own tag, where the first definitions stand.
    place = text.index(">", text.index("<svg ")) + 1
    return f"{text[:place]}\n <style>{faces}</style>{text[place:]}" if faces else text


def _face(weight: str, letters: set[str]) -> str:
    properties = font_manager.FontProperties(family=LATIN, weight=weight)
    path = Path(font_manager.findfont(properties, directory=str(_font_folder())))
    options = subset.Options(flavor="woff", recalc_timestamp=False, notdef_outline=True)
    # It tells of tables that it drops, which are those that only matter while a font is made.
    logging.getLogger("fontTools.subset").setLevel(logging.ERROR)
    with TTFont(path, recalcTimestamp=False) as font:
        part = subset.Subsetter(options)
        part.populate(text="".join(sorted(letters)))
        part.subset(font)
        buffer = io.BytesIO()
        font.flavor = "woff"
        font.save(buffer)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'@font-face{{font-family:"{LATIN}";font-weight:{weight};'
        f'src:url("data:font/woff;base64,{data}") format("woff")}}'
    )


def _font_folder() -> Path:
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"
