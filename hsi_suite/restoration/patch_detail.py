"""How strong fine, middle and coarse detail is in each patch of an image, and what that tells.

Noise is everywhere and the same in neighbouring patches; structure is not.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .noise_estimate import coarse_variance, patches_of

Plane = NDArray[np.float32]
Energies = NDArray[np.float32]
Numbers = NDArray[np.float64]

_SIDE = 8
_SIZE = _SIDE * _SIDE
# The two frequencies of a coefficient of the 8 × 8 cosine transform, and their sum.
_DOWN, _RIGHT = (index.ravel() for index in np.indices((_SIDE, _SIDE)))
_ORDER = _DOWN + _RIGHT
_MIDDLE = (_ORDER >= 4) & (_ORDER <= 6)
# Fine, middle and coarse detail; then middle detail that changes along lines more, or less.
_BANDS = (
    _ORDER >= 10,
    _MIDDLE,
    (_ORDER >= 1) & (_ORDER <= 2),
    _MIDDLE & (_DOWN < _RIGHT),
    _MIDDLE & (_DOWN > _RIGHT),
)
# From a patch in a row to its coefficients in a row: faster than many small transforms.
_TRANSFORM = fft.dctn(
    np.eye(_SIZE, dtype=np.float32).reshape(_SIZE, _SIDE, _SIDE), axes=(1, 2), norm="ortho"
).reshape(_SIZE, _SIZE)
_MEANS = np.stack([band / band.sum() for band in _BANDS], 1).astype(np.float32)
# Patches that touch black or white are left out, where so many are left.
_ENOUGH = 500
# Patches from so many pixels are enough; of larger images those at every third or fifth pixel.
_STEPS, _MANY = (1, 3, 5), 15_000
# Shares of the patches that are quieter than what is measured. The last two are of edges: where
# these are soft, fine detail elsewhere is noise.
_QUIET = (0.02, 0.1, 0.3, 0.6, 0.9, 0.99)
#: Where `PatchDetail.numbers` says what a share of the patches keep below, by plane and band.
PLACES = {
    key: place
    for place, key in enumerate(
        itertools.product(("luma", "colour"), ("fine", "middle", "coarse"), _QUIET)
    )
}
# Shares of the patches, those of the least coarse structure first.
_FLAT = (0.1, 0.3, 0.6)
#: Where it says how widely middle detail of luma, then of colour, is spread; between are medians of
#: the middle detail of three parts, and of the fine and middle detail of the flattest, in both.
FLAT_SPREAD = len(PLACES) + 3 * 2 + len(_FLAT) * 4
_SMALL = 0.05


@dataclass(frozen=True, eq=False)
class PatchDetail:
    """Mean squares of the detail in patches, those of the least coarse structure first.

    Attributes:
        luma: fine, middle and coarse detail, and middle detail along lines and across, patches × 5.
        colour: the means of both colour differences, likewise; zeros of grey.
        brightness: mean luma of each patch.
    """

    luma: Energies
    colour: Energies
    brightness: Energies

    def flat(self, share: float = _FLAT[0]) -> slice:
        """The patches of the least coarse structure."""
        return slice(max(round(share * len(self.luma)), 1))

    def numbers(self) -> Numbers:
        """58 numbers, all of them logarithms.

        In order: what 2, 10, 30, 60, 90 and 99 % of the patches keep below, in fine, middle and
        coarse detail of luma, then of colour; medians of the middle detail of the darkest, middle
        and brightest third of the flattest tenth, in luma and colour; medians of the fine and
        middle detail of luma and colour of the flattest 10, 30 and 60 %; then ratios, in luma and
        colour: how widely middle detail is spread over the flattest tenth, which of noise is nearly
        a constant, and how much stronger it is along one axis.
        """
        both = np.concatenate([self.luma[:, :3], self.colour[:, :3]], 1)
        middle = [1, 4]
        quiet = np.quantile(both, _QUIET, axis=0).T
        flattest = both[self.flat()]
        order = np.argsort(self.brightness[self.flat()], kind="stable")
        parts = np.array_split(order, 3) if len(order) >= 3 else [order] * 3
        thirds = [np.median(flattest[part][:, middle], 0) for part in parts]
        flat = [np.median(both[self.flat(share)][:, [0, 1, 3, 4]], 0) for share in _FLAT]
        low, high = np.quantile(flattest[:, middle], (0.1, 0.9), axis=0)
        axes = np.stack([each[self.flat(), 3:].mean(0) for each in (self.luma, self.colour)], 1)
        levels = np.concatenate([quiet.ravel(), np.ravel(thirds), np.ravel(flat)])
        ratios = np.append(_log_ratio(high, low), np.abs(_log_ratio(axes[0], axes[1])))
        return np.append(np.log(_SMALL + np.sqrt(levels)), ratios).astype(np.float64)


def measure(
    planes: Sequence[Plane], inside: NDArray[np.bool_], *, blank: bool = True
) -> PatchDetail:
    """The detail of an image's patches.

    Args:
        planes: luma, and of a colour image its two colour differences, lines × samples each.
        inside: the pixels that are neither black nor white, where noise was cut off.
        blank: whether patches that are black or white throughout count where all have to, as few
            have no pixel that is.
    """
    # Odd steps: patches lie evenly on the blocks of a JPEG.
    step = _step(inside)
    within = patches_of(inside, step)
    usable = within.all(1)
    if usable.sum() < _ENOUGH:
        some = within.any(1)
        usable = np.ones_like(usable) if blank or some.sum() < _ENOUGH else some
    places = np.flatnonzero(usable)
    luma = patches_of(planes[0], step)[places]
    order = np.argsort(coarse_variance(luma), kind="stable")
    energies = [_energies(luma)[order]]
    energies += [_energies(patches_of(plane, step)[places])[order] for plane in planes[1:]]
    colour = np.mean(energies[1:], 0) if len(planes) > 1 else np.zeros_like(energies[0])
    return PatchDetail(energies[0], colour, np.asarray(luma.mean(1)[order], np.float32))


def counts_blank(inside: NDArray[np.bool_]) -> bool:
    """Whether `measure` counts patches that are black or white throughout, beside enough others.

    Args:
        inside: as of `measure`.
    """
    within = patches_of(inside, _step(inside))
    some = within.any(1).sum()
    return bool(within.all(1).sum() < _ENOUGH <= some < len(within))


def _step(inside: NDArray[np.bool_]) -> int:
    """From one patch to the next, along lines and samples."""
    return next((each for each in _STEPS if inside.size <= _MANY * each**2), _STEPS[-1])


def halved(plane: NDArray[np.generic]) -> Plane:
    """Means of 2 × 2 pixels; of an odd side the last line or sample is left out."""
    lines, samples = (size // 2 for size in plane.shape)
    blocks = plane[: 2 * lines, : 2 * samples].reshape(lines, 2, samples, 2)
    return np.asarray(blocks.mean((1, 3), dtype=np.float32))


def _energies(patches: NDArray[np.generic]) -> Energies:
    """Mean squares in each band, patches × 5."""
    squares = (patches.astype(np.float32) @ _TRANSFORM) ** 2
    return np.asarray(squares @ _MEANS)


def _log_ratio(first: Energies, second: Energies) -> Numbers:
    """Logarithms of ratios of root mean squares, of nothing to nothing 0."""
    return np.asarray(np.log((first + _SMALL**2) / (second + _SMALL**2)) / 2, np.float64)
