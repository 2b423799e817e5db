"""Every colour that means something, in one place: classes are coloured, all else is grey.

They were searched for as `python -m benchmarks.palette --fit` does; without it that prints how far
they are apart for normal eyes and for those without one kind of cone. A class has the same colour
in every map, figure and file. Parts of a split, unlabelled pixels and those without data are greys,
which no class comes near; right is blue and wrong is orange.
"""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]

# The nine first are the farthest apart; later classes than these walk the hue circle by the golden
# ratio, which never repeats a hue, but comes near.
_FIRST = bytes.fromhex(
    "880000 2200ee 44ffbb ffbb00 bbccff 771166 119966 aa66ff ee3300 bb88bb "
    "55cc77 995599 88aaff bbff88 664433 334499 bb2211 ff7700 bb5544 2255ee"
)
_GOLDEN = 0.618033988749895

UNLABELLED: Colour = (0, 0, 0)
NO_DATA: Colour = (223, 223, 223)
#: What the pixels of a split are for, and their greys: the nearer to training the lighter.
SPLIT_PARTS = ("unlabelled", "training", "validation", "test", "guard or left out")
SPLIT_COLOURS = np.repeat(np.array([0, 255, 190, 125, 60], np.uint8)[:, None], 3, axis=1)
#: Of answers to test pixels.
RIGHT: Colour = (31, 111, 214)
WRONG: Colour = (242, 140, 0)
#: A pixel of training that is tested as well: a fault of a split.
BOTH: Colour = (119, 17, 102)

#: Of the lines and bars of charts, on white and on dark ground.
SERIES = (
    "#8f82f7", "#f78200", "#8f4e82", "#4ec38f", "#d00000", "#c39cc3", "#41754e", "#8227f7",
)  # fmt: skip


def class_colours(num_classes: int) -> NDArray[np.uint8]:
    """RGB colours of the labels 0 … num_classes, (num_classes + 1) × 3; 0 (unlabelled) is black."""
    rows = [UNLABELLED]
    for index in range(num_classes):
        if 3 * index < len(_FIRST):
            red, green, blue = _FIRST[3 * index : 3 * index + 3]
        else:
            hue = (index * _GOLDEN) % 1.0
            unit = colorsys.hsv_to_rgb(hue, 0.65, 0.55 + 0.4 * (index % 2))
            red, green, blue = (int(255 * part) for part in unit)
        rows.append((red, green, blue))
    return np.array(rows, dtype=np.uint8)


def fold_colours(folds: int) -> NDArray[np.uint8]:
    """Greys of unlabelled pixels, of each fold and of those that no fold tests, (folds + 2) × 3."""
    levels = np.round(np.linspace(250, 100, folds)).astype(np.uint8)
    greys = [SPLIT_COLOURS[0, 0], *levels, SPLIT_COLOURS[-1, 0]]
    return np.repeat(np.array(greys, np.uint8)[:, None], 3, axis=1)
