"""How noisy an image is, estimated from the image alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError

Plane = NDArray[np.floating]

_PATCH = 8
#: Lines and samples that an image must have at least.
SMALLEST_IMAGE = _PATCH
#: Of fewer lines or samples, `estimate_noise` finds less than nine tenths of the noise.
ENOUGH_SIDE = 48
_FLAT_SHARE = 0.1
# The median of absolute values of normal noise of σ 1.
_MEDIAN_OF_NORMAL = 0.6745
# Fewer patches than this leave the eigenvalues of noise too far apart.
_ENOUGH = 20 * _PATCH**2


def estimate_noise(planes: Sequence[Plane], usable: Sequence[NDArray[np.bool_]] = ()) -> float:
    """Standard deviation of independent noise in images that have it in common.

    The patches with the least structure are those whose coarse 2 × 2 pattern varies least; in
    the covariance of these the noise holds all directions alike, and what is left of the image
    holds a few. The largest eigenvalues are put aside until the mean of the rest is its median
    (Chen, Zhu and Heng, ICCV 2015, algorithm 1); that mean is σ².

    Args:
        planes: parts of an image, lines × samples each; those smaller than 8 × 8 count for
            nothing.
        usable: for each plane the pixels that show the noise, unlike those at the end of the
            range, where it was clipped. Not given, or hardly any: all.

    Returns:
        σ in the units of the planes.

    Raises:
        ShapeError: no plane of at least 8 × 8.
    """
    variances = _flat_variances(planes, usable)
    for first in range(len(variances)):
        rest = variances[first:]
        mean = rest.mean()
        if np.sum(rest > mean) >= np.sum(rest < mean):
            break
    return float(np.sqrt(max(mean, 0)))


def rough_noise(plane: Plane, usable: NDArray[np.bool_]) -> float:
    """The same of an image with too few patches for `estimate_noise`, which finds too little there.

    From the median difference of diagonal neighbours, two by two (Donoho, 1995, has it of the
    finest wavelets). Fine texture counts as noise.

    Args:
        plane: lines × samples, at least 2 × 2.
        usable: the pixels that show the noise.

    Returns:
        σ in the units of the plane; 0 where no four neighbours are usable.
    """
    steps = (plane[1:, 1:] - plane[1:, :-1] - plane[:-1, 1:] + plane[:-1, :-1]) / 2
    seen = usable[1:, 1:] & usable[1:, :-1] & usable[:-1, 1:] & usable[:-1, :-1]
    return float(np.median(np.abs(steps[seen])) / _MEDIAN_OF_NORMAL) if seen.any() else 0.0


def finest_noise(planes: Sequence[Plane], usable: Sequence[NDArray[np.bool_]] = ()) -> float:
    """Standard deviation along the weakest eighth of the directions of flat patches.

    White noise is as strong there as anywhere; noise of neighbouring pixels that is alike lacks
    the finest detail and is weak there, and so is what a lens has blurred. Arguments and errors
    are those of `estimate_noise`.
    """
    variances = _flat_variances(planes, usable)
    return float(np.sqrt(max(variances[-len(variances) // 8 :].mean(), 0)))


def _flat_variances(
    planes: Sequence[Plane], usable: Sequence[NDArray[np.bool_]]
) -> NDArray[np.float64]:
    """Eigenvalues of the covariance of the flattest patches, falling."""
    patches = [patches_of(plane) for plane in planes if min(plane.shape) >= _PATCH]
    if not patches:
        raise ShapeError("image", "smaller than 8 × 8", "at least that, to estimate the noise")
    every = np.concatenate(patches)
    if usable:
        masks = [patches_of(mask).all(1) for mask in usable if min(mask.shape) >= _PATCH]
        chosen = np.concatenate(masks)
        if chosen.sum() >= _ENOUGH:
            every = every[chosen]
    flat = every[flattest(every)].astype(np.float64)
    return np.linalg.eigvalsh(np.cov(flat, rowvar=False, bias=True))[::-1]


def patches_of(plane: NDArray[np.generic], step: int = 2) -> NDArray[np.generic]:
    """Every so manyth 8 × 8 patch along lines and samples, one a row."""
    windows = np.lib.stride_tricks.sliding_window_view(plane, (_PATCH, _PATCH))[::step, ::step]
    return windows.reshape(-1, _PATCH**2)


def coarse_variance(patches: NDArray[np.generic]) -> NDArray[np.floating]:
    """How much the coarse 2 × 2 pattern of each patch (one a row) varies."""
    # The means of the quarters hardly share noise with the differences inside them, so that what is
    # chosen by it is not chosen for noise that happens to be weak.
    half = _PATCH // 2
    quarters = patches.reshape(-1, 2, half, 2, half).mean((2, 4)).reshape(-1, 4)
    return np.asarray(quarters.var(1))


def flattest(patches: NDArray[np.generic]) -> NDArray[np.integer]:
    """Which tenth of the patches (one a row) has the least structure."""
    count = min(len(patches), max(_ENOUGH, round(_FLAT_SHARE * len(patches))))
    return np.argpartition(coarse_variance(patches), count - 1)[:count]
