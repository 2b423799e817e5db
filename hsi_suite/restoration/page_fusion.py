"""Neighbouring pages of a stack brought together where they show the same.

A page and its neighbours are averaged pixel by pixel, a neighbour weighing the less the more its
patch differs from the page's own beyond what noise explains (the patch distance of non-local means:
Buades, Coll and Morel, CVPR 2005, along the stack alone, without a search for motion). How much
noise is left in each pixel is known from the weights.

Where contrast is below the noise, patches agree whatever they show. A neighbour therefore counts
as much as it agrees where something is to be seen around: edges that have moved tell of what is
beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Values = NDArray[np.float32]

#: Pages on each side that are looked at.
RADIUS = 2
# Sides of the patches that are compared, in pixels: of the noisy pages and of the denoised ones.
_NOISY, _DENOISED = 7, 5
# How fast a weight falls with what noise does not explain of the distance. Chosen with the numbers
# below on crops of three images of Set12 at σ 10 and 25 (still, moved by 0.3, 1 and 10 pixels a
# page, and with an object that moves 6 pixels a page).
_NOISY_FALL, _DENOISED_FALL = 8.0, 4.0
# Structure: variance of the denoised page over that of the noise, in patches of this side, up to so
# much; how far around it counts, as σ of a Gaussian; and the agreement from which half and all of
# a weight is left.
_STRUCTURE, _MOST, _AROUND, _HALF, _WHOLE = 7, 4.0, 16.0, 0.2, 0.3
# A quarter of the image is fused at least as well as the pixels that are taken from the fused page;
# from there on the page's own result takes over within this much more of σ.
_QUARTER, _LEVEL, _END, _WIDTH, _SMOOTH = 0.25, 0.15, 0.3, 0.25, 1.5
# And from this share of σ on in any case: noise as strong as ever would be left in.
_LAST = 0.9


def fuse_pages(
    own: Values, guide: Values, sigma: float, neighbours: Iterable[tuple[Values, Values, float]]
) -> tuple[Values, Values]:
    """The weighted mean of a page and its neighbours.

    Args:
        own: the page, lines × samples (× channels), noisy.
        guide: the same denoised by itself.
        sigma: of its noise, above 0, in its units.
        neighbours: the same of each neighbour.

    Returns:
        The mean, of the page's shape, and σ of its noise as a share of the page's own, lines ×
        samples.
    """
    total = own.astype(np.float32)
    weights = np.ones(own.shape[:2], np.float32)
    variance = np.ones(own.shape[:2], np.float32)
    structure = _structure(guide, sigma)
    for page, other, its_sigma in neighbours:
        ratio = np.float32((its_sigma / sigma) ** 2)
        noisy = _distance(page, own, _NOISY) / (sigma**2 + its_sigma**2)
        denoised = _distance(other, guide, _DENOISED) / (sigma**2 * (1 + ratio) / 2)
        # The distance of noise alone is 1, give or take its own deviation.
        unexplained = np.maximum(noisy - 1 - np.sqrt(2) / _NOISY, 0)
        largest = ndimage.maximum_filter(denoised, 3)
        weight = np.exp(-_NOISY_FALL * unexplained - _DENOISED_FALL * largest)
        weight *= _trust(weight, structure) / np.maximum(ratio, np.float32(0.25))
        total += _spread(weight, own) * page
        weights += weight
        variance += weight**2 * ratio
    fused = total / _spread(weights, own)
    return fused.astype(np.float32), (np.sqrt(variance) / weights).astype(np.float32)


def _structure(guide: Values, sigma: float) -> Values:
    """How much is to be seen around each pixel, as a share of the noise's variance."""
    plane = guide if guide.ndim == 2 else guide.mean(2)
    means, squares = (ndimage.uniform_filter(each, _STRUCTURE) for each in (plane, plane**2))
    shares = np.clip((squares - means**2) / sigma**2, 0, _MOST) + 1e-3
    return np.asarray(shares, np.float32)


def _trust(weight: Values, structure: Values) -> Values:
    """What is left of weights, by those where something is to be seen around."""
    agreement = ndimage.gaussian_filter(structure * weight, _AROUND)
    agreement /= ndimage.gaussian_filter(structure, _AROUND)
    rise = (agreement - _HALF) / (2 * (_WHOLE - _HALF)) + 0.5
    return np.asarray(np.clip(rise, 0, 1), np.float32)


def fused_sigma(share: Values) -> float | None:
    """σ of a page's well fused part as a share of its own; None where fusing brings little."""
    least = float(np.quantile(share, _QUARTER))
    if least > _LAST - _LEVEL:
        return None
    return float(np.sqrt(np.mean(share[share <= least + _LEVEL] ** 2)))


def blended(single: Values, joint: Values, share: Values) -> Values:
    """The denoised fused page where it was fused well, the page denoised by itself elsewhere.

    Args:
        single: the page denoised by itself, lines × samples (× channels).
        joint: the fused page denoised with `fused_sigma`.
        share: as `fuse_pages` gives it.
    """
    least = float(np.quantile(share, _QUARTER))
    part = np.clip((min(least + _END, _LAST) - share) / _WIDTH, 0, 1).astype(np.float32)
    part = _spread(ndimage.gaussian_filter(part, _SMOOTH), single)
    return np.asarray(single + part * (joint - single), np.float32)


def _distance(first: Values, second: Values, side: int) -> Values:
    """Mean squared difference of the patches around each pixel."""
    squares = (first - second) ** 2
    if squares.ndim == 3:
        squares = squares.mean(2)
    return np.asarray(ndimage.uniform_filter(squares, side, mode="reflect"), np.float32)


def _spread(plane: NDArray[Any], like: Values) -> NDArray[Any]:
    return plane if like.ndim == 2 else plane[..., None]
