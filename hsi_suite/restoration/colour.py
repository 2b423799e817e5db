"""Colour images as grey ones: luma, and opponent channels, whose noise is independent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

#: Shares of red, green and blue in luma (ITU-R 601).
LUMA = (0.299, 0.587, 0.114)
#: Rows: brightness, red against blue, red and blue against green. Orthogonal, and each scaled so
#: that colours from 0 to 1 keep to a range of one; orthonormal rows would not.
OPPONENT = np.array([[1 / 3, 1 / 3, 1 / 3], [1 / 2, 0, -1 / 2], [1 / 4, -1 / 2, 1 / 4]])
_CENTRE = np.array([0, 0.5, 0.5])

#: Noise of each opponent channel when red, green and blue have independent noise of σ 1.
NOISE_GAIN: tuple[float, ...] = tuple(float(gain) for gain in np.linalg.norm(OPPONENT, axis=1))


def to_opponent(image: Image) -> Image:
    """Opponent channels of an RGB image, the two of colour moved to around 0.5.

    Args:
        image: lines × samples × 3, values 0 to 1.

    Returns:
        3 × lines × samples, values 0 to 1.
    """
    channels = np.tensordot(OPPONENT.astype(np.float32), image, ([1], [2]))
    return np.asarray(channels + _CENTRE.astype(np.float32)[:, None, None], np.float32)


def from_opponent(channels: Image) -> Image:
    """The RGB image (lines × samples × 3) of opponent channels; inverse of `to_opponent`."""
    moved = channels - _CENTRE.astype(np.float32)[:, None, None]
    inverse = np.linalg.inv(OPPONENT).astype(np.float32)
    return np.ascontiguousarray(np.tensordot(moved, inverse, ([0], [1])), np.float32)
