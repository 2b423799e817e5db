"""Faulty values of a cube: what the other bands say should stand there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .subspace import Subspace

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Quantiles of a sample's residuals that give the scale of the noise; faults are fewer than a tenth.
_QUANTILES = (0.5, 0.9)
# No cube has noise without any spread; of what was estimated.
_LEAST_SCALE = 1e-3
# Of a component beyond noise.
_LEAST_VARIANCE = 1e-6
# Of the largest residual of a spectrum: what a fault leaks into other bands is less.
_LEAKED = 0.5
# Pixels solved together.
_CHUNK = 2048


@dataclass(frozen=True)
class Faults:
    """Values that say nothing, and what should stand in their place.

    Attributes:
        places: pixel · live bands + band of each, ascending; bands in the order of the file.
        predicted: what the rest of the cube says, in its units.
    """

    places: NDArray[np.int64]
    predicted: Values

    def fill(self, spectra: Values, first_pixel: int) -> None:
        """Put into spectra (pixels × live bands), in place, what was predicted.

        Args:
            spectra: of pixels in a row.
            first_pixel: the number of the first.
        """
        start = first_pixel * spectra.shape[1]
        some = slice(*np.searchsorted(self.places, [start, start + spectra.size]))
        spectra[np.divmod(self.places[some] - start, spectra.shape[1])] = self.predicted[some]


def predicted(subspace: Subspace, whitened: Values, without: Mask) -> Values:
    """Whitened spectra as the subspace predicts them from some of their bands.

    The mean of the coefficients' posterior, where component i has variance λᵢ - 1 and the noise 1
    (conditional mean of a Gaussian factor model, Tipping and Bishop, JRSS B 1999).

    Args:
        subspace: of the bands.
        whitened: pixels × bands.
        without: the same, True for values that are not used.
    """
    directions = subspace.directions
    prior = 1 / np.maximum(subspace.variances[: subspace.rank] - 1, _LEAST_VARIANCE)
    used = np.where(without, 0, whitened) @ directions
    coefficients = used / (1 + prior)
    holed = np.flatnonzero(without.any(1))
    for start in range(0, len(holed), _CHUNK):
        rows = holed[start : start + _CHUNK]
        row, band = np.nonzero(without[rows])
        gram = np.tile(np.eye(subspace.rank) + np.diag(prior), (len(rows), 1, 1))
        np.subtract.at(gram, row, directions[band, :, None] * directions[band, None, :])
        coefficients[rows] = np.linalg.solve(gram, used[rows, :, None])[..., 0]
    expected: Values = coefficients @ directions.T
    return expected


def residuals(subspace: Subspace, whitened: Values, scale: Values, limit: float) -> Values:
    """What of whitened spectra (pixels × bands) other bands do not predict, in units of `scale`.

    A strong fault moves the whole fit: the strongest values are left out first, then all beyond
    the limit.
    """
    none = np.zeros(whitened.shape, bool)
    rest = (whitened - predicted(subspace, whitened, none)) / scale
    size = np.abs(rest)
    out = size > np.maximum(limit, _LEAKED * size.max(1, keepdims=True))
    for _ in range(2):
        rows = np.flatnonzero(out.any(1))
        if not rows.size:
            break
        expected = predicted(subspace, whitened[rows], out[rows])
        rest[rows] = (whitened[rows] - expected) / scale
        out[rows] = np.abs(rest[rows]) > limit
    return rest


def residual_scale(sample: Values) -> Values:
    """Standard deviation of the noise in residuals (pixels × bands), whatever strikes a few."""
    quantiles = np.quantile(np.abs(sample), _QUANTILES, axis=0)
    normal = stats.norm.ppf((1 + np.array(_QUANTILES)) / 2)[:, None]
    scale: Values = np.maximum((quantiles / normal).max(0), _LEAST_SCALE)
    return scale
