"""The noise of a photograph, estimated from samples of it with the denoiser that ships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ....errors import ShapeError
from ....restoration.clipped_deviation import ClippedBlocks
from ....restoration.colour import NOISE_GAIN, OPPONENT, to_opponent
from ....restoration.noise_estimate import SMALLEST_IMAGE
from ....restoration.noise_level import (
    FEW_PIXELS,
    NoiseLevel,
    Part,
    estimate_noise_level,
    far_from_clipped,
)
from ....restoration.noise_likelihood import Stack
from ....restoration.shot_noise import ShotNoise, find_shot_noise
from ....transfer import to_device
from ..denoiser import Denoiser
from ..image_restoration import Pixels, Values, as_plane, uses_opponent_colours
from ..weights import load_weights
from .image_samples import flat_regions

# Looked at: at most 8 × 8 samples spread over the image, of which 4 are used. Their lines and
# samples, after averaging over as many pixels as the scale says.
_SIDES = {1: 96, 2: 64, 4: 64}
_SAMPLES = 8
_USED = 4
_CELL = 8
# Averaged images of fewer lines or samples have too little of texture's finest detail left.
_LEAST_SIDE = 32
_LEVELS = 255
# Noise that may be more than the estimate by such a factor, and on the scale 0 to 1, is doubtful.
_APART, _FAR = 1.5, 3 / 255
# Weaker noise, on the scale 0 to 255, is hardly seen.
_WEAK = 2


@dataclass(frozen=True)
class EstimatedNoise:
    """The noise that was estimated of an image.

    Attributes:
        sigmas: of each plane a network sees; see `known_noise`. On the scale 0 to 1.
        remarks: what the user should know of it, a line each.
        shot: how it grows with brightness, where that is known; `sigmas` are those of evened
            values then.
    """

    sigmas: tuple[float, ...]
    remarks: tuple[str, ...]
    shot: ShotNoise | None = None


def estimate_growing_noise(image: Pixels, white: float, denoiser: Denoiser) -> EstimatedNoise:
    """The same as `estimate_image_noise`; and where noise grows with brightness, how it does.

    That is looked for in brightness, and taken to be alike in all colours. Arguments and errors are
    those of `estimate_image_noise`.
    """
    image = as_plane(image)
    gain = _gains(image, denoiser)[0]

    def first(shot: ShotNoise | None) -> NoiseLevel:
        (level,) = _noise_levels(image, white, denoiser, shot=shot, planes=1)
        return _of_channels(level, gain)

    levels = _noise_levels(image, white, denoiser)
    shot = find_shot_noise(_of_channels(levels[0], gain), first)
    if shot is None:
        return _estimated(levels, image, denoiser)
    evened = _noise_levels(image, white, denoiser, shot=shot)
    return replace(_estimated(evened, image, denoiser), shot=shot)


def _of_channels(level: NoiseLevel, gain: float) -> NoiseLevel:
    """The noise of the channels, from that of a plane made of them; brightness is the same."""
    if level.parts is None:
        return level
    dark, middle, bright = (replace(part, sigma=part.sigma / gain) for part in level.parts)
    return replace(level, parts=(dark, middle, bright))


def estimate_image_noise(
    image: Pixels, white: float, denoiser: Denoiser, *, used: int = _USED
) -> EstimatedNoise:
    """σ of each plane the network sees, estimated from samples of the image itself.

    Opponent channels are judged one by one: real noise is rarely the same in all of them. Where
    that of the brightness is correlated, as a camera's is, that of the colours is taken to be at
    least as strong: it reaches further, and structure hides it.

    Args:
        image: lines × samples (× 3).
        white: the value that counts as 1, see `white_level.WhiteLevel`.
        denoiser: what the image will be denoised with.
        used: from how many samples the noise is estimated.

    Raises:
        ShapeError: the image is smaller than 8 × 8.
    """
    image = as_plane(image)
    return _estimated(_noise_levels(image, white, denoiser, used=used), image, denoiser)


def _gains(image: Pixels, denoiser: Denoiser) -> tuple[float, ...]:
    """What white noise of σ 1 in the photograph has in each plane that is judged."""
    if uses_opponent_colours(denoiser, image):
        return NOISE_GAIN
    return (1.0,) * (1 if image.ndim == 2 else 3)


def _noise_levels(
    image: Pixels,
    white: float,
    denoiser: Denoiser,
    *,
    used: int = _USED,
    shot: ShotNoise | None = None,
    planes: int | None = None,
) -> list[NoiseLevel]:
    """Of each plane that is judged, or of so many of them."""
    lines, samples = image.shape[:2]
    if min(lines, samples) < SMALLEST_IMAGE:
        raise ShapeError(
            "image", f"{samples} × {lines} pixels", "at least 8 × 8, to estimate the noise"
        )
    opponent = uses_opponent_colours(denoiser, image)
    views = _Samples(image, white, opponent, used, shot)
    judge = _Judge(next(denoiser.network.parameters()).device)
    levels = [
        estimate_noise_level(
            partial(views.of_plane, plane), judge, gain=gain, coarse=plane == 0 or not opponent
        )
        for plane, gain in enumerate(_gains(image, denoiser)[:planes])
    ]
    if shot is not None:
        return levels
    blocks, shares = views.blocks(), _shares(image, opponent)
    return [
        level if level.scale > 1 else _before_clipping(level, gain, blocks, share)
        for level, gain, share in zip(levels, _gains(image, denoiser), shares, strict=False)
    ]


def _shares(image: Pixels, opponent: bool) -> NDArray[np.float64]:
    """Of each channel in the noise of each plane that is judged."""
    if opponent:
        return OPPONENT**2 / np.square(NOISE_GAIN)[:, None]
    return np.eye(1 if image.ndim == 2 else image.shape[2])


def _before_clipping(
    level: NoiseLevel, gain: float, blocks: ClippedBlocks, shares: NDArray[np.float64]
) -> NoiseLevel:
    """A level as if noise had not been clipped at black and white."""
    found = level.sigma / gain
    sigma = blocks.sigma_before(found, shares)
    if sigma == found:
        return level
    possible = level.possible * sigma / found
    return replace(level, sigma=gain * sigma, possible=possible, parts=_evener(level, gain, blocks))


def _evener(
    level: NoiseLevel, gain: float, blocks: ClippedBlocks
) -> tuple[Part, Part, Part] | None:
    """The dark, middling and bright parts of clipped noise, as found or before it was clipped.

    What clipping has taken away in dark parts is no noise that grows with brightness.
    """
    if level.parts is None:
        return None
    dark, middle, bright = (
        replace(part, sigma=gain * blocks.sigma_at(part.sigma / gain, part.brightness))
        for part in level.parts
    )
    before, after = level.parts[-1].sigma / level.parts[0].sigma, bright.sigma / dark.sigma
    return (dark, middle, bright) if after < before else level.parts


def _estimated(levels: Sequence[NoiseLevel], image: Pixels, denoiser: Denoiser) -> EstimatedNoise:
    """σ of each plane the network sees, from those of the planes that were judged."""
    gains, opponent = _gains(image, denoiser), uses_opponent_colours(denoiser, image)
    sigmas = [level.sigma for level in levels]
    if opponent and levels[0].scale > 1:
        sigmas = [
            max(sigma, sigmas[0] * gain / gains[0])
            for sigma, gain in zip(sigmas, gains, strict=True)
        ]
    if len(levels) > 1 and not opponent:
        sigmas = [float(np.sqrt(np.mean(np.square(sigmas))))]
    return EstimatedNoise(tuple(sigmas), _remarks(levels, gains, image.shape[:2]))


def _remarks(
    levels: Sequence[NoiseLevel], gains: Sequence[float], shape: tuple[int, ...]
) -> tuple[str, ...]:
    remarks = []
    if min(shape) < FEW_PIXELS:
        remarks.append(
            f"{shape[1]} × {shape[0]} pixels are few to estimate the noise from; "
            "give --sigma if you know it"
        )
    scale = max(level.scale for level in levels)
    first, gain = levels[0], gains[0] / _LEVELS
    weak = first.sigma < _WEAK * gain
    if scale > 1 and not weak:
        remarks.append(
            "the noise of neighbouring pixels is alike, as in camera pictures: "
            f"estimated at 1/{scale} of the size; --noise camera may do better"
        )
    elif not weak and first.possible > max(_APART * first.sigma, first.sigma + _FAR * gains[0]):
        # What it could be at most is no advice: told that, each of twelve pictures lost.
        remarks.append(
            "fine texture and noise look alike here; if detail is lost, give a lower --sigma"
        )
    if first.uneven is not None:
        dark, bright = (part / gain for part in first.uneven)
        sigma, where = first.sigma / gain, "bright" if bright > dark else "dark"
        most = sigma * max(dark, bright) / min(dark, bright)
        remarks.append(
            f"the noise is uneven, stronger in {where} parts; if it is left there, "
            f"try --sigma {most:.0f}"
        )
    if not remarks and weak:
        remarks.append("hardly any noise is found; if you see some, say how much with --sigma")
    return tuple(remarks)


@lru_cache(maxsize=1)
def _judging_denoiser(device: torch.device) -> Denoiser:
    # Whatever an image is denoised with: this one is known to separate noise from texture.
    return load_weights(None, device)


class _Judge:
    """The denoiser that ships, on stacks of arrays."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def __call__(self, stack: Stack, sigma: float) -> Stack:
        denoiser, clean = _judging_denoiser(self.device), np.empty_like(stack)
        with torch.inference_mode():
            # One by one, so that memory does not grow with their number.
            for noisy, place in zip(stack, clean, strict=True):
                given = to_device(torch.from_numpy(np.ascontiguousarray(noisy)), self.device)
                place[:] = denoiser(given[None, None], sigma)[0, 0].float().cpu().numpy()
        return clean


