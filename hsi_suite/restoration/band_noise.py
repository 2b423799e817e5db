"""The noise of each band, estimated from what the other bands cannot explain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError, ShapeError
from .cube_lines import CubeLines
from .damage import Damage
from .noise_estimate import ENOUGH_SIDE, SMALLEST_IMAGE, estimate_noise, rough_noise

Values = NDArray[np.float64]

# Of the correlation matrix: far below any noise, yet a copy of a band leaves it invertible.
_RIDGE = 1e-10
# From so many bands on, the others explain a band's signal.
_MANY_BANDS = 10
# What is looked at of each band where they are fewer.
_SAMPLED_LINES, _SAMPLED_SAMPLES = 256, 1024


@dataclass(frozen=True)
class BandMoments:
    """Mean spectrum and scatter of the pixels of a cube: all that its noise and subspace need.

    Attributes:
        count: pixels.
        mean: one value for each band.
        scatter: bands × bands, sum over the pixels of the products of deviations from the mean.
    """

    count: int
    mean: Values
    scatter: Values

    @property
    def covariance(self) -> Values:
        """Scatter divided by `count` - 1."""
        return self.scatter / (self.count - 1)


def band_moments(blocks: Iterable[Values]) -> BandMoments:
    """The moments of spectra that come in blocks of pixels × bands (Chan et al. 1979).

    Raises:
        ShapeError: no pixels.
        InputFileError: values so large that their squares are no numbers.
    """
    total: BandMoments | None = None
    for block in blocks:
        if len(block):
            mean = block.mean(0)
            deviations = block - mean
            with np.errstate(over="ignore", invalid="ignore"):
                part = BandMoments(len(block), mean, deviations.T @ deviations)
            total = part if total is None else _joined(total, part)
    if total is None:
        raise ShapeError("cube", "no valid pixels", "some")
    if not np.isfinite(total.scatter).all():
        raise InputFileError("cube", "values too large to compute with", "below 1e150")
    return total


def _joined(first: BandMoments, second: BandMoments) -> BandMoments:
    count = first.count + second.count
    step = second.mean - first.mean
    weight = first.count * second.count / count
    scatter = first.scatter + second.scatter + weight * np.outer(step, step)
    return BandMoments(count, first.mean + step * (second.count / count), scatter)


def noise_by_regression(moments: BandMoments) -> Values:
    """Standard deviation of the noise of each band, in the units of the cube.

    Each band is regressed on all others, and what is left over is its noise, as in HySime
    (Bioucas-Dias & Nascimento, TGRS 2008, section II-A). The residuals of all these regressions
    stand on the diagonal of the inverse scatter matrix, so that one inversion does them all.

    The noise of the other bands passes into a regression: estimates are some percent high where
    many components of the signal meet few bands, and more in bands far quieter than the rest.
    Noise that neighbouring bands share is taken for signal.

    Raises:
        ShapeError: not more pixels than bands.
    """
    from scipy import linalg

    bands = len(moments.mean)
    if moments.count <= bands:
        raise ShapeError(
            "cube",
            f"{moments.count} valid pixels and {bands} bands",
            "more pixels than bands, to separate noise from signal",
            "give the noise of the bands yourself and denoise band by band",
        )
    spread = np.sqrt(np.diag(moments.scatter))
    correlation = moments.scatter / np.outer(spread, spread)
    correlation[np.diag_indices(bands)] += _RIDGE
    unexplained = 1 / np.diag(linalg.inv(correlation))
    # Rounding can bring a perfectly explained band below nothing.
    noise: Values = spread * np.sqrt(np.maximum(unexplained, _RIDGE) / (moments.count - bands))
    return noise


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
        few = min(plane.shape) < ENOUGH_SIDE
        own = rough_noise(plane, usable) if few else estimate_noise([plane], [usable])
        if own > 0:
            noise[index] = min(noise[index], own)
    return noise
