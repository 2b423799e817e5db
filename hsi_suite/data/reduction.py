"""Affine maps of spectra: principal components, standardised bands, or bands as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError

BLOCK_PIXELS = 65_536
# Rows that are reduced at a time; more need more memory, also in the library that multiplies.
_ROWS = 4_096
# Values near the largest of their type overflow, which is found by its result and said once.
_QUIET = np.errstate(over="ignore", invalid="ignore")


class Spectra(Protocol):
    """N × bands spectra: an array, or what reads its rows as they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and bands."""
        ...

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        """Some consecutive rows."""
        ...


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
        flat = self.apply_rows(spectra.reshape(-1, spectra.shape[-1]))
        return flat.reshape(*spectra.shape[:-1], self.components)

    def apply_rows(self, spectra: Spectra) -> NDArray[np.float32]:
        """N × bands to N × components, as `apply`."""
        out = np.empty((spectra.shape[0], self.components), np.float32)
        for start in range(0, len(out), BLOCK_PIXELS):
            block = spectra[start : start + BLOCK_PIXELS]
            for first in range(0, len(block), _ROWS):
                rows = block[first : first + _ROWS].astype(np.float64)
                # A pixel with an infinite value has no data and becomes NaN; that is no news.
                # What is beyond float32 becomes infinite, which the networks' guard refuses.
                with np.errstate(invalid="ignore", over="ignore"):
                    rows -= self.mean
                    out[start + first : start + first + len(rows)] = rows @ self.matrix
            del block, rows  # before the next ones are made
        return out


def check_components(key: str, components: int, bands: int) -> None:
    """Refuse more components than there are bands.

    Args:
        key: the key that gives their number.
        components: how many are asked for.
        bands: of the scene.

    Raises:
        ShapeError: there are fewer bands.
    """
    if components > bands:
        raise ShapeError(
            key, f"{components} components of {bands} bands", f"at most {bands}", f"lower {key}"
        )


@_QUIET
def fit_pca(spectra: Spectra, components: int, whiten: bool) -> Reduction:
    """Principal components of N × bands spectra, as scikit-learn's PCA(whiten=…) gives them.

    By the eigenvectors of the covariance matrix, in float64 and block by block: a copy of the
    spectra is never made, and they need not be in memory. Signs are fixed by making each
    component's largest loading positive.

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
    mean = _band_means(spectra)
    scatter = np.zeros((bands, bands))
    for block in _blocks(spectra):
        block -= mean
        scatter += block.T @ block
        del block  # before the next one is made
    _require_finite(scatter)
    try:
        values, vectors = np.linalg.eigh(scatter / (count - 1))
    except np.linalg.LinAlgError as error:
        raise _unusual() from error
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


@_QUIET
def fit_standardisation(spectra: Spectra) -> Reduction:
    """Each band to zero mean and unit variance over N × bands spectra; constant bands to zero."""
    mean, variance = _moments(spectra)
    scale = np.divide(1, np.sqrt(variance), out=np.zeros(len(mean)), where=variance > 0)
    return Reduction(mean, np.diag(scale), _shares(variance))


@_QUIET
def fit_nothing(spectra: Spectra) -> Reduction:
    """N × bands spectra as they are; only how much each band varies is looked at."""
    mean, variance = _moments(spectra)
    return Reduction(np.zeros(len(mean)), np.eye(len(mean)), _shares(variance))


def _moments(spectra: Spectra) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and variance of each band."""
    mean = _band_means(spectra)
    variance = _band_means(spectra, mean)
    _require_finite(variance)
    return mean, variance


def _shares(variance: NDArray[np.float64]) -> NDArray[np.float64]:
    total = variance.sum()
    return variance / total if total else np.zeros(len(variance))


def _require_finite(values: NDArray[np.float64]) -> None:
    if not np.isfinite(values).all():
        raise _unusual()


def _unusual() -> ShapeError:
    return ShapeError(
        "reduction", "spectra without principal components", "finite values of usual size"
    )


def _band_means(spectra: Spectra, centre: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Means of the bands; of their squared distances from a centre where there is one."""
    count, bands = spectra.shape
    total = np.zeros(bands)
    for block in _blocks(spectra):
        if centre is not None:
            block -= centre
            block **= 2
        total += block.sum(0)
        del block  # before the next one is made
    return total / count


def _blocks(spectra: Spectra) -> Iterator[NDArray[np.float64]]:
    for start in range(0, spectra.shape[0], BLOCK_PIXELS):
        yield spectra[start : start + BLOCK_PIXELS].astype(np.float64)