class _Samples:
    """Samples of an image at each scale, as planes a network sees."""

    def __init__(
        self, image: Pixels, white: float, opponent: bool, used: int, shot: ShotNoise | None
    ) -> None:
        self.image, self.white, self.opponent, self.used = image, white, opponent, used
        self.shot = shot
        self.seen: dict[int, tuple[Values, NDArray[np.bool_]] | None] = {}

    def of_plane(self, plane: int, scale: int) -> tuple[Stack, NDArray[np.bool_]] | None:
        """The samples of a plane, averaged over `scale`² pixels; None where they are too small."""
        if scale not in self.seen:
            self.seen[scale] = self._sampled(scale)
        found = self.seen[scale]
        return None if found is None else (found[0][plane], found[1])

    def blocks(self) -> ClippedBlocks:
        """What has to be known of the samples where their noise was clipped."""
        means, masks, at_ends = [], [], []
        for region in flat_regions(self.image, _SIDES[1], _SAMPLES, self.used):
            sample = _coloured(self.image[region].astype(np.float32) / np.float32(self.white))
            means.append(_cells(sample).mean((1, 3)))
            masks.append(_off_the_ends(sample))
            at_ends.append(_cells((sample == 0) | (sample == 1)).mean((1, 3, 4)))
        usable = np.stack(masks)
        seen = far_from_clipped(usable)
        return ClippedBlocks(
            np.stack(means).reshape(-1, means[0].shape[-1]),
            np.stack([_cells(mask).sum((1, 3)) for mask in seen]).ravel(),
            np.stack(at_ends).ravel(),
            apart=seen is not usable,
        )

    def _sampled(self, scale: int) -> tuple[Values, NDArray[np.bool_]] | None:
        if scale > 1 and min(self.image.shape[:2]) < _LEAST_SIDE * scale:
            return None
        stacks, masks = [], []
        for region in flat_regions(self.image, scale * _SIDES[scale], _SAMPLES // scale, self.used):
            sample = self.image[region].astype(np.float32) / np.float32(self.white)
            masks.append(_averaged(_off_the_ends(sample), scale) == 1)
            sample = sample if self.shot is None else self.shot.evened(sample)
            planes = to_opponent(sample) if self.opponent else np.moveaxis(_coloured(sample), 2, 0)
            stacks.append(np.stack([_averaged(plane, scale) for plane in planes]))
        usable = np.stack(masks)
        return np.stack(stacks, 1), usable if usable.any() else np.ones_like(usable)


def _coloured(sample: Values) -> Values:
    return sample[..., None] if sample.ndim == 2 else sample


def _cells(sample: NDArray[Any]) -> NDArray[Any]:
    """Its blocks of 8 × 8 pixels: lines of blocks × 8 × blocks × 8 (× channels)."""
    lines, samples = (size // _CELL for size in sample.shape[:2])
    cut = sample[: lines * _CELL, : samples * _CELL]
    return cut.reshape(lines, _CELL, samples, _CELL, *sample.shape[2:])


def _averaged(plane: NDArray[np.generic], scale: int) -> Stack:
    """Means over scale × scale pixels."""
    lines, samples = (size // scale for size in plane.shape)
    cut = plane[: scale * lines, : scale * samples].astype(np.float32)
    return np.asarray(cut.reshape(lines, scale, samples, scale).mean((1, 3)), np.float32)


def _off_the_ends(sample: Values) -> NDArray[np.bool_]:
    """Where no channel is at an end of the range, at which noise is cut off.

    Floats may lie beyond the ends; those that lie on them have been cut off.
    """
    inside: NDArray[Any] = (sample != 0) & (sample != 1)
    return np.asarray(inside if inside.ndim == 2 else inside.all(2))
