"""White noise that was cut off at black or white, and what that does to brightness undone.

Where noise reaches beyond the range of a picture it is clipped there, and no longer zero in the
mean: black under noise of σ has the mean 0.4 σ. Denoisers that have learnt noise of mean zero give
that mean back. It is a known function of what lies behind it, which has an inverse (Foi, "Clipped
noisy images", Signal Processing 89, 2009). Whether there was such noise, the picture says itself:
how many of the pixels that are this dark in the mean lie at the very end is known, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Pixels = NDArray[Any]
Values = NDArray[np.float64]

# Of the pixels whose mean is so many σ from an end, some are looked at: nearer ones are what was
# black or white without noise, of farther ones hardly any is clipped.
_NEAR, _FAR = 0.25, 2.0
# So many of them at least, and such a share of all, have to lie at the end.
_ENOUGH, _SHARE = 20, 0.001
# σ that their number tells, over the σ that a denoiser was told: what passes for the same noise.
# Texture raises the first a little, and clipping has lowered the second where it was estimated.
_ALIKE = (0.8, 1.6)
# Of σ; values further apart have been rounded by more than noise hides.
_COARSE = 0.5
_BINS, _STEPS = 1024, 4096
_HALVINGS = 30
_STRIP = 1 << 20


@dataclass(frozen=True)
class Clipping:
    """How normal noise was cut off in a channel.

    Attributes:
        low: the value at which it was cut off below.
        high: the same above.
        low_sigma: σ of the noise near the lower end, in the units of the values; 0 where nothing
            was cut off there.
        high_sigma: the same near the upper end.
    """

    low: float
    high: float
    low_sigma: float = 0.0
    high_sigma: float = 0.0

    def mean(self, truth: Values) -> Values:
        """What clipped noise has as its mean where there was such a value before (Foi, 2009)."""
        raised = _cut_off(truth - self.low, self.low_sigma)
        return np.asarray(truth + raised - _cut_off(self.high - truth, self.high_sigma))

    def truth(self, mean: Values) -> Values:
        """The inverse of `mean`, from end to end; beyond what such noise can have, the end."""
        values = np.linspace(self.low, self.high, _STEPS + 1)
        return np.asarray(np.interp(mean, self.mean(values), values))


def find_clipping(
    noisy: Pixels, clean: Pixels, sigma: float, ends: tuple[float, float], strength: float = 1.0
) -> Clipping | None:
    """How noise was cut off in a channel, by how many values lie at the ends.

    Args:
        noisy: lines × samples.
        clean: what a denoiser has made of them, of the same shape.
        sigma: of their noise, as the denoiser was told it, in their units.
        ends: their lower and their upper end.
        strength: share of the denoiser's change that was made, above 0.

    Returns:
        With the σ that the numbers tell; None where they do not agree with `sigma` at either end,
        as of pictures that are black or white without noise.
    """
    low, high = ends
    found = [_Counts(sigma, high - low), _Counts(sigma, high - low)]
    for part in _strips(noisy):
        given = noisy[part].astype(np.float64)
        made = _in_full(given, clean[part], strength)
        found[0].add(given - low, made - low)
        found[1].add(high - given, high - made)
    low_sigma, high_sigma = (each.sigma_at_end(noisy.size) for each in found)
    return Clipping(low, high, low_sigma, high_sigma) if low_sigma or high_sigma else None


def undo_clipping(
    noisy: Pixels, clean: Pixels, sigma: float, strength: float = 1.0
) -> tuple[str, ...]:
    """Give a denoised picture, in place, the brightness that it had before its noise was clipped.

    The ends are the least and the largest of the noisy values. Each channel and each end is judged
    by itself.

    Args:
        noisy: lines × samples (× channels).
        clean: the same denoised, of whole or real numbers.
        sigma: of the noise, as the denoiser was told it, in the units of the values.
        strength: share of the denoiser's change that was made.

    Returns:
        The ends at which noise was clipped: "black", "white".
    """
    ends = float(noisy.min()), float(noisy.max())
    if not sigma > 0 or not strength > 0 or not ends[0] < ends[1]:
        return ()
    names: set[str] = set()
    for channel in range(1 if noisy.ndim == 2 else noisy.shape[2]):
        given, made = (each if each.ndim == 2 else each[..., channel] for each in (noisy, clean))
        clipping = find_clipping(given, made, sigma, ends, strength)
        if clipping is not None:
            _undo(given, made, clipping, strength)
            names |= {"black"} if clipping.low_sigma else set()
            names |= {"white"} if clipping.high_sigma else set()
    return tuple(sorted(names))


def _undo(noisy: Pixels, clean: Pixels, clipping: Clipping, strength: float) -> None:
    """The same of a channel whose clipping is known."""
    if clean.dtype.kind == "u" and strength == 1:
        values = clipping.truth(np.arange(np.iinfo(clean.dtype).max + 1.0))
        clean[...] = np.rint(values).astype(clean.dtype)[clean]
        return
    for part in _strips(noisy):
        made = _in_full(noisy[part].astype(np.float64), clean[part], strength)
        values = clean[part] + strength * (clipping.truth(made) - made)
        if clean.dtype.kind == "u":
            values = np.rint(values).clip(0, np.iinfo(clean.dtype).max)
        clean[part] = values


def _in_full(noisy: Values, clean: Pixels, strength: float) -> Values:
    """What a denoiser has made, of the share of its change that was taken."""
    made = clean.astype(np.float64)
    return made if strength == 1 else np.asarray(noisy + (made - noisy) / strength)


def _strips(channel: Pixels) -> Iterator[slice]:
    """Lines that take little memory."""
    lines = max(1, _STRIP // channel.shape[1])
    return (slice(begin, begin + lines) for begin in range(0, len(channel), lines))


def _cut_off(distance: Values, sigma: float) -> Values:
    """Mean of what lies beyond an end at such a distance."""
    if not sigma:
        return np.zeros_like(distance)
    away = distance / sigma
    return np.asarray(sigma * (normal_density(away) - away * ndtr(-away)))


def normal_density(away: Values) -> Values:
    """The density of the standard normal distribution."""
    return np.asarray(np.exp(-np.square(away) / 2) / np.sqrt(2 * np.pi))


class _Counts:
    """Of the pixels near an end, by the distance of their mean: all, and those at the end."""

    def __init__(self, sigma: float, most: float) -> None:
        self.sigma = sigma
        self.all = np.zeros(_BINS)
        self.at_end = np.zeros(_BINS)
        # From the end to the next value: half of it is rounded to the end.
        self.step = most

    def add(self, values: Values, means: Values) -> None:
        """Count pixels, from distances of their values and means."""
        chosen = (means >= _NEAR * self.sigma) & (means < _FAR * self.sigma)
        away, shares = values[chosen], means[chosen] / self.sigma
        places = ((shares - _NEAR) * (_BINS / (_FAR - _NEAR))).astype(np.intp).clip(0, _BINS - 1)
        self.all += np.bincount(places, minlength=_BINS)
        self.at_end += np.bincount(places[away == 0], minlength=_BINS)
        self.step = float(away[away > 0].min(initial=self.step))

    def sigma_at_end(self, size: int) -> float:
        """σ that the counts tell; 0 where that is other noise, or none.

        Args:
            size: number of pixels of the channel.
        """
        count = self.at_end.sum()
        if count < max(_ENOUGH, _SHARE * size) or self.step > _COARSE * self.sigma:
            return 0.0
        least, most = (share * self.sigma for share in _ALIKE)
        if not self._expected(least) <= count <= self._expected(most):
            return 0.0
        for _ in range(_HALVINGS):
            middle = (least + most) / 2
            least, most = (middle, most) if self._expected(middle) < count else (least, middle)
        return (least + most) / 2

    def _expected(self, sigma: float) -> float:
        """How many pixels lie at the end under noise of a σ, which rises with it."""
        means = self.sigma * (_NEAR + (np.arange(_BINS) + 0.5) * ((_FAR - _NEAR) / _BINS))
        truths = self.sigma * np.linspace(-4 * _FAR, _FAR, _STEPS)
        behind = np.interp(means, truths + _cut_off(truths, sigma), truths)
        return float(self.all @ ndtr((self.step / 2 - behind) / sigma))
