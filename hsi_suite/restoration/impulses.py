"""Single faulty values separated from signals where some bands are struck far more than others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .accidents import ERROR_RATE, LEAST, Oddities, faults_among, surely_odd

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Those of fewer sure faults in a band say nothing of how often it is struck.
_FEWEST = 20
# Beyond, values beside each other are hardly ever all sound, and rates are not told apart.
_HIGHEST_RATE = 0.4
_LEAST_RATE = 1e-12
_SIDES = (-1.0, 1.0)
# Times as many beside each other as chance has it, and standard deviations of their number: less
# is still chance.
_TIMES, _DEVIATIONS = 2.0, 5.0
_CROSS = ((-1, 0), (0, -1), (0, 1), (1, 0))
_AROUND = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)


@dataclass(frozen=True)
class _Rates:
    """How often faults strike each band.

    Attributes:
        struck: of the values of a band, those that faults strike.
        limit: standard deviations beyond which a value is rather a fault than noise.
        loud: 2 × bands, of the values of a band those beyond its limit below and above what is
            expected, by chance alone.
        random: whether what is odd in a band lies beside others no more often than chance has it.
    """

    struck: Values
    limit: Values
    loud: Values
    random: Mask


def impulses_among(
    odd: Oddities, shape: tuple[int, int, int], caution: Values | None = None
) -> Mask:
    """Which odd values are faults, N; as `accidents.faults_among`, with a rate for each band.

    Where a band is struck often, more of what is odd in it is a fault, and lies beside others by
    chance. So each band has a limit of its own, beyond which faults are more likely than noise; and
    what faults would do nowhere in the cube, at the rates of the bands in question, is a signal:
    to stand in this row of bands with one sign, with so many of the eight pixels around alike, or
    with so many others in one pixel.

    Args:
        odd: the values, bands in the order of wavelengths.
        shape: lines, samples and bands of the cube.
        caution: of each band, by how much wider its noise may be, unless it is struck at random;
            None: by nothing.
    """
    pixels = shape[0] * shape[1]
    band = odd.places[2]
    codes = np.ravel_multi_index(tuple(odd.places), shape)
    sign = np.sign(odd.size)
    rates = _rates(odd, shape, codes)
    loud = np.abs(odd.size) > rates.limit[band]
    signed = [codes[loud & (sign == side)] for side in _SIDES]
    expected = np.log(pixels * np.maximum(rates.struck, 1 / pixels))
    unlikely = np.log(ERROR_RATE)
    signal = np.zeros(len(band), bool)
    for side, others, chance in zip(_SIDES, signed, rates.loud, strict=True):
        some = np.flatnonzero(loud & (sign == side))
        at = band[some]
        row = _row_chance(others, np.log(chance)[at], shape[2])
        around = _beside(odd.places[:, some], others, shape, _AROUND)
        crowd = stats.binom.logsf(around - 1, len(_AROUND), chance[at])
        signal[some] = expected[at] + np.minimum(row, crowd) < unlikely
        winged = np.flatnonzero((odd.wings * side > LEAST) & (sign == side))
        padded = np.pad(chance, 1, constant_values=_LEAST_RATE)
        beside = np.maximum(padded[:-2], padded[2:])[band[winged]]
        signal[winged] |= expected[band[winged]] + np.log(beside) < unlikely
    pixel = codes // shape[2]
    _, number, counts = np.unique(pixel[loud], return_inverse=True, return_counts=True)
    share = float(np.bincount(band[loud], minlength=shape[2]).sum()) / pixels
    many = np.zeros(len(band), bool)
    many[loud] = (pixels * stats.poisson.sf(counts - 1, share) < ERROR_RATE)[number]
    faults: Mask = loud & ~signal & ~many & rates.random[band]
    if caution is None:
        return faults | faults_among(odd, shape)
    size, wings = odd.size / caution[band], odd.wings / caution[band]
    some = np.abs(size) > LEAST
    faults[some] |= faults_among(Oddities(odd.places[:, some], size[some], wings[some]), shape)
    return faults


def _rates(odd: Oddities, shape: tuple[int, int, int], codes: NDArray[np.int64]) -> _Rates:
    """From the values that no noise explains and that are alone among their four neighbours."""
    pixels, bands = shape[0] * shape[1], shape[2]
    sure = surely_odd(pixels * bands)
    strong = np.abs(odd.size) > sure
    struck = np.zeros((2, bands))
    count = np.zeros(bands, np.int64)
    alone = np.zeros(len(codes), bool)
    seen, expected = np.zeros((2, bands)), np.zeros((2, bands))
    for number, side in enumerate(_SIDES):
        some = np.flatnonzero(strong & (np.sign(odd.size) == side))
        band, others = odd.places[2][some], codes[some]
        alone[some] = _beside(odd.places[:, some], others, shape, _CROSS) == 0
        rows = _row_numbers(others, bands)
        winged = np.bincount(rows)[rows] > 1
        total, single, in_row = (
            np.bincount(band[these], minlength=bands)
            for these in (slice(None), alone[some], winged)
        )
        share = np.pad(total / pixels, 1)
        seen += total - single, in_row
        expected += (
            total * (1 - (1 - share[1:-1]) ** len(_CROSS)),
            total * (1 - (1 - share[:-2]) * (1 - share[2:])),
        )
        struck[number] = [_struck(each / pixels) for each in single]
        count += single
    # Signals have more beside them than chance has.
    random = (seen <= _TIMES * expected + _DEVIATIONS * np.sqrt(expected + 1)).all(0)
    random &= count >= _FEWEST
    whole = struck.sum(0)
    limit = np.full(bands, sure)
    for band in np.flatnonzero(random):
        # Faults lie anywhere up to the strongest, of either sign.
        reach = 2 * np.quantile(np.abs(odd.size[alone & (odd.places[2] == band)]), 0.9)
        odds = (1 - whole[band]) / whole[band] * reach / np.sqrt(2 * np.pi)
        limit[band] = np.clip(np.sqrt(2 * np.log(max(odds, 1))), LEAST, sure)
    loud = np.clip(struck + stats.norm.sf(limit), _LEAST_RATE, 0.5)
    return _Rates(whole, limit, loud, random)


def _struck(alone: float) -> float:
    """The rate at which so many of the values are struck without one of one sign beside them."""
    rate = alone
    for _ in range(50 if alone else 0):
        rate = min(alone / (1 - rate) ** len(_CROSS), _HIGHEST_RATE)
    return rate


def _beside(
    places: NDArray[np.int64],
    others: NDArray[np.int64],
    shape: tuple[int, int, int],
    steps: tuple[tuple[int, int], ...],
) -> NDArray[np.int64]:
    """How many of some pixels around each place are among others, in its band."""
    count = np.zeros(places.shape[1], np.int64)
    if not others.size:
        return count
    for down, across in steps:
        line, sample = places[0] + down, places[1] + across
        inside = (line >= 0) & (line < shape[0]) & (sample >= 0) & (sample < shape[1])
        wanted = (line * shape[1] + sample) * shape[2] + places[2]
        at = np.searchsorted(others, wanted).clip(max=len(others) - 1)
        count += inside & (others[at] == wanted)
    return count


def _row_numbers(codes: NDArray[np.int64], bands: int) -> NDArray[np.int64]:
    """Of each place (ascending) the number of its row of neighbouring bands."""
    breaks = (np.diff(codes, prepend=-2) != 1) | (codes % bands == 0)
    number: NDArray[np.int64] = np.cumsum(breaks) - 1
    return number


def _row_chance(codes: NDArray[np.int64], chance: Values, bands: int) -> Values:
    """Logarithm of the chance that all others of its row of neighbouring bands are struck too."""
    number = _row_numbers(codes, bands)
    whole: Values = np.bincount(number, chance)[number] - chance
    return whole
