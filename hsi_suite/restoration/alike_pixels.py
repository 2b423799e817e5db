"""Eigen-images together: what pixels with alike spectra say of each other.

A denoiser of grey images cleans one eigen-image after the other and sees neither what the others
show nor places far away. Here each pixel looks for those whose cleaned spectra, and whose
surroundings, are most like its own. Their noisy coefficients are draws from one normal
distribution with white noise on top; its mean and covariance are estimated from them, and the
pixel's own noisy coefficients are shrunk towards the mean by what noise does not explain (as
Lebrun, Buades and Morel, "A nonlocal Bayesian image denoising algorithm", SIAM J. Imaging Sciences
2013, equation 2.6, do it with patches of one image).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats
from scipy.spatial import cKDTree

Planes = NDArray[np.float32]
Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
Tile = tuple[slice, slice]

#: Side of the tiles within which pixels are looked for, at most.
SIDE = 160
# Pixels whose mean and covariance are taken for one pixel's. Half as many follow noise, twice as
# many cost detail (docs/explanations/mixed_noise.md).
_COUNT = 100
# Of the pixels of a tile: fewer than this many times as many, and those chosen are not alike.
_CHOICE = 8
# With fewer, a covariance means little.
_LEAST_COUNT = 32
# σ of the noise that a step of one pixel counts as: alike pixels near by are preferred.
_STEP = 0.1
# Pixels around one whose mean counts as much as its own value.
_AROUND = 3
# So many of the strongest eigen-images choose pixels; so many at a time, at most, share a
# covariance.
_TOGETHER = 8
# Of pixels like their neighbours, the share that is taken for such. Others would lose what is rare
# in them, and by so little that nobody would miss it afterwards (`rare_signals`).
_USUAL = 0.99
# Pixels whose neighbours are gathered at a time.
_BLOCK = 2048


def alike_estimate(noisy: Planes, clean: Planes, valid: Mask, workers: int = 1) -> Planes:
    """Eigen-images as pixels with alike spectra have them.

    It errs otherwise than a denoiser of single images does, so that the mean of the two is nearer
    to the truth than either.

    Args:
        noisy: planes × lines × samples, by falling strength, with white noise of σ 1 in each.
        clean: the same without noise, as far as a first denoiser could; chooses the pixels.
        valid: lines × samples; others have no say, and are given back as in `clean`.
        workers: threads of the search.

    Returns:
        Planes of the same shape; as `clean` where there are too few pixels to choose from, or
        none that a pixel could be one of.
    """
    estimate = clean.copy()
    for tile in _tiles((noisy.shape[1], noisy.shape[2])):
        within = valid[tile].copy()
        count = min(_COUNT, int(within.sum()) // _CHOICE)
        if count < _LEAST_COUNT:
            continue
        places = _spectra_and_places(clean[(slice(_TOGETHER), *tile)])[within.ravel()]
        tree = cKDTree(places)
        spectra = noisy[(slice(None), *tile)][:, within].T.astype(np.float64)
        answers = np.empty_like(spectra)
        usual = np.ones(len(spectra), bool)
        for first in range(0, len(spectra), _BLOCK):
            block = slice(first, first + _BLOCK)
            _, alike = tree.query(places[block], count, workers=workers)
            for together in equal_parts(spectra.shape[1], _TOGETHER):
                part = np.ascontiguousarray(spectra[:, together])
                answers[block, together], likely = shrunk(part[block], part[alike])
                usual[block] &= likely
        within[within] = usual
        estimate[(slice(None), *tile)][:, within] = answers[usual].T
    return estimate


def shrunk(own: Values, alike: Values) -> tuple[Values, Mask]:
    """Noisy vectors, shrunk to the mean of others as far as noise explains how these differ.

    Directions in which they differ no more than white noise of σ 1 can (the upper edge of the
    Marchenko–Pastur law) count as noise alone.

    Args:
        own: pixels × planes.
        alike: pixels × neighbours × planes.

    Returns:
        Pixels × planes; and whether a pixel is one that the others are like, or a rare one.
    """
    count, planes = alike.shape[1:]
    mean = alike.mean(1)
    deviations = alike - mean[:, None]
    covariances = deviations.transpose(0, 2, 1) @ deviations / (count - 1)
    variances, directions = np.linalg.eigh(covariances)
    edge = (1 + np.sqrt(planes / count)) ** 2
    share = np.where(variances > edge, 1 - 1 / np.maximum(variances, 1), 0)
    along = ((own - mean)[:, None] @ directions)[:, 0]
    far = np.square(along) / np.maximum(variances, 1)
    back = ((share * along)[:, None] @ directions.transpose(0, 2, 1))[:, 0]
    return mean + back, far.sum(1) < stats.chi2.ppf(_USUAL, planes)


def _spectra_and_places(clean: Planes) -> Values:
    """What pixels are compared by, pixels × features."""
    around = [ndimage.uniform_filter(plane.astype(np.float64), _AROUND) for plane in clean]
    lines, samples = np.indices(clean.shape[1:])
    features = [*clean, *around, _STEP * lines, _STEP * samples]
    return np.stack([feature.ravel() for feature in features], 1).astype(np.float64)


def _tiles(shape: tuple[int, int]) -> Iterator[Tile]:
    for lines in equal_parts(shape[0], SIDE):
        for samples in equal_parts(shape[1], SIDE):
            yield lines, samples


def equal_parts(size: int, most: int) -> list[slice]:
    """As few parts of at most so many as there can be, nearly equal."""
    edges = np.linspace(0, size, -(-size // most) + 1).round().astype(int).tolist()
    return [slice(first, last) for first, last in pairwise(edges)]
