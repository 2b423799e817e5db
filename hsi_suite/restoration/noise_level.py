"""The σ a denoiser of white noise should be told, also where the noise is not white."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from .noise_estimate import SMALLEST_IMAGE, estimate_noise, finest_noise
from .noise_likelihood import DenoiseStack, Stack, likely_noise

#: On fewer lines or samples than these a told σ may be a tenth off, in texture far more.
FEW_PIXELS = 32
_COARSEST = 4
# Camera noise (demosaicked, JPEG) lacks the finest detail, where it has less than a quarter of its
# strength; white noise and sharp texture have more of theirs.
_FINEST_SHARE = 0.25
# Noise is nearly the same everywhere, texture is not: median of the blocks' levels over the level
# that a twentieth of them keeps below. Surely noise, surely texture.
_EVEN, _UNEVEN = 1.2, 1.3
_FLAT_SHARE = 5
# Estimates that differ by more of σ, and by more on the scale 0 to 1, contradict each other.
_APART, _FAR = 1.5, 2 / 255
_ENOUGH_BLOCKS = 16
# Lines and samples around a pixel none of which may be clipped; the share that must be left.
_AROUND, _LEAST_SHARE = 7, 0.05


@dataclass(frozen=True)
class NoiseLevel:
    """The noise of an image, as far as it can be told.

    Attributes:
        sigma: what a denoiser should be told, in the units of the image.
        scale: pixels over which the image was averaged to find it: 1, or 2 or 4 where the noise
            of neighbouring pixels is alike.
        doubtful: whether texture and noise could not be told apart for certain.
    """

    sigma: float
    scale: int
    doubtful: bool


def tell_noise(
    samples: Sequence[Stack], usable: Sequence[NDArray[np.bool_]], denoise: DenoiseStack
) -> NoiseLevel:
    """The noise of an image, from samples of it.

    Two estimates of different kinds: that of the flat patches, which takes fine texture for
    noise, and that of the likelihood under a denoiser, which knows texture. The second is used,
    the first says how sure it is. Noise whose neighbouring values are alike looks like texture to
    both, but lacks the finest detail. Averaged over 2 × 2 pixels it is whiter. White noise is
    then halved: where twice the σ of the averaged image is far more, and is so everywhere, the
    noise is taken to be correlated and that larger σ is told.

    Args:
        samples: parts of equal size of an image, lines × samples each, on the scale 0 to 1.
        usable: for each the pixels that tell of the noise.
        denoise: a denoiser of such images for white noise.

    Raises:
        ShapeError: no sample of at least 8 × 8.
    """
    stack, masks = np.stack(samples), np.stack(usable)
    if not masks.any():
        masks = np.ones_like(masks)
    flat = _flat_noise(stack, masks)
    likely = likely_noise(stack, _far_from_clipped(masks), denoise, flat).sigma
    level = NoiseLevel(likely, 1, bool(flat > _APART * likely and flat - likely > _FAR))
    scale = 1
    while scale < _COARSEST and min(stack.shape[1:]) >= 4 * SMALLEST_IMAGE:
        scale *= 2
        finest = scale // 2 * finest_noise(list(stack), list(masks))
        stack, masks = _halved(stack), _halved(masks) == 1
        if not masks.any():
            break
        trusted = _far_from_clipped(masks)
        start = max(level.sigma, scale * _flat_noise(stack, masks) / 2)
        coarse = likely_noise(stack, trusted, denoise, start / scale)
        sigma = scale * coarse.sigma
        correlated = finest < _FINEST_SHARE * sigma and sigma > level.sigma
        share = _correlated_share(coarse.levels) if correlated else 0.0
        if share == 0:
            break
        level = NoiseLevel(level.sigma ** (1 - share) * sigma**share, scale, level.doubtful)
    return level


def _flat_noise(stack: Stack, masks: NDArray[np.bool_]) -> float:
    return estimate_noise(list(stack), list(masks))


def _far_from_clipped(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels all of whose neighbours can be used, unless hardly any is left.

    Between clipped pixels those are left that the noise moved away from the end of the range.
    """
    inner = minimum_filter(masks, size=(1, _AROUND, _AROUND))
    return inner if inner.sum() > _LEAST_SHARE * masks.sum() else masks


def _correlated_share(levels: NDArray[np.float64]) -> float:
    """How sure it is, 0 to 1, that these levels of blocks are of noise and not of texture."""
    if len(levels) < _ENOUGH_BLOCKS:
        return 0.0
    lowest, middle = np.percentile(levels, [_FLAT_SHARE, 50])
    if lowest <= 0:
        return 0.0
    return float(np.clip((_UNEVEN - middle / lowest) / (_UNEVEN - _EVEN), 0, 1))


def _halved(stack: NDArray[np.generic]) -> Stack:
    """Means over 2 × 2 pixels."""
    lines, samples = (size // 2 for size in stack.shape[1:])
    cut = stack[:, : 2 * lines, : 2 * samples].astype(np.float32)
    return np.asarray(cut.reshape(-1, lines, 2, samples, 2).mean((2, 4)), np.float32)
