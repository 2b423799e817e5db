"""The noise of each band, told from the other bands and, where these are few, from the images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .band_noise import BandMoments, noise_by_regression
from .cube_lines import CubeLines
from .damage import Damage
from .noise_estimate import SMALLEST_IMAGE, estimate_noise

# From so many bands on, the others explain a band's signal.
_MANY_BANDS = 10
# What is looked at of each band where they are fewer.
_SAMPLED_LINES, _SAMPLED_SAMPLES = 256, 1024


def estimate_band_noise(
    moments: BandMoments, cube: CubeLines, damage: Damage
) -> NDArray[np.float64]:
    """σ of each live band, in the units of the cube.

    Few bands leave much of each other's signal unexplained, which regression then takes for noise;
    a band's own flat parts know better.

    Args:
        moments: of the spectra of the live bands.
        cube: what they are of.
        damage: which bands and values cannot be used.

    Raises:
        ShapeError: not more pixels than bands.
    """
    noise = noise_by_regression(moments)
    live = damage.live_bands
    if len(live) >= _MANY_BANDS or min(cube.shape[:2]) < SMALLEST_IMAGE:
        return noise
    first = max(0, (cube.shape[0] - _SAMPLED_LINES) // 2)
    block = cube.read(first, min(cube.shape[0], first + _SAMPLED_LINES))
    good = ~damage.missing(block, first) & damage.valid[first : first + len(block), :, None]
    for index, band in enumerate(live):
        usable = good[:, :_SAMPLED_SAMPLES, band]
        plane = np.where(usable, block[:, :_SAMPLED_SAMPLES, band], 0).astype(np.float64)
        told = estimate_noise([plane], [usable])
        if told > 0:
            noise[index] = min(noise[index], told)
    return noise
