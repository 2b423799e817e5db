"""How noisy a photograph is, told from samples of it with the denoiser that ships."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...engine.tiles import Region
from ...errors import ShapeError
from ...restoration.colour import to_opponent
from ...restoration.noise_estimate import SMALLEST_IMAGE
from ...restoration.noise_level import FEW_PIXELS, NoiseLevel, tell_noise
from ...restoration.noise_likelihood import Stack
from .denoiser import Denoiser
from .image_restoration import Pixels, Values, uses_opponent_colours
from .weights import load_weights

# Looked at: at most 8 × 8 samples of 128 × 128 pixels, spread over the image, of which 4 are used.
_SAMPLE = 128
_SAMPLES = 8
_USED = 4
_CELL = 8


@dataclass(frozen=True)
class ToldNoise:
    """What an image tells of its noise.

    Attributes:
        sigmas: of each plane a network sees; see `known_noise`. On the scale 0 to 1.
        remarks: what the user should know of it, a line each.
    """

    sigmas: tuple[float, ...]
    remarks: tuple[str, ...]


def estimated_noise(image: Pixels, white: float, denoiser: Denoiser) -> ToldNoise:
    """σ of each plane the network sees, told from samples of the image itself.

    Opponent channels are judged one by one: real noise is rarely the same in all of them.

    Args:
        image: lines × samples (× 3).
        white: the value that counts as 1, see `white_level.WhiteLevel`.
        denoiser: what the image will be denoised with.

    Raises:
        ShapeError: the image is smaller than 8 × 8.
    """
    lines, samples = image.shape[:2]
    if min(lines, samples) < SMALLEST_IMAGE:
        raise ShapeError(
            "image", f"{samples} × {lines} pixels", "at least 8 × 8, to tell the noise from"
        )
    scale = np.float32(white)
    chosen = [image[region].astype(np.float32) / scale for region in _chosen_regions(image)]
    if np.issubdtype(image.dtype, np.integer):
        usable = [_inside_range(sample) for sample in chosen]
    else:
        usable = [np.ones(sample.shape[:2], bool) for sample in chosen]
    device = next(denoiser.network.parameters()).device
    levels = [tell_noise(plane, usable, _Judge(device)) for plane in _planes(chosen, denoiser)]
    sigmas = tuple(level.sigma for level in levels)
    if image.ndim == 3 and not uses_opponent_colours(denoiser, image):
        sigmas = (float(np.sqrt(np.mean(np.square(sigmas)))),)
    return ToldNoise(sigmas, _remarks(levels, (lines, samples)))


def _planes(samples: Sequence[Values], denoiser: Denoiser) -> list[list[Stack]]:
    """For every plane that is judged by itself its samples."""
    if samples[0].ndim == 2:
        return [list(samples)]
    if uses_opponent_colours(denoiser, samples[0]):
        channels = [to_opponent(sample) for sample in samples]
        return [[each[index] for each in channels] for index in range(3)]
    return [[np.ascontiguousarray(each[..., index]) for each in samples] for index in range(3)]


def _remarks(levels: Sequence[NoiseLevel], shape: tuple[int, int]) -> tuple[str, ...]:
    remarks = []
    if min(shape) < FEW_PIXELS:
        remarks.append(
            f"{shape[1]} × {shape[0]} pixels are few to tell the noise from; "
            "give --sigma if you know it"
        )
    scale = max(level.scale for level in levels)
    if scale > 1:
        remarks.append(
            "the noise of neighbouring pixels is alike, as in camera pictures: "
            f"told at 1/{scale} of the size; another --sigma may do better"
        )
    if any(level.doubtful for level in levels):
        remarks.append(
            "noise and fine texture look alike here; if detail is lost, give a lower --sigma"
        )
    return tuple(remarks)


@lru_cache(maxsize=1)
def _judging_denoiser(device: torch.device) -> Denoiser:
    # Whatever an image is denoised with: this one is known to tell noise from texture.
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
                given = torch.from_numpy(np.ascontiguousarray(noisy)).to(self.device)
                place[:] = denoiser(given[None, None], sigma)[0, 0].float().cpu().numpy()
        return clean


def _chosen_regions(image: Pixels) -> list[Region]:
    """Samples of little structure, though not of the least: that is often black or blown out."""
    regions = _sample_regions(image.shape[:2])
    if len(regions) <= _USED:
        return regions
    structure = [_structure(image[region]) for region in regions]
    ranked = [regions[index] for index in np.argsort(structure, kind="stable")]
    places = np.linspace(0.1, 0.5, _USED) * (len(ranked) - 1)
    return [ranked[index] for index in np.unique(places.round().astype(int))]


def _structure(sample: Pixels) -> float:
    """How much cells of 8 × 8 pixels differ, which noise hardly does; clipped ones are last."""
    values = sample.astype(np.float32)
    grey = values if values.ndim == 2 else values.mean(2)
    lines, samples = (size // _CELL * _CELL for size in grey.shape)
    cells = grey[:lines, :samples].reshape(lines // _CELL, _CELL, samples // _CELL, _CELL)
    if np.issubdtype(sample.dtype, np.integer):
        inside = (sample > 0) & (sample < np.iinfo(sample.dtype).max)
        if inside.mean() < 0.5:
            return float("inf")
    steps = np.abs(np.diff(cells.mean((1, 3)), axis=0))
    return float(np.median(steps))


def _sample_regions(shape: tuple[int, ...]) -> list[Region]:
    starts = []
    for size in shape:
        count = min(_SAMPLES, -(-size // _SAMPLE))
        starts.append(np.linspace(0, max(size - _SAMPLE, 0), count).round().astype(int))
    return [
        (slice(line, line + _SAMPLE), slice(sample, sample + _SAMPLE))
        for line, sample in itertools.product(*starts)
    ]


def _inside_range(sample: Values) -> NDArray[np.bool_]:
    """Where no channel is at an end of the range, at which noise is cut off."""
    inside: NDArray[Any] = (sample > 0) & (sample < 1)
    return np.asarray(inside if inside.ndim == 2 else inside.all(2))
