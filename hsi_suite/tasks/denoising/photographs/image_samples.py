"""Parts of an image that show its noise best."""

from __future__ import annotations

import itertools

import numpy as np

from ....engine.tiles import Region
from ..image_restoration import Pixels

_CELL = 8


def flat_regions(image: Pixels, side: int, most: int, used: int) -> list[Region]:
    """Samples of little structure, though not of the least: that is often black or blown out.

    Args:
        image: lines × samples (× 3).
        side: lines and samples of each; fewer where the image has fewer.
        most: samples that are looked at, along lines and along samples.
        used: how many of them are chosen.
    """
    regions = spread_regions(image.shape[:2], side, most)
    if len(regions) <= used:
        return regions
    structure = [_structure(image[region]) for region in regions]
    ranked = [regions[index] for index in np.argsort(structure, kind="stable")]
    places = np.linspace(0.1, 0.5, used) * (len(ranked) - 1)
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
    means = cells.mean((1, 3))
    # Along the samples where there is but one line of cells.
    steps = np.abs(np.diff(means, axis=0 if len(means) > 1 else 1))
    return float(np.median(steps)) if steps.size else 0.0


def spread_regions(shape: tuple[int, ...], side: int, most: int) -> list[Region]:
    """Samples as far from each other as the image has room for.

    Args:
        shape: lines and samples of the image.
        side: lines and samples of each; fewer where the image has fewer.
        most: samples along lines and along samples.
    """
    starts = []
    for size in shape:
        # What is left of less than half a sample is left out.
        count = max(1, min(most, -(-(size - side // 2) // side)))
        starts.append(np.linspace(0, max(size - side, 0), count).round().astype(int))
    return [
        (slice(line, line + side), slice(sample, sample + side))
        for line, sample in itertools.product(*starts)
    ]
