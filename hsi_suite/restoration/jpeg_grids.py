"""Where the blocks of a JPEG may begin in pixels that were decoded from it.

Coarse JPEG shows its blocks at their edges. Fine JPEG does not, but the cosine transforms of its
blocks, and those of no others, lie on multiples of its steps, and so does what a finer JPEG with
its blocks elsewhere has made of them (after the periodicity maps of Bianchi and Piva, IEEE TIFS
2012).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

BLOCK = 8
Plane = NDArray[np.float32]
Corner = tuple[int, int]

# Of a step between two columns of blocks: larger ones are the picture's.
_LARGEST_STEP = 20.0
_COSINES = np.asarray(fft.dct(np.eye(BLOCK), axis=0, norm="ortho"), np.float32)
# Vertical and horizontal frequency of what is looked at: few others hold much.
_FREQUENCIES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2), (0, 3), (3, 0))
# Histograms of magnitudes, 0 to 256; what rounds to 0 is of no step, and left out.
_BIN, _BINS, _NOTHING = 0.5, 512, 3
# Their transforms, padded to twice that, from steps of 51 down to 3.
_PERIODS = slice(10, 170)
# Two JPEGs one after the other have two grids.
_MOST = 2


def likely_corners(luma: Plane) -> list[Corner]:
    """First lines and samples at which blocks may begin, 0 to 7 each: the likeliest.

    The first is `edge_corner`; up to two others, by the steps, follow it.

    Args:
        luma: lines × samples, at least 16 × 16, on the scale 0 to 255.
    """
    order = np.argsort(-_periodicity(luma), axis=None, kind="stable")[:_MOST].tolist()
    # Each once, in this order.
    return list(dict.fromkeys([edge_corner(luma), *(divmod(place, BLOCK) for place in order)]))


def edge_corner(luma: Plane) -> Corner:
    """The one of these that edges of blocks tell; same argument."""
    down, across = (_edges(np.moveaxis(luma, axis, 0)) for axis in (0, 1))
    return down, across


def _edges(values: Plane) -> int:
    """Where blocks begin along the first axis: there neighbours differ more than beside it."""
    steps = np.abs(np.diff(values, axis=0))
    surplus = steps[1:-1] - (steps[:-2] + steps[2:]) / 2
    rows = surplus.clip(-_LARGEST_STEP, _LARGEST_STEP).mean(1)
    means = [rows[start::BLOCK].mean() for start in range(BLOCK)]
    # The first of these rows lies between the values 1 and 2.
    return (int(np.argmax(means)) + 2) % BLOCK


def _periodicity(luma: Plane) -> NDArray[np.float64]:
    """For each of the 8 × 8 corners, how much likelier than others it is to have steps."""
    total = np.zeros(BLOCK * BLOCK)
    for down, across in _FREQUENCIES:
        counts = _histograms(_sliding(luma, down, across))
        counts[:, :_NOTHING] = 0
        counts /= np.sqrt(counts.sum(1, keepdims=True) + 1)
        waves = np.abs(np.fft.rfft(counts, 2 * _BINS, axis=1))[:, _PERIODS]
        total += (waves - np.median(waves, 0)).max(1)
    return total.reshape(BLOCK, BLOCK)


def _sliding(luma: Plane, down: int, across: int) -> Plane:
    """One frequency of the blocks that begin at each pixel, wherever a whole one does."""
    return _along(_along(luma, _COSINES[down]).T, _COSINES[across]).T


def _along(values: Plane, cosine: Plane) -> Plane:
    count = len(values) - BLOCK + 1
    return np.asarray(
        sum(weight * values[place : place + count] for place, weight in enumerate(cosine))
    )


def _histograms(values: Plane) -> NDArray[np.float64]:
    """Those of the magnitudes at each of the 8 × 8 corners, 64 × bins."""
    lines, samples = (np.arange(size) % BLOCK for size in values.shape)
    level = np.rint(np.abs(values) / _BIN).clip(max=_BINS - 1).astype(np.intp)
    codes = (lines[:, None] * BLOCK + samples) * _BINS + level
    counts = np.bincount(codes.ravel(), minlength=BLOCK * BLOCK * _BINS)
    return counts.reshape(BLOCK * BLOCK, _BINS).astype(np.float64)
