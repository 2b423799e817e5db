"""The σ that a denoiser of white noise should be given, also where the noise is not white."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from .noise_estimate import estimate_noise, finest_noise
from .noise_likelihood import DenoiseStack, LikelyNoise, Stack, likely_noise

#: On fewer lines or samples than these an estimated σ may be a tenth off, in texture far more.
FEW_PIXELS = 32
#: Scales at which correlated noise is looked for: means over so many lines and samples.
COARSE_SCALES = (2, 4)
#: From a scale to parts of equal size of the image, averaged over so many pixels, and to the
#: pixels of them that show the noise; N × lines × samples each. None: the image is too small.
SamplesAt = Callable[[int], tuple[Stack, NDArray[np.bool_]] | None]

# Flat patches take fine texture for noise, and even the likelihood a little of it: where the two
# differ, σ is lowered by this power of their ratio. Chosen on white noise of σ 3 to 15 in
# photographs.
_PRUDENCE, _AGREEING = 0.28, 1.05
# The likelihood also counts what photographs have of their own; its median over clean ones.
_OWN = 1.2 / 255
# Camera noise (smoothed, JPEG) lacks the finest detail: its share of σ that is surely correlated
# noise, and from which on it is not. White noise and sharp texture have more of theirs, and soft
# texture under white noise has that of the noise, which is not tiny.
_FINEST_SHARE, _FINEST = (0.25, 0.35), (1.8 / 255, 2.3 / 255)
# Flat patches have as much noise as all; far more is texture.
_FLAT_SHARE = (2.0, 3.0)
# The same as of the finest detail, between scales 2 and 4.
_FINER_SHARE = (0.35, 0.5)
# Noise is nearly the same everywhere, texture is not: median of the blocks' levels over the level
# that a twentieth of them keeps below. What white noise of one σ has.
_FLOOR_SHARE, _FLOOR = 5, 0.83
# At scale 4 texture is everywhere: surely noise, surely texture.
_EVEN = (1.25, 1.45)
# Means over 2 × 2 pixels of noise that reaches further are not white either, and hold less of it
# than σ times a half. Chosen on simulated cameras and five scenes of PolyU.
_REACHING_FURTHER = 1.3
_ENOUGH_BLOCKS = 16
_COARSE_EVALUATIONS = 3
# Flat patches of the averaged image that have no more than this of σ hide no other noise.
_LITTLE_MORE = 1.2
_LEAST = 0.1 / 255
# Noise of dark and bright parts that differs by more is said.
_UNEVEN, _STRONG = 1.3, 3 / 255
# Lines and samples around a pixel none of which may be clipped; the share that must be left.
_AROUND, _LEAST_SHARE = 7, 0.05


@dataclass(frozen=True)
class Part:
    """A third of the blocks of an image: the dark, the middling or the bright ones.

    Attributes:
        brightness: median of theirs.
        sigma: of their noise, in the units of the image.
    """

    brightness: float
    sigma: float


@dataclass(frozen=True)
class NoiseLevel:
    """The noise of an image, as far as it can be estimated.

    Attributes:
        sigma: what a denoiser should be given, in the units of the image.
        scale: pixels over which the image was averaged to find it: 1, or 2 or 4 where the noise
            of neighbouring pixels is alike.
        possible: σ, if all that may be texture or noise were noise; far more than `sigma` where
            the two could not be separated.
        parts: the dark, the middling and the bright third of the blocks; None of weak noise, and
            where blocks are few.
    """

    sigma: float
    scale: int
    possible: float
    parts: tuple[Part, Part, Part] | None

    @property
    def uneven(self) -> tuple[float, float] | None:
        """σ of the dark and of the bright third, where they differ much."""
        if self.parts is None:
            return None
        dark, bright = self.parts[0].sigma, self.parts[-1].sigma
        return (dark, bright) if max(dark, bright) > _UNEVEN * min(dark, bright) else None


def estimate_noise_level(
    samples_at: SamplesAt, denoise: DenoiseStack, *, gain: float = 1.0, coarse: bool = True
) -> NoiseLevel:
    """The noise of an image, from samples of it.

    Two estimates of different kinds: that of the flat patches, which takes fine texture for
    noise, and that of the likelihood under a denoiser, which knows texture. The second is used,
    a little less of it where the first contradicts it.

    Noise whose neighbouring values are alike looks like texture to both, but lacks the finest
    detail. Averaged over 2 × 2 pixels it is whiter. White noise is then halved: where twice the
    σ of the averaged image is far more, even in its quietest parts, the noise is taken to be
    correlated and that larger σ is given.

    Args:
        samples_at: gives samples of the image on the scale 0 to 1.
        denoise: a denoiser of such images for white noise.
        gain: what white noise of σ 1 in the photograph has in this image.
        coarse: whether to look for correlated noise.

    Raises:
        ShapeError: no sample of at least 8 × 8.
    """
    given = samples_at(1)
    assert given is not None
    stack, masks = given
    flat = estimate_noise(list(stack), list(masks))
    likely = likely_noise(stack, far_from_clipped(masks), denoise, flat)
    sigma = likely.sigma * min(1.0, _AGREEING * likely.sigma / max(flat, 1e-9)) ** _PRUDENCE
    sigma = float(np.sqrt(max(sigma**2 - (gain * _OWN) ** 2, (gain * _LEAST) ** 2)))
    level = NoiseLevel(sigma, 1, max(flat, sigma), _parts(likely, gain))
    if not coarse:
        return level
    finest, finer = finest_noise(list(stack), list(masks)), None
    for scale in COARSE_SCALES:
        found = _coarse_noise(level, scale, samples_at(scale), denoise, gain)
        if found is None:
            break
        base, sureness = _correlated(found, finer)
        sureness *= _sureness(finest / base, _FINEST_SHARE) * _sureness(finest / gain, _FINEST)
        level = _raised(level, scale, base, sureness)
        finer = found.finer
    return level


@dataclass(frozen=True)
class _CoarseNoise:
    """What the averaged image has, in the units of the image itself.

    Attributes:
        sigma: of its likelihood.
        flat: of its flat patches.
        finer: the same along their weakest directions.
        floor: σ of its quietest blocks.
        even: median of the blocks over the quietest.
    """

    sigma: float
    flat: float
    finer: float
    floor: float
    even: float


def _coarse_noise(
    level: NoiseLevel,
    scale: int,
    given: tuple[Stack, NDArray[np.bool_]] | None,
    denoise: DenoiseStack,
    gain: float,
) -> _CoarseNoise | None:
    """None where it cannot be estimated, or cannot be more than the level."""
    if given is None:
        return None
    stack, masks = given
    flat = scale * estimate_noise(list(stack), list(masks))
    if flat < _LITTLE_MORE * level.sigma or flat < gain * _OWN:
        return None
    likely = likely_noise(
        stack, far_from_clipped(masks), denoise, flat / scale, _COARSE_EVALUATIONS
    )
    if len(likely.levels) < _ENOUGH_BLOCKS:
        return None
    lowest, middle = (float(each) for each in np.percentile(likely.levels, [_FLOOR_SHARE, 50]))
    finer = scale * finest_noise(list(stack), list(masks))
    floor = scale * lowest / _FLOOR
    return _CoarseNoise(scale * likely.sigma, flat, finer, floor, middle / max(lowest, 1e-9))


def _correlated(found: _CoarseNoise, finer: float | None) -> tuple[float, float]:
    """σ that may be of correlated noise, and how sure that is, but for the finest detail.

    Args:
        found: what the averaged image has.
        finer: weakest directions of the image averaged half as far; None where that is not
            averaged at all.
    """
    if finer is None:
        base = max(min(found.sigma, found.floor, found.flat), 1e-9)
        return base, _sureness(found.flat / base, _FLAT_SHARE)
    base = max(min(found.sigma, found.flat), 1e-9)
    return base, _sureness(finer / base, _FINER_SHARE) * _sureness(found.even, _EVEN)


def _raised(level: NoiseLevel, scale: int, base: float, sureness: float) -> NoiseLevel:
    risen = level.sigma + sureness * max(_REACHING_FURTHER * base - level.sigma, 0)
    doubtful = base if scale == COARSE_SCALES[0] else risen
    return NoiseLevel(
        risen,
        scale if risen > _REACHING_FURTHER * level.sigma else level.scale,
        max(level.possible, doubtful),
        level.parts,
    )


def _sureness(value: float, ends: tuple[float, float]) -> float:
    """1 up to the first end, 0 from the second on."""
    return float(np.clip((ends[1] - value) / (ends[1] - ends[0]), 0, 1))


def _parts(noise: LikelyNoise, gain: float) -> tuple[Part, Part, Part] | None:
    if len(noise.levels) < 3 * _ENOUGH_BLOCKS or noise.sigma < gain * _STRONG:
        return None
    dark, middle, bright = (
        Part(float(np.median(noise.brightness[chosen])), float(np.median(noise.levels[chosen])))
        for chosen in np.array_split(np.argsort(noise.brightness, kind="stable"), 3)
    )
    return dark, middle, bright


def far_from_clipped(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels all of whose neighbours can be used, unless hardly any is left.

    Between clipped pixels those are left that the noise moved away from the end of the range.
    """
    inner = minimum_filter(masks, size=(1, _AROUND, _AROUND))
    return inner if inner.sum() > _LEAST_SHARE * masks.sum() else masks
