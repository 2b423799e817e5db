"""White noise that grows with brightness, as photons have it, made the same everywhere and back.

Photons come by chance: the variance of what a sensor counts rises in a line with the count, above
that of its amplifier. Denoisers know one σ for a whole picture. The square root of the values,
suitably moved, has noise of one σ (Anscombe, Biometrika 1948; with an amplifier's, Murtagh, Starck
and Bijaoui, A&A Supplement 1995). What is denoised there is the mean of roots, not the root of the
mean; the way back makes good for that (Mäkitalo and Foi, IEEE TIP 2013, in closed form).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .noise_level import NoiseLevel, Part

Values = NDArray[np.float32]

# The constant of Anscombe, in counts, and the least root that counts have.
_MOVED = 3 / 8
_LEAST_ROOT = np.float32(2 * np.sqrt(_MOVED))
_THIRD = np.float32(np.sqrt(1.5))
_BLACK = np.zeros(1, np.float32)
# How far the noise of the middle may lie from the line through dark and bright parts, as a factor.
# Texture that passes for noise keeps to no line.
_OFF_LINE = 1.25
# Noise of the bright third of an image over that of the dark one: where it is looked at, and what
# is even. White noise of one σ has 0.98 to 1.06 in photographs.
_GROWING, _EVEN = 1.09, 1.05
_ROUNDS = 5


@dataclass(frozen=True)
class ShotNoise:
    """How noise grows with brightness.

    Attributes:
        gain: rise of its variance over that of brightness: what one count adds to a value.
        floor: variance at black.
        sigma: that evened values are given; as values keep about their size, that of noise at the
            brightness where a step of them is as large as before.
    """

    gain: float
    floor: float
    sigma: float

    def evened(self, values: Values) -> Values:
        """Values, on the scale 0 to 1, whose noise is of `sigma` everywhere; 0 stays 0."""
        return np.float32(self.sigma) * (self._root(values) - self._root(_BLACK))

    def back(self, evened: Values) -> Values:
        """The values whose noisy ones, evened, have such a mean."""
        roots = evened / np.float32(self.sigma) + self._root(_BLACK)
        inverse = 1 / np.maximum(roots, _LEAST_ROOT)
        mean = inverse * (_THIRD / 4 + inverse * (inverse * (5 / 8 * _THIRD) - np.float32(11 / 8)))
        counts = np.square(roots) / 4 + mean - np.float32(1 / 8 + self.floor / self.gain**2)
        return np.asarray(np.float32(self.gain) * counts, np.float32)

    def at(self, value: float) -> float:
        """σ of the noise at a brightness."""
        return float(np.sqrt(max(self.gain * value + self.floor, 0)))

    def _root(self, values: Values) -> Values:
        """Of counts: noise of σ 1."""
        counts = values / np.float32(self.gain) + np.float32(self.floor / self.gain**2 + _MOVED)
        return np.asarray(2 * np.sqrt(np.maximum(counts, 0)), np.float32)


def find_shot_noise(
    level: NoiseLevel, evened: Callable[[ShotNoise], NoiseLevel]
) -> ShotNoise | None:
    """Noise that grows with brightness as that of an image does.

    A denoiser that is told one σ says too little of the growth: so it is asked again, of the values
    evened by what it said, until their noise is even.

    Args:
        level: of the noise of an image, in its own units.
        evened: gives that of the same image, evened.

    Returns:
        None where the noise does not grow, where its variance keeps to no line, and where no
        line makes it even.
    """
    if level.parts is None or level.scale > 1 or _growth(level.parts) < _GROWING:
        return None
    shot = _through(level.parts)
    for _ in range(_ROUNDS):
        if shot is None:
            break
        found = evened(shot).parts
        if found is None:
            break
        if 1 / _EVEN < _growth(found) < _EVEN:
            return shot
        values = [float(shot.back(np.array([part.brightness], np.float32))[0]) for part in found]
        shot = _through(
            [
                Part(value, part.sigma * shot.at(value) / shot.sigma)
                for part, value in zip(found, values, strict=True)
            ]
        )
    return None


def _growth(parts: Sequence[Part]) -> float:
    """Noise of the bright parts over that of the dark ones."""
    return parts[-1].sigma / max(parts[0].sigma, 1e-9)


def _through(parts: Sequence[Part]) -> ShotNoise | None:
    """The noise whose variance is a line through that of the dark and the bright parts."""
    dark, middle, bright = parts
    first, between, last = (part.sigma**2 for part in parts)
    rise = bright.brightness - dark.brightness
    if rise <= 0 or last <= first:
        return None
    gain = (last - first) / rise
    floor = first - gain * dark.brightness
    if floor < 0:
        # Photons alone.
        gain, floor = last / bright.brightness, 0.0
    expected = gain * middle.brightness + floor
    if not _OFF_LINE**-2 < between / max(expected, 1e-12) < _OFF_LINE**2:
        return None
    return ShotNoise(gain, floor, float(np.sqrt(expected)))
