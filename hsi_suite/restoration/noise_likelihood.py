"""The most likely noise of images, under what a denoiser has learnt of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Stack = NDArray[np.float32]
#: From noisy images (N × lines × samples) and their σ, in one unit, to clean ones.
DenoiseStack = Callable[[Stack, float], Stack]

_BLOCK = 8
_EVALUATIONS = 5
# Steps of σ that no longer matter to a denoiser, as its share and on the scale 0 to 1.
_NEAR, _NOTHING = 0.03, 0.1 / 255
# σ that has not moved by more is taken at once.
_AT_ONCE = 0.006
_LOWEST, _HIGHEST = 0.5 / 255, 120 / 255
# Of the slope of log(σ found) - log(σ) in log(σ): it is between -1 and 0, and flat in texture.
_FLATTEST = -0.12
# Shares of the noise that must be left in a region, and in a block, to judge by it.
_LEFT, _LEFT_IN_BLOCK = 1e-3, 0.05


@dataclass(frozen=True)
class LikelyNoise:
    """What a denoiser says of the noise.

    Attributes:
        sigma: of the noise, in the units of the images.
        levels: the same of every block of 8 × 8 pixels by itself; empty where none fits.
        brightness: mean of each of these blocks.
    """

    sigma: float
    levels: NDArray[np.float64]
    brightness: NDArray[np.float64]


def likely_noise(
    stack: Stack,
    usable: NDArray[np.bool_],
    denoise: DenoiseStack,
    start: float,
    evaluations: int = _EVALUATIONS,
) -> LikelyNoise:
    """The σ of independent normal noise under which images are most likely.

    For the best possible denoiser D of noise σ the derivative of log p(y; σ²) in σ² is zero where
    σ² = ‖y - D(y)‖² / (n - div D(y)): by Tweedie's formula σ² times the score of p is D(y) - y
    (Efron, JASA 2011, equation 2.8), and p obeys the heat equation in σ². It is the residual's
    variance over its degrees of freedom. Texture that the denoiser knows as texture costs
    degrees of freedom instead of counting as noise. The divergence is that of one random probe
    (Ramani, Blu and Unser, TIP 2008), the same at every step.

    Args:
        stack: N × lines × samples, on the scale 0 to 1.
        usable: of the same shape; the pixels that show the noise.
        denoise: a denoiser of such images.
        start: a first guess.
        evaluations: at most so many σ are tried.
    """
    probe = np.random.default_rng(0).choice(np.array([-1, 1], np.float32), stack.shape)
    fits = _Fits(stack, usable, denoise, probe)
    position = float(np.log(np.clip(start, _LOWEST, _HIGHEST)))
    seen: list[tuple[float, float]] = []
    for _ in range(evaluations):
        seen.append((position, fits.excess(position)))
        if abs(seen[-1][1]) < _AT_ONCE:
            break
        following = float(np.clip(_next(seen), np.log(_LOWEST), np.log(_HIGHEST)))
        moved = abs(following - position)
        nothing = abs(np.exp(following) - np.exp(position)) < _NOTHING
        position = following
        if len(seen) > 1 and (moved < _NEAR or nothing):
            break
    return LikelyNoise(float(np.exp(position)), *fits.levels())


class _Fits:
    """What is left of images and its degrees of freedom, at one σ after the other."""

    def __init__(
        self, stack: Stack, usable: NDArray[np.bool_], denoise: DenoiseStack, probe: Stack
    ) -> None:
        self.stack, self.usable, self.denoise, self.probe = stack, usable, denoise, probe
        self.squares: NDArray[np.floating] = stack
        self.freedom: NDArray[np.floating] = stack

    def excess(self, position: float) -> float:
        """log(σ found / σ) at log(σ)."""
        sigma = float(np.exp(position))
        step = np.float32(max(0.1 * sigma, 1e-4))
        clean = self.denoise(self.stack, sigma)
        moved = self.denoise(self.stack + step * self.probe, sigma)
        self.squares = np.square(self.stack - clean) * self.usable
        self.freedom = (1 - self.probe * (moved - clean) / step) * self.usable
        freedom = max(float(self.freedom.sum(dtype=np.float64)), _LEFT * self.usable.sum())
        found = np.sqrt(float(self.squares.sum(dtype=np.float64)) / max(freedom, _LEFT))
        return float(np.log(max(found, _LOWEST / 2)) - position)

    def levels(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """σ of each block, at the last σ that was tried, and its brightness."""
        squares, freedom, counts, total = (
            _block_sums(each) for each in (self.squares, self.freedom, self.usable, self.stack)
        )
        whole = counts > _BLOCK**2 / 2
        freedom = np.maximum(freedom, _LEFT_IN_BLOCK * counts)
        return np.sqrt(squares[whole] / freedom[whole]), total[whole] / _BLOCK**2


def _next(seen: list[tuple[float, float]]) -> float:
    """Where log(σ found) - log(σ) may be zero: by the secant, kept between its signs."""
    position, excess = seen[-1]
    if len(seen) == 1:
        return position + 1.5 * excess
    above = [each for each in seen if each[1] <= 0]
    below = [each for each in seen if each[1] > 0]
    if above and below:
        (low, rising), (high, falling) = max(below), min(above)
        if low < high:
            return low + rising * (high - low) / (rising - falling)
        return (low + high) / 2
    before, excess_before = seen[-2]
    slope = (excess - excess_before) / (position - before) if position != before else -1.0
    return position - excess / min(slope, _FLATTEST)


def _block_sums(stack: NDArray[np.generic]) -> NDArray[np.float64]:
    number, lines, samples = (
        stack.shape[0],
        stack.shape[1] // _BLOCK,
        stack.shape[2] // _BLOCK,
    )
    cut = stack[:, : lines * _BLOCK, : samples * _BLOCK]
    blocks = cut.reshape(number, lines, _BLOCK, samples, _BLOCK)
    return np.asarray(blocks.sum((2, 4), dtype=np.float64).ravel())
