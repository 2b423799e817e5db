"""A contact sheet of denoised photographs: the same detail of each before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..drawing import FAINT, INK
from .comparison import liveliest

#: How many photographs a sheet shows at most.
MOST = 120
_DETAIL = 128  # pixels of the photograph, each drawn as _ZOOM × _ZOOM
_ZOOM = 2
_SIDE = _DETAIL * _ZOOM
_COLUMNS = 3
_GAP, _SPACE, _MARGIN = 4, 28, 24
_TEXT, _LINE = 17, 24
_CAPTION = 2 * _LINE + 6
_PAPER, _MISSING = "#ffffff", "#f0f2f4"
_DOTS = "…"


@dataclass(frozen=True, eq=False)
class Detail:
    """A part of a photograph before and after.

    Attributes:
        before: lines × samples × 3, uint8, at most 128 × 128.
        after: of the same shape.
    """

    before: NDArray[np.uint8]
    after: NDArray[np.uint8]


def detail_of(
    noisy: NDArray[Any], denoised: NDArray[Any], white: float, black: float = 0.0
) -> Detail:
    """The part of an image where neighbouring pixels of the denoised one differ most.

    Args:
        noisy: lines × samples (× 3), as it is to be seen.
        denoised: of the same shape.
        white: the value drawn as white, above `black`.
        black: the value drawn as black.
    """
    line, sample = liveliest(denoised, white, _DETAIL)
    place = (slice(line, line + _DETAIL), slice(sample, sample + _DETAIL))
    first, second = (
        np.rint((image[place].astype(np.float32) - black) * (255 / white)).clip(0, 255)
        for image in (noisy, denoised)
    )
    return Detail(_in_colour(first.astype(np.uint8)), _in_colour(second.astype(np.uint8)))


def _in_colour(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.dstack([image] * 3) if image.ndim == 2 else np.array(image)


def contact_sheet(rows: Sequence[tuple[Detail, str, str]]) -> Image.Image:
    """Details side by side at twice their size, with two lines of text below each.

    Args:
        rows: of each photograph the detail, its name (without its folders, then its middle, where
            it is longer than the place) and what was done; the first `MOST` are shown.
    """
    rows = rows[:MOST]
    columns = min(len(rows), _COLUMNS)
    width, height = 2 * _SIDE + _GAP, _SIDE + _CAPTION
    lines = -(-len(rows) // columns)
    sheet = Image.new(
        "RGB",
        (
            2 * _MARGIN + columns * width + (columns - 1) * _SPACE,
            2 * _MARGIN + _LINE + lines * height + (lines - 1) * _SPACE,
        ),
        _PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    for column in range(columns):
        left = _MARGIN + column * (width + _SPACE)
        draw.text((left, _MARGIN - 4), "before", FAINT, _font())
        draw.text((left + _SIDE + _GAP, _MARGIN - 4), "after", FAINT, _font())
    for number, (detail, name, text) in enumerate(rows):
        left = _MARGIN + number % columns * (width + _SPACE)
        top = _MARGIN + _LINE + number // columns * (height + _SPACE)
        for place, image in ((left, detail.before), (left + _SIDE + _GAP, detail.after)):
            draw.rectangle((place, top, place + _SIDE - 1, top + _SIDE - 1), _MISSING)
            _paste(sheet, image, place, top)
        draw.text((left, top + _SIDE + 6), _fitting(name, width), INK, _font())
        draw.text((left, top + _SIDE + 6 + _LINE), _fitting(text, width), FAINT, _font())
    return sheet


def _paste(sheet: Image.Image, image: NDArray[np.uint8], left: int, top: int) -> None:
    large = image.repeat(_ZOOM, 0).repeat(_ZOOM, 1)
    down, right = ((_SIDE - size) // 2 for size in large.shape[:2])
    sheet.paste(Image.fromarray(large), (left + right, top + down))


@cache
def _font() -> ImageFont.FreeTypeFont:
    # It comes with matplotlib and has σ and the letters of most names.
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), _TEXT)


def _fitting(text: str, width: int) -> str:
    """Text without its folders, then without its middle, where it is wider than its place."""
    if _font().getlength(text) <= width:
        return text
    text = text.rpartition("/")[2]
    if _font().getlength(text) <= width:
        return text
    kept = len(text) - 1
    while kept > 2 and _font().getlength(_shortened(text, kept)) > width:
        kept -= 1
    return _shortened(text, kept)


def _shortened(text: str, kept: int) -> str:
    return text[: kept // 2] + _DOTS + text[len(text) - (kept - kept // 2) :]
