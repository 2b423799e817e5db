"""Affine maps of spectra: principal components, or standardised bands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError

_BLOCK = 65_536


@dataclass(frozen=True)
class Reduction:
    """x ↦ (x − mean) · matrix.

    Attributes:
        mean: bands, float64.
        matrix: bands × components, float64.
        explained: share of the variance in each component.
    """

    mean: NDArray[np.float64]
    matrix: NDArray[np.float64]
    explained: NDArray[np.float64]

    @property
    def components(self) -> int:
        """Number of values per pixel afterwards."""
        return int(self.matrix.shape[1])

    def apply(self, spectra: NDArray[np.generic]) -> NDArray[np.float32]:
        """(…, bands) in any numeric type to (…, components) in float32, block by block."""
        flat = spectra.reshape(-1, spectra.shape[-1])
        out = np.empty((len(flat), self.components), np.float32)
        for start in range(0, len(flat), _BLOCK):
            block = flat[start : start + _BLOCK].astype(np.float64)
            # A pixel with an infinite value has no data and becomes NaN; that is no news.
            with np.errstate(invalid="ignore"):
                out[start : start + _BLOCK] = (block - self.mean) @ self.matrix
        return out.reshape(*spectra.shape[:-1], self.components)


def fit_pca(spectra: NDArray[np.generic], components: int, whiten: bool) -> Reduction:
    """Principal components of N × bands spectra, as scikit-learn's PCA(whiten=…) gives them.

    By the eigenvectors of the covariance matrix, in float64 and block by block: a copy of the
    spectra is never made. Signs are fixed by making each component's largest loading positive.

    Raises:
        ShapeError: more components than the spectra have dimensions.
    """
    count, bands = spectra.shape
    if components > min(bands, count - 1):
        raise ShapeError(
            "reduction.components",
            f"{components} components of {count} spectra with {bands} bands",
            f"at most {min(bands, count - 1)}",
            "lower reduction.components",
        )
    mean = sum(block.sum(0) for block in _blocks(spectra)) / count
    scatter = np.zeros((bands, bands))
    for block in _blocks(spectra):
        block -= mean
        scatter += block.T @ block
    try:
        values, vectors = np.linalg.eigh(scatter / (count - 1))
    except np.linalg.LinAlgError as error:
        raise ShapeError(
            "reduction", "spectra without principal components", "finite values of usual size"
        ) from error
    values, vectors = values[::-1][:components], vectors[:, ::-1][:, :components]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(0), np.arange(components)])
    total = np.trace(scatter) / (count - 1)
    rank = int((values > total * bands * np.finfo(float).eps).sum())
    if rank < components:
        raise ShapeError(
            "reduction.components",
            f"{components} components of spectra that vary in {rank} only",
            f"at most {rank}",
            "lower reduction.components",
        )
    matrix = vectors / np.sqrt(values) if whiten else vectors
    return Reduction(mean, matrix, values / total)


def fit_standardisation(spectra: NDArray[np.generic]) -> Reduction:
    """Each band to zero mean and unit variance over N × bands spectra; constant bands to zero."""
    count, bands = spectra.shape
    mean = sum(block.sum(0) for block in _blocks(spectra)) / count
    variance = sum(((block - mean) ** 2).sum(0) for block in _blocks(spectra)) / count
    scale = np.divide(1, np.sqrt(variance), out=np.zeros(bands), where=variance > 0)
    total = variance.sum()
    share = variance / total if total else np.zeros(bands)
    return Reduction(mean, np.diag(scale), share)


def _blocks(spectra: NDArray[np.generic]) -> Iterator[NDArray[np.float64]]:
    for start in range(0, len(spectra), _BLOCK):
        yield spectra[start : start + _BLOCK].astype(np.float64)
