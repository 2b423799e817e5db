"""Single faulty values separated from signals: by whether chance explains what lies beside them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Values = NDArray[np.float64]
Places = NDArray[np.int64]
Mask = NDArray[np.bool_]

ERROR_RATE = 0.025
"""Chance that noise, or faults that meet by accident, are mistaken anywhere in a cube."""
# Standard deviations below which a value is not looked at.
LEAST = 3.0
# One value beside may be the same hit, two in other pixels are not.
_FEWEST_AROUND = 2
_AROUND = [step for step in itertools.product((-1, 0, 1), repeat=3) if any(step)]


@dataclass(frozen=True)
class Oddities:
    """The values of a cube that differ from what its other bands predict.

    Attributes:
        places: line, sample, band of each, 3 × N; ascending, bands in the order of wavelengths.
        size: by how many standard deviations of the noise, beyond `LEAST`, with its sign, N.
        wings: of both bands beside it the sum of these, divided by √2, N.
    """

    places: Places
    size: Values
    wings: Values

    @classmethod
    def joined(cls, parts: Sequence[Oddities]) -> Oddities:
        """Those of blocks of lines, in the order of these."""
        return cls(
            np.concatenate([each.places for each in parts], 1),
            np.concatenate([each.size for each in parts]),
            np.concatenate([each.wings for each in parts]),
        )


def surely_odd(values: float) -> float:
    """What noise of standard deviation 1 exceeds nowhere in so many values."""
    return float(stats.norm.isf(ERROR_RATE / (2 * max(values, 1))))


def faults_among(odd: Oddities, shape: tuple[int, int, int]) -> Mask:
    """Which odd values are faults, N.

    Spectrometers see even the narrowest line in more than one band, and a target in one pixel
    after the other; hot or dead elements, hits by particles and errors of transmission strike
    single values. Where these are frequent they meet. Their rate is that of the values that are
    alone in their band; a signal is what they make nowhere in the cube by accident: so many in a
    row of bands, around one value, or in one pixel.

    Args:
        odd: the values.
        shape: lines, samples and bands of the cube.
    """
    values = float(np.prod(shape))
    sure = np.abs(odd.size) > surely_odd(values)
    # So that noise stands beside none of them.
    loud = np.abs(odd.size) > max(LEAST, surely_odd(2 * int(sure.sum())))
    winged = odd.wings * np.sign(odd.size) > LEAST
    row = np.zeros(len(odd.size), np.int64)
    around = np.zeros(len(odd.size), np.int64)
    for sign in (odd.size > 0, odd.size < 0):
        some = loud & sign
        row[some], around[some] = _together(odd.places[:, some], shape)
    alone = int((sure & (row == 1) & ~winged).sum())
    if not alone:
        return np.zeros(len(odd.size), bool)
    rate = alone / values
    same = rate / 2
    longest = _least(2, lambda count: alone * count * same ** (count - 1))
    crowd = _least(
        _FEWEST_AROUND, lambda count: alone * stats.binom.sf(count - 1, len(_AROUND), same)
    )
    share = max(rate, int(loud.sum()) / values)
    pixels, bands = shape[0] * shape[1], shape[2]
    most = _least(2, lambda count: pixels * stats.binom.sf(count - 1, bands, share))
    pixel = odd.places[0] * shape[1] + odd.places[1]
    _, number, counts = np.unique(pixel[loud], return_inverse=True, return_counts=True)
    held = np.zeros(len(odd.size), np.int64)
    held[loud] = counts[number]
    signal = (row >= longest) | (around >= crowd) | (held >= most)
    if longest == 2:
        signal |= winged
    faults: Mask = sure & ~signal
    return faults


def _least(count: int, expected: Callable[[int], float]) -> int:
    """The least count, from one on, that accidents do not reach."""
    while expected(count) > ERROR_RATE:
        count += 1
    return count


def _together(places: Places, shape: tuple[int, int, int]) -> tuple[Places, Places]:
    """How many values stand in a row of bands with each, and how many of the 26 around it."""
    # Of one margin on each side, so that no neighbour lies around an edge.
    weights = np.array([(shape[1] + 2) * (shape[2] + 2), shape[2] + 2, 1])
    codes = weights @ (places + 1)
    number = np.cumsum(np.diff(codes, prepend=-1) != 1) - 1
    row = np.bincount(number)[number] if len(codes) else codes
    around = np.zeros(len(codes), np.int64)
    for step in _AROUND:
        wanted = codes + weights @ np.array(step)
        at = np.searchsorted(codes, wanted).clip(max=len(codes) - 1)
        around += codes[at] == wanted if len(codes) else 0
    return row, around
