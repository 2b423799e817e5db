"""Faulty values of a cube: what the other bands say should stand there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .subspace import Subspace

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Quantiles of a sample's residuals that give the scale of the noise; faults are fewer than a tenth.
_QUANTILES = (0.5, 0.9)
# Times the scale of the middle: that of a tail which is none of noise.
_NO_TAIL = 2.0
# No cube has noise without any spread; of what was estimated.
_LEAST_SCALE = 1e-3
# Of a component beyond noise.
_LEAST_VARIANCE = 1e-6
# Of the largest residual of a spectrum: what a fault leaks into other bands is less.
_LEAKED = 0.5
# Pixels solved together, and the values of their matrices.
_CHUNK, _CHUNK_VALUES = 2048, 2**22


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
    prior = _prior(subspace)
    used = np.where(without, 0, whitened) @ subspace.directions
    coefficients = used / (1 + prior)
    for rows, lost in _holed(subspace, without):
        gram = np.eye(subspace.rank) + np.diag(prior) - lost
        coefficients[rows] = np.linalg.solve(gram, used[rows, :, None])[..., 0]
    expected: Values = coefficients @ subspace.directions.T
    return expected


def noise_of_filled(subspace: Subspace, without: Mask) -> Values:
    """Variance of the noise in the coefficients of spectra filled by `predicted`, pixels × rank.

    1 where nothing was filled. What a filled value holds is noise of the others once more.
    """
    variance = np.ones((len(without), subspace.rank))
    prior = np.diag(_prior(subspace))
    for rows, lost in _holed(subspace, without):
        kept = np.eye(subspace.rank) - lost
        passed = np.eye(subspace.rank) + lost @ np.linalg.inv(kept + prior)
        variance[rows] = np.einsum("nij,njk,nik->ni", passed, kept, passed)
    return variance


def _prior(subspace: Subspace) -> Values:
    prior: Values = 1 / np.maximum(subspace.variances[: subspace.rank] - 1, _LEAST_VARIANCE)
    return prior


def _holed(subspace: Subspace, without: Mask) -> Iterator[tuple[NDArray[np.intp], Values]]:
    """Rows in which values are left out, and what they lack of the Gram matrix of the directions.

    Rows come some at a time, N and N × rank × rank.
    """
    rank = subspace.rank
    outer = (subspace.directions[:, :, None] * subspace.directions[:, None]).reshape(-1, rank**2)
    holed = np.flatnonzero(without.any(1))
    step = max(1, min(_CHUNK, _CHUNK_VALUES // rank**2))
    for start in range(0, len(holed), step):
        rows = holed[start : start + step]
        yield rows, (without[rows].astype(np.float64) @ outer).reshape(-1, rank, rank)


def residuals(
    subspace: Subspace,
    whitened: Values,
    scale: Values,
    limit: float,
    without: Mask | None = None,
) -> Values:
    """What of whitened spectra (pixels × bands) other bands do not predict, in units of `scale`.

    A strong fault moves the whole fit: the strongest values are left out first, then all beyond
    the limit. Values that are left out from the start (`without`) have no say in anything; what is
    returned for them means nothing.
    """
    never = np.zeros(whitened.shape, bool) if without is None else without
    rest = (whitened - predicted(subspace, whitened, never)) / scale
    size = np.where(never, 0, np.abs(rest))
    out = size > np.maximum(limit, _LEAKED * size.max(1, keepdims=True))
    for _ in range(2):
        rows = np.flatnonzero(out.any(1))
        if not rows.size:
            break
        expected = predicted(subspace, whitened[rows], out[rows] | never[rows])
        rest[rows] = (whitened[rows] - expected) / scale
        out[rows] = (np.abs(rest[rows]) > limit) & ~never[rows]
    return rest


def residual_scale(sample: Values, *, up_to_half: bool = False) -> Values:
    """Standard deviation of the noise in residuals (pixels × bands), whatever strikes a few.

    NaN stands for values that do not count; a band of nothing else has 1.

    Args:
        sample: the residuals.
        up_to_half: faults may strike up to half of a band, so that its middle alone counts where
            no tail of noise reaches as far as what is beside it.
    """
    none = np.isnan(sample).all(0)
    sizes = np.abs(np.where(none, 1.0, sample))
    quantiles = np.nanquantile(sizes, _QUANTILES, axis=0)
    normal = stats.norm.ppf((1 + np.array(_QUANTILES)) / 2)[:, None]
    middle, tail = quantiles / normal
    scale: Values = np.maximum(middle, tail)
    if up_to_half:
        scale = np.where(tail > _NO_TAIL * middle, middle, scale)
    scale = np.maximum(scale, _LEAST_SCALE)
    scale[none] = 1
    return scale
