"""The kinds of drawings, and one of them at random."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .cells import codes, mosaics, screens
from .charts import charts
from .shapes import line_art, shapes
from .text import pages, signs

Pixels = NDArray[np.uint8]
Generator = np.random.Generator
Draw = Callable[[int, Generator], Image.Image]

#: What draws a square picture in colour, of a side in pixels, by the name of its kind.
KINDS: dict[str, Draw] = {
    "pages": pages,
    "signs": signs,
    "line_art": line_art,
    "shapes": shapes,
    "charts": charts,
    "codes": codes,
    "mosaics": mosaics,
    "screens": screens,
}
# Pages of text are what is seen most, and what is hurt most easily.
_SHARES = {"pages": 2.0, "mosaics": 1.5}
_PANELS = 0.2
# Smaller pictures are the corners of such.
_LEAST = 32
_NEGATIVE = 0.1


def draw_kind(kind: str, side: int, generator: Generator) -> Pixels:
    """A picture of one of `KINDS`: side × side × 3, sRGB of 8 bits."""
    whole = np.array(KINDS[kind](max(side, _LEAST), generator))
    return np.ascontiguousarray(whole[:side, :side])


def draw_picture(side: int, generator: Generator) -> Pixels:
    """A picture of any kind, or with panels of several; now and then with all colours turned round.

    Args:
        side: lines and samples.
        generator: of all that is drawn at random.

    Returns:
        side × side × 3, sRGB of 8 bits.
    """
    picture = _any_kind(side, generator)
    if generator.random() < _PANELS:
        for _ in range(generator.integers(1, 4)):
            height, width = generator.integers(side // 4, side + 1, 2)
            line, sample = (generator.integers(0, side - size + 1) for size in (height, width))
            panel = _any_kind(int(max(height, width)), generator)[:height, :width]
            picture[line : line + height, sample : sample + width] = panel
    return 255 - picture if generator.random() < _NEGATIVE else picture


def _any_kind(side: int, generator: Generator) -> Pixels:
    names = tuple(KINDS)
    shares = np.array([_SHARES.get(name, 1.0) for name in names])
    place = np.searchsorted(np.cumsum(shares) / shares.sum(), generator.random(), side="right")
    return draw_kind(names[place], side, generator)
