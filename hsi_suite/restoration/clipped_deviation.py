"""The σ that white noise had before it was clipped, from what is left inside the range.

Noise is estimated from the pixels that were not clipped. Near black or white these are the ones
that the noise moved inwards: they differ less than all did, so that strong noise seems weaker than
it was (35 as 30, 60 as 44 in pictures of 8 bits). By how much is known for each brightness: they
are normal values cut off at both ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from .clipped_noise import Clipping, normal_density

Values = NDArray[Any]

_STEPS = 400
_HALVINGS = 24
# Such a share of all values has to lie at the ends.
_SHARE = 0.001
# No σ is more than so many times the one that was found.
_MOST = 2.5


@dataclass(frozen=True)
class ClippedBlocks:
    """What has to be known of the parts of an image whose noise was estimated.

    Attributes:
        means: of each block in each channel, N × channels; black is 0 and white is 1.
        counts: of the pixels of each that the noise was estimated from, N.
        at_ends: share of its values that lie at the ends, N.
        apart: whether these pixels have no clipped ones around them.
    """

    means: Values
    counts: Values
    at_ends: Values
    apart: bool

    def sigma_before(self, found: float, shares: Values) -> float:
        """σ before noise was clipped; `found` where none was.

        No more than the number of values at the ends allows: as many lie there as σ lets expect of
        the means of blocks, or more where these hide darker and brighter parts.

        Args:
            found: σ of the pixels that were not clipped, as of one channel.
            shares: of each channel in the variance that it was found from; their sum is 1.
        """
        if self.at_ends.mean() < _SHARE or found <= 0 or not self.counts.any():
            return found
        # Blocks that are black or white without noise say nothing of it.
        noisy = self.at_ends < 1
        seen = self.at_ends[noisy].sum()

        def too_small(sigma: float) -> bool:
            inside = np.sqrt(np.average(self._inside(sigma) @ shares, weights=self.counts))
            return bool(inside < found and self._expected_at_ends(sigma)[noisy].sum() < seen)

        return _bisected(found, too_small)

    def sigma_at(self, found: float, mean: float) -> float:
        """The same of a part that has such a mean, of noise that is known to have been clipped."""
        part = replace(self, means=np.array([[mean]]))
        return _bisected(found, lambda sigma: part._inside(sigma)[0, 0] < found**2)

    def _inside(self, sigma: float) -> Values:
        """The variance that would be found in each block under noise of a σ."""
        truth = np.linspace(0, 1, _STEPS + 1)
        mean = Clipping(0, 1, sigma, sigma).mean(truth)
        variance = inside_variance(truth, sigma, apart=self.apart)
        return np.asarray(np.interp(self.means, mean, variance))

    def _expected_at_ends(self, sigma: float) -> Values:
        """The share of each block that would lie at the ends under noise of a σ."""
        truth = Clipping(0, 1, sigma, sigma).truth(self.means)
        return np.asarray((ndtr(-truth / sigma) + ndtr((truth - 1) / sigma)).mean(1))


def _bisected(found: float, too_small: Callable[[float], bool]) -> float:
    """The least σ from `found` on that is not too small."""
    least, most = found, _MOST * found
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        least, most = (middle, most) if too_small(middle) else (least, middle)
    return (least + most) / 2


def inside_variance(truth: Values, sigma: float, *, apart: bool) -> Values:
    """How far unclipped values are from what a denoiser makes of their surroundings, squared.

    Args:
        truth: the values without noise, 0 to 1.
        sigma: of the noise.
        apart: whether the surroundings are unclipped, too, so that it makes their own mean; else it
            makes the mean of the clipped values.
    """
    below, above = -truth / sigma, (1 - truth) / sigma
    share = ndtr(above) - ndtr(below)
    low, high = normal_density(below), normal_density(above)
    moved = sigma * (low - high) / share
    own = sigma**2 * (1 + (below * low - above * high) / share) - moved**2
    if apart:
        return np.asarray(own)
    clipped = Clipping(0, 1, sigma, sigma).mean(truth)
    return np.asarray(own + np.square(truth + moved - clipped))
