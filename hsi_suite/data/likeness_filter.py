"""Class probabilities averaged over the pixels around that look alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_PAIRS = 20_000


@dataclass(frozen=True)
class LikenessFilter:
    """A bilateral filter of class probabilities whose guide is the spectra.

    Each pixel's probabilities become the mean over a window, weighted by exp(−d²/2s²), where d² is
    the mean squared difference of two spectra over their components: fields are smoothed and their
    edges stay. After Kang, Li, Benediktsson (IEEE Transactions on Geoscience and Remote Sensing 52,
    2014), who guide by the first principal component of the scene where we take every component,
    and leave distance within the window out.

    Attributes:
        window: odd side of the window, in pixels.
        spread: s², in squared units of the components.
    """

    window: int
    spread: float

    @property
    def radius(self) -> int:
        """How far the window reaches."""
        return self.window // 2

    def apply(
        self, probabilities: NDArray[np.float32], spectra: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Filtered probabilities of the inner lines and samples.

        Args:
            probabilities: lines × samples × classes.
            spectra: lines × samples × components, all 0 where there is no data. Both hold
                `radius` more lines and samples at each side than what is wanted.

        Returns:
            The inner lines × samples × classes; where there is no data as they were.
        """
        r = self.radius
        lines, samples = (size - 2 * r for size in spectra.shape[:2])
        known: NDArray[np.bool_] = np.any(spectra, axis=-1)
        inner = spectra[r : r + lines, r : r + samples]
        total = np.zeros((lines, samples, probabilities.shape[-1]), np.float32)
        weights = np.zeros((lines, samples, 1), np.float32)
        scale = np.float32(-0.5 / self.spread)
        for line in range(self.window):
            for sample in range(self.window):
                part = slice(line, line + lines), slice(sample, sample + samples)
                apart = spectra[part] - inner
                squares = np.einsum("lsc,lsc->ls", apart, apart) / np.float32(spectra.shape[-1])
                weight = (np.exp(scale * squares) * known[part])[..., None]
                total += weight * probabilities[part]
                weights += weight
        here = slice(r, r + lines), slice(r, r + samples)
        alone = ~known[here]
        total[alone], weights[alone] = probabilities[here][alone], 1
        return np.asarray(total / weights, np.float32)


def neighbour_pairs(valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Flat indices, in ascending order, of pixels that hold data as the next sample does.

    Args:
        valid: lines × samples, False where there is no data.

    Returns:
        At most 20,000, evenly spread over the scene.
    """
    first = np.zeros(valid.shape, bool)
    first[:, :-1] = valid[:, :-1] & valid[:, 1:]
    pixels = np.flatnonzero(first)
    if len(pixels) <= _MOST_PAIRS:
        return pixels
    return pixels[np.linspace(0, len(pixels) - 1, _MOST_PAIRS).astype(np.int64)]


def typical_spread(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """A spread that fits a scene: the median over its pairs of neighbours.

    Args:
        one: spectra of pixels, N × components.
        other: of a neighbour of each.

    Returns:
        Above 0; 1 where there are no neighbours, or most of them are alike.
    """
    squares = np.square(one.astype(np.float64) - other).mean(1)
    return (float(np.median(squares)) if squares.size else 0.0) or 1.0
