"""How sure a map is of each pixel, from the class probabilities."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

UNCERTAINTY_BANDS = ("largest probability", "margin", "normalised entropy")


def uncertainty_layers(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Three measures for each pixel, in the order of `UNCERTAINTY_BANDS`.

    The largest probability; the margin, how far the second largest lies below it; and Shannon's
    entropy −Σ p ln p divided by that of equal probabilities, ln C of C classes. All lie between
    0 and 1; a sure pixel has 1, 1, 0.

    Args:
        probabilities: lines × samples × classes, NaN where there is no data.

    Returns:
        lines × samples × 3, NaN where there is no data.
    """
    lines, samples, classes = probabilities.shape
    layers = np.empty((lines, samples, len(UNCERTAINTY_BANDS)), np.float32)
    # Line by line, so that what is computed between takes no memory of a strip's size.
    for line, rows in zip(layers, probabilities, strict=True):
        most = rows.max(axis=1)
        if classes == 1:
            line[:, 0], line[:, 1], line[:, 2] = most, most, 0 * most
            continue
        second = np.partition(rows, classes - 2, axis=1)[:, classes - 2]
        logarithms = np.log(rows, out=np.zeros_like(rows), where=rows != 0)
        entropy = -(rows * logarithms).sum(axis=1) / math.log(classes)
        # Rounding may leave a sum of probabilities a little above 1.
        line[:, 0], line[:, 1], line[:, 2] = most, most - second, np.clip(entropy, 0, 1)
        line[np.isnan(most)] = np.nan
    return layers
