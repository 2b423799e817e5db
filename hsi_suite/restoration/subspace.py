"""The few directions in which the spectra of a cube really differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, ShapeError
from .band_noise import BandMoments

Values = NDArray[np.float64]

# 99 % quantile of the Tracy-Widom law of order 1: largest eigenvalues of pure noise stay below.
_TRACY_WIDOM_99 = 2.0234
# Bands that others explain exactly seem to be without noise; weights beyond this drown the rest.
_LEAST_NOISE = 1e-3


@dataclass(frozen=True)
class Subspace:
    """Principal components of spectra whose noise was first made equal in all bands.

    Attributes:
        mean: mean spectrum.
        scale: standard deviation of the noise of each band, not below a thousandth of its median.
        directions: bands × rank, orthonormal, by falling variance.
        variances: of all components of the whitened spectra, falling; noise alone has 1.
    """

    mean: Values
    scale: Values
    directions: Values
    variances: Values

    @property
    def rank(self) -> int:
        """Number of directions."""
        return int(self.directions.shape[1])

    @cached_property
    def is_bands(self) -> bool:
        """Whether the directions are the bands themselves, as `every_band` gives them."""
        bands = len(self.mean)
        return self.rank == bands and np.array_equal(self.directions, np.eye(bands))

    def along(self, whitened: Values) -> Values:
        """Whitened spectra or residuals (pixels × bands) along the directions, pixels × rank."""
        return whitened if self.is_bands else whitened @ self.directions

    def across(self, coefficients: Values) -> Values:
        """Coefficients (pixels × rank) as whitened spectra, pixels × bands."""
        return coefficients if self.is_bands else coefficients @ self.directions.T

    def whiten(self, spectra: Values) -> Values:
        """Spectra (pixels × bands) less their mean, with noise of 1 in each band."""
        return (spectra - self.mean) / self.scale

    def project(self, spectra: Values) -> Values:
        """Spectra (pixels × bands) as coefficients (pixels × rank), whose noise is 1 each."""
        return self.along(self.whiten(spectra))

    def back_project(self, coefficients: Values) -> Values:
        """Coefficients (pixels × rank) as spectra (pixels × bands)."""
        return self.across(coefficients) * self.scale + self.mean


def every_band(mean: Values, noise: Values) -> Subspace:
    """Each band as a direction of its own: nothing is left out, the noise is 1 in all.

    Args:
        mean: mean spectrum.
        noise: standard deviation of the noise of each band, in the units of the cube.

    Raises:
        ConfigError: no noise at all.
    """
    return Subspace(mean, _weights(noise), np.eye(len(mean)), np.ones(len(mean)))


def check_rank(rank: int | Literal["auto"], bands: int) -> None:
    """Refuse a rank that so many bands do not have.

    Raises:
        ConfigError: it is not from 1 to their number.
    """
    if rank != "auto" and not 1 <= rank <= bands:
        raise ConfigError("rank", f"{rank}", f"1 to {bands}, the bands in use")


def fit_subspace(
    moments: BandMoments, noise: Values, rank: int | Literal["auto"] = "auto"
) -> Subspace:
    """The subspace that holds the signal.

    Args:
        moments: of the spectra.
        noise: standard deviation of the noise of each band, in the units of the cube.
        rank: number of directions; "auto" counts those whose variance noise does not reach
            (`noise_edge`), at least one.

    Raises:
        ShapeError: fewer pixels than bands.
        ConfigError: no noise at all, or a rank that the bands do not have.
    """
    # Here: trainings, which may denoise what they are given, mostly do not.
    from scipy import linalg

    bands = len(moments.mean)
    check_rank(rank, bands)
    if moments.count <= bands:
        raise ShapeError(
            "cube", f"{moments.count} valid pixels and {bands} bands", "more pixels than bands"
        )
    scale = _weights(noise)
    variances, directions = linalg.eigh(moments.covariance / np.outer(scale, scale))
    variances, directions = variances[::-1], directions[:, ::-1]
    if rank == "auto":
        chosen = max(1, int((variances > noise_edge(moments.count, bands)).sum()))
    else:
        chosen = rank
    return Subspace(moments.mean, scale, _turned(directions[:, :chosen]), variances)


def _turned(directions: Values) -> Values:
    """Directions whose strongest component is positive.

    Either sign is right, and rounding chooses; but a network makes something else of a negative.
    """
    strongest = np.abs(directions).argmax(0)
    turned: Values = directions * np.sign(directions[strongest, np.arange(directions.shape[1])])
    return turned


def _weights(noise: Values) -> Values:
    typical = float(np.median(noise))
    if not typical > 0:
        raise ConfigError("sigma", "0 in half of the bands or more", "noise that can be taken away")
    return np.maximum(noise, _LEAST_NOISE * typical)


def noise_edge(pixels: int, bands: int) -> float:
    """The variance that no principal component of white noise of variance 1 exceeds.

    The upper edge of the Marchenko–Pastur law, (1 + √(bands / pixels))², with the width of its
    fluctuation: the 99 % quantile of Johnstone, Annals of Statistics 2001, equations 1.2 and 1.3.
    """
    roots = np.sqrt(pixels - 1), np.sqrt(bands)
    centre = sum(roots) ** 2
    width = sum(roots) * (1 / roots[0] + 1 / roots[1]) ** (1 / 3)
    return float((centre + _TRACY_WIDOM_99 * width) / pixels)
