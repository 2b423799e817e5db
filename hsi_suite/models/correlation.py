"""Canonical correlation analysis: the linear common space of two modalities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError

Matrix = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class CanonicalCorrelation:
    """Linear projections of two modalities whose components correlate most.

    Attributes:
        means: of the two modalities' dimensions.
        directions: dimensions × components of each.
        correlations: of the components on the pairs fitted to, falling, 0 to 1.
    """

    means: tuple[NDArray[np.float64], NDArray[np.float64]]
    directions: tuple[NDArray[np.float64], NDArray[np.float64]]
    correlations: NDArray[np.float64]

    def project(self, items: Matrix, side: int, components: int) -> NDArray[np.float64]:
        """The first components of N × dimensions items of a modality (side 0 or 1)."""
        centred = np.asarray(items, np.float64) - self.means[side]
        projected: NDArray[np.float64] = centred @ self.directions[side][:, :components]
        return projected


def fit_cca(
    first: Matrix, second: Matrix, ridges: Sequence[float]
) -> dict[float, CanonicalCorrelation]:
    """Fit to pairs (Hotelling 1936) with ridges on both covariances (Vinod 1976), by ridge.

    Args:
        first: N × dimensions.
        second: N × other dimensions, row by row of the same pairs.
        ridges: in units of each modality's mean variance along the directions it varies in.

    Raises:
        ShapeError: the counts differ, there are fewer than two pairs, or one modality is constant.
    """
    if len(first) != len(second) or len(first) < 2:
        found = f"{len(first)} and {len(second)} items"
        raise ShapeError("canonical correlation", found, "two or more pairs")
    one, other = _principal(first), _principal(second)
    inner = one.left.T @ other.left
    return {ridge: _fit(one, other, inner, ridge) for ridge in ridges}


@dataclass(frozen=True, eq=False)
class _Principal:
    """The singular value decomposition of centred items."""

    mean: NDArray[np.float64]
    left: NDArray[np.float64]
    sizes: NDArray[np.float64]
    right: NDArray[np.float64]


def _principal(items: Matrix) -> _Principal:
    values = np.asarray(items, np.float64)
    mean = values.mean(0)
    left, sizes, right = np.linalg.svd(values - mean, full_matrices=False)
    if not sizes[0] > 0:
        raise ShapeError("canonical correlation", "a modality that does not vary", "values")
    kept = sizes > sizes[0] * max(values.shape) * np.finfo(np.float64).eps
    return _Principal(mean, left[:, kept], sizes[kept], right[kept])


def _fit(
    one: _Principal, other: _Principal, inner: NDArray[np.float64], ridge: float
) -> CanonicalCorrelation:
    roots = [np.sqrt(p.sizes**2 + ridge * np.mean(p.sizes**2)) for p in (one, other)]
    shrunk = [p.sizes / root for p, root in zip((one, other), roots, strict=True)]
    turn, correlations, back = np.linalg.svd(
        shrunk[0][:, None] * inner * shrunk[1], full_matrices=False
    )
    first, second = (p.right.T / root for p, root in zip((one, other), roots, strict=True))
    return CanonicalCorrelation(
        (one.mean, other.mean), (first @ turn, second @ back.T), correlations
    )
