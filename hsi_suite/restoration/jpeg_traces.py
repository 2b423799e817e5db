"""Traces that JPEG leaves in pixels: the grid of its blocks, and the quality of its tables.

A decoded JPEG holds multiples of its quantisation steps in the cosine transform of its blocks, but
for rounding to whole levels (Fan and de Queiroz, TIP 2003, section III). The tables are those of
ITU-T T.81 annex K, scaled by quality as the Independent JPEG Group's library does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .jpeg_grids import BLOCK, Corner, likely_corners

Plane = NDArray[np.float32]
Values = NDArray[np.float32]
Places = NDArray[np.intp]

_LUMA_TABLE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
_QUALITIES = range(5, 99)
# Rounding to whole levels moves a coefficient by less than this, nearly always; steps that are not
# much wider show nothing.
_ROUNDING, _LEAST_STEP = 1.0, 3
# Coefficients that are not 0: so many are needed, and so many standard deviations more of them on
# multiples of the steps than chance puts there. Photographs that never were JPEG reach 14.
_ENOUGH, _SURE = 50, 40.0
# They are of several frequencies: a drawn slope or squares as large as the blocks have values of
# few sizes, too, but of three frequencies at most; a JPEG of quality 8 of a soft picture has six.
_FREQUENCIES, _EACH = 5, 3
# Coarse, middle and fine frequencies of a block, by the sum of both.
_ORDER = np.add.outer(np.arange(BLOCK), np.arange(BLOCK))
_BANDS = ((_ORDER >= 1) & (_ORDER <= 3), (_ORDER >= 4) & (_ORDER <= 6), _ORDER >= 7)
# Shares of the blocks, those with the fewest frequencies first.
_EMPTIEST = (0.1, 0.3, 0.6)
# Lines and samples that are looked at: the middle of a larger picture.
_SIDE = 512


@dataclass(frozen=True)
class JpegTraces:
    """A JPEG found in pixels.

    Attributes:
        quality: of the Independent JPEG Group's scale, 1 to 100.
        corner: first line and first sample at which a block begins, 0 to 7 each.
    """

    quality: int
    corner: Corner


def find_jpeg(luma: Plane) -> JpegTraces | None:
    """The JPEG that pixels were decoded from; None where nothing shows one.

    Of a JPEG that was written again as a finer one, the coarser is found, also where its blocks
    lie elsewhere. Of qualities above about 92 the steps are too small to tell them from rounding.

    Args:
        luma: lines × samples on the scale 0 to 255, not scaled or changed since it was decoded;
            it may be cut out anywhere.
    """
    lines, samples = luma.shape
    if min(lines, samples) < 2 * BLOCK:
        return None
    # Whole blocks from the corner, so that what is looked at begins where the whole does.
    first = [(size - min(size, _SIDE)) // 2 // BLOCK * BLOCK for size in luma.shape]
    middle = luma[first[0] : first[0] + _SIDE, first[1] : first[1] + _SIDE]
    found = [_at_corner(middle, corner) for corner in likely_corners(middle)]
    sure = [traces for traces in found if traces is not None]
    return min(sure, key=lambda traces: traces.quality, default=None)


def _at_corner(luma: Plane, corner: Corner) -> JpegTraces | None:
    """The JPEG whose blocks begin at a corner, if it is sure."""
    values, places = _large_coefficients(luma, corner)
    surplus = {quality: _on_multiples(values, places, quality) for quality in _QUALITIES}
    best = max(surplus, key=lambda quality: surplus[quality])
    if surplus[best] < _SURE or _frequencies(values, places, best) < _FREQUENCIES:
        return None
    return JpegTraces(best, corner)


def filled_blocks(luma: Plane, jpeg: JpegTraces) -> tuple[float, ...]:
    """How many frequencies of a JPEG's blocks are not 0: noise leaves few blocks empty.

    Args:
        luma: lines × samples, at least 16 × 16, on the scale 0 to 255.
        jpeg: its quality and grid.

    Returns:
        For the emptiest 10, 30 and 60 % of the blocks, the mean share of the coarse, middle and
        fine frequencies that are not 0; nine numbers.
    """
    blocks = np.abs(_blocks_of(luma, jpeg.corner)) > luma_steps(jpeg.quality) / 2
    filled = np.stack([blocks[:, band].mean(1) for band in _BANDS], 1)
    order = np.argsort(blocks[:, _ORDER > 0].sum(1), kind="stable")
    counts = [max(round(share * len(order)), 1) for share in _EMPTIEST]
    return tuple(np.ravel([filled[order[:count]].mean(0) for count in counts]).tolist())


def quality_of_table(table: Sequence[int]) -> int:
    """The quality (1 to 100) whose luma table is nearest to a file's, in any one order.

    Args:
        table: its 64 steps; their order does not matter.
    """
    mean = np.mean(table)
    return min(range(1, 101), key=lambda quality: abs(luma_steps(quality).mean() - mean))


def luma_steps(quality: int) -> NDArray[np.float64]:
    """Quantisation steps of luma, 8 × 8 (rows: vertical frequencies), for a quality of 1 to 100."""
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    return np.clip(np.floor((_LUMA_TABLE * scale + 50) / 100), 1, 255)


def _blocks_of(luma: Plane, corner: Corner) -> NDArray[np.float32]:
    """Cosine transforms of the whole blocks, N × 8 × 8."""
    return np.asarray(fft.dctn(_cut(luma, corner), axes=(1, 2), norm="ortho"))


def _cut(luma: Plane, corner: Corner) -> NDArray[np.float32]:
    cut = luma[corner[0] :, corner[1] :] - np.float32(128)
    lines, samples = (size // BLOCK for size in cut.shape)
    blocks = cut[: lines * BLOCK, : samples * BLOCK].reshape(lines, BLOCK, samples, BLOCK)
    return np.asarray(blocks.swapaxes(1, 2).reshape(-1, BLOCK, BLOCK), np.float32)


def _large_coefficients(luma: Plane, corner: Corner) -> tuple[Values, Places]:
    """Coefficients that may be more than 0 steps of some size, and which of the 64 each is.

    Flat parts of drawn pictures repeat one block, which would count as often and is no evidence.
    """
    blocks = np.unique(_cut(luma, corner).reshape(-1, BLOCK * BLOCK), axis=0)
    spread = fft.dctn(blocks.reshape(-1, BLOCK, BLOCK), axes=(1, 2), norm="ortho")
    values = np.abs(spread.reshape(-1, BLOCK * BLOCK))
    shown = values > (_LEAST_STEP + _ROUNDING) / 2
    return values[shown], np.nonzero(shown)[1]


def _on_multiples(values: Values, places: Places, quality: int) -> float:
    """How many coefficients lie on multiples of the steps, in standard deviations beyond chance."""
    step = _steps_at(places, quality)
    shown = values > (step + _ROUNDING) / 2
    step, value = step[shown], values[shown]
    if len(step) < _ENOUGH:
        return 0.0
    near = np.abs(value - step * np.round(value / step)) < _ROUNDING
    chance = np.minimum(2 * _ROUNDING / step, 1)
    return float((near - chance).sum() / np.sqrt((chance * (1 - chance)).sum() + 1))


def _frequencies(values: Values, places: Places, quality: int) -> int:
    """How many frequencies have several coefficients that are not 0."""
    shown = places[values > (_steps_at(places, quality) + _ROUNDING) / 2]
    return int((np.bincount(shown, minlength=BLOCK * BLOCK) >= _EACH).sum())


def _steps_at(places: Places, quality: int) -> Values:
    """The step of each coefficient; infinite where it is too small to show."""
    steps = luma_steps(quality).astype(np.float32).ravel()
    return np.where(steps > _LEAST_STEP, steps, np.float32(np.inf))[places]
