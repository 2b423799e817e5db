"""One colour for each class, the same in every map, figure and file."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

# Hand-picked for contrast between neighbours in the list; later classes walk the hue circle by
# the golden ratio, which never repeats a hue.
_FIRST = bytes.fromhex(
    "e6194b 3cb44b ffe119 4363d8 f58231 911eb4 46f0f0 f032e6 bcf60c fabebe "
    "008080 e6beff 9a6324 fffac8 800000 aaffc3 808000 ffd8b1 5b7fb8 a9a9a9"
)
_GOLDEN = 0.618033988749895


def class_colours(num_classes: int) -> NDArray[np.uint8]:
    """RGB colours of the labels 0 … num_classes, (num_classes + 1) × 3; 0 (unlabelled) is black."""
    rows = [(0, 0, 0)]
    for index in range(num_classes):
        if 3 * index < len(_FIRST):
            red, green, blue = _FIRST[3 * index : 3 * index + 3]
        else:
            hue = (index * _GOLDEN) % 1.0
            unit = colorsys.hsv_to_rgb(hue, 0.65, 0.55 + 0.4 * (index % 2))
            red, green, blue = (int(255 * part) for part in unit)
        rows.append((red, green, blue))
    return np.array(rows, dtype=np.uint8)
