"""Colours of a gallery, and the surroundings of its pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...palette import NO_DATA

_LEAST_REACH = 12


def coloured(
    values: NDArray[Any],
    levels: tuple[NDArray[np.float64], NDArray[np.float64]],
    good: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Three bands as red, green and blue.

    Args:
        values: lines × samples × 3.
        levels: what becomes black and what becomes full, for each band.
        good: lines × samples, False where there is no data.
    """
    low, high = levels
    with np.errstate(invalid="ignore", over="ignore"):
        shares = np.clip((values - low) / (high - low), 0, 1)
    picture = np.full(values.shape, NO_DATA, np.uint8)
    picture[good] = np.round(255 * shares[good]).astype(np.uint8)
    return picture


def surroundings(
    picture: NDArray[np.uint8], line: int, sample: int, reach: int
) -> NDArray[np.uint8]:
    """A square of 2 · reach + 1 pixels around one; grey beyond the borders."""
    image = np.full((2 * reach + 1, 2 * reach + 1, 3), NO_DATA, np.uint8)
    top, left = line - reach, sample - reach
    rows = slice(max(0, top), min(picture.shape[0], line + reach + 1))
    columns = slice(max(0, left), min(picture.shape[1], sample + reach + 1))
    inside = np.s_[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    image[inside] = picture[rows, columns]
    return image


def tile_reach(window: int) -> int:
    """How far the surroundings of a window are shown: three windows, at least 25 pixels wide."""
    return max(_LEAST_REACH, 3 * window // 2)
