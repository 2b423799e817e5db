"""Salt and pepper in photographs: single values thrown to white or black, found and filled.

Errors of transmission and dead or saturated elements do that. A value is such an impulse where it
is the largest or smallest of the image and far from the median of its eight neighbours. Specks of
light, texture and letters have such values, too, so an image is only believed to be struck where
black and white ones are about as many, lie in all its parts alike, are a good share of all that
stands out so far, and outnumber what nearly is as black or white. Of one kind alone more is asked:
that it is nearly all that stands out, and lies beside its like no more often than chance has it. Of
fewer values than photographs have, as dithers and mazes, nothing is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .noise_signs import large_enough, middle_of

Pixels = NDArray[Any]
Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

_LEVELS = 255.0
_AROUND = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
# Levels, and standard deviations of what neighbours differ by, that are far from the median.
_FAR, _DEVIATIONS = 40.0, 4.0
_TO_SIGMA = 1.4826
# Of the values that may be struck, and of those that stand out: clean photographs that are at all
# near the other limits reach 0.005 and 0.09.
_LEAST_SHARE, _LEAST_PURE = 0.004, 0.12
# Levels from an end that count as nearly there, and their most: of the values that may be struck,
# or of the impulses. Struck photographs have 0.018 or less, sharpened texture 0.03 and more.
_NEARLY, _MOST_NEARLY, _NEARLY_OF_ALL = 32.0, 0.025, 0.1
# Of one kind alone.
_ALONE_SHARE, _ALONE_PURE, _ALONE_NEARLY = 0.01, 0.6, 0.05
# Of the other, once one is sure.
_BESIDE_SHARE = 0.002
# Times as many beside their like as chance has it, and standard deviations of their number.
_TIMES, _CHANCE = 1.5, 5.0
# Dithers and mazes have no more different values.
_PALETTE = 16
# Of the impulses, those that are white.
_WHITE_SHARE = (0.25, 0.75)
# An image is cut into 8 × 8 cells; those where so many are expected, and so many of them, count,
# and in nearly all a third of them is there.
_CELLS, _EXPECTED, _FEWEST, _THERE, _NEARLY_ALL = 8, 8.0, 4, 1 / 3, 0.9
# Levels from what is around, beyond which an extreme value is filled once there are impulses, and
# the reach, in pixels, of what is around and of what fills.
_NEAR, _WIDE, _NARROW, _MARGIN = 20.0, 1.5, 0.6, 8
# Shares of what is around that are known, of which so much is enough; and times as much that the
# surplus of one end is where an image is black or white itself.
_SOME, _ANY = 0.3, 1e-4
_FAR_MORE = 2.0
_STRIP = 256


@dataclass(frozen=True)
class Impulses:
    """Salt and pepper of an image.

    Attributes:
        share: of its values, those that are struck.
        pepper: the value of black ones; None where there are none.
        salt: the value of white ones; likewise.
    """

    share: float
    pepper: float | None
    salt: float | None

    @property
    def name(self) -> str:
        """What they are, in words."""
        kinds = {"salt": self.salt, "pepper": self.pepper}
        return " and ".join(name for name, value in kinds.items() if value is not None)


class _Tally:
    """What of an image may be struck by impulses of some value, and what seems to be."""

    def __init__(self) -> None:
        self.found, self.places = np.zeros(_CELLS * _CELLS), np.zeros(_CELLS * _CELLS)
        self.outstanding = self.nearly = self.pairs = 0
        self.expected_pairs = 0.0

    def add(self, may: Mask, odd: Mask, end: Mask, nearly: Mask) -> None:
        """Count those of a plane: what may be struck, stands out, is at the end, or nearly is."""
        struck = odd & end
        cells = _cells((may.shape[0], may.shape[1]))
        found = np.bincount(cells[struck], minlength=len(self.found))
        places = np.bincount(cells[may], minlength=len(self.places))
        self.found += found
        self.places += places
        self.outstanding += int(odd.sum())
        self.nearly += int((odd & nearly).sum())
        self.pairs += int((struck[1:] & struck[:-1]).sum() + (struck[:, 1:] & struck[:, :-1]).sum())
        possible = int((may[1:] & may[:-1]).sum() + (may[:, 1:] & may[:, :-1]).sum())
        self.expected_pairs += possible * (found.sum() / max(places.sum(), 1)) ** 2

    @property
    def count(self) -> float:
        return float(self.found.sum())

    @property
    def share(self) -> float:
        return self.count / max(float(self.places.sum()), 1.0)

    def pure(self, least: float) -> bool:
        """Whether so much of what stands out is at the end."""
        return self.count >= least * self.outstanding

    @property
    def everywhere(self) -> bool:
        """Whether impulses lie in nearly all parts as often as is expected."""
        counted = self.share * self.places >= _EXPECTED
        there = self.found[counted] >= _THERE * self.share * self.places[counted]
        return bool(counted.sum() >= _FEWEST and there.mean() >= _NEARLY_ALL)

    @property
    def independent(self) -> bool:
        """Whether they lie beside each other no more often than chance has it."""
        chance = self.expected_pairs
        return bool(self.pairs <= _TIMES * chance + _CHANCE * np.sqrt(chance + 1))

    @property
    def sure_alone(self) -> bool:
        """Whether they are impulses even where there is no other kind."""
        return (
            self.share >= _ALONE_SHARE
            and self.pure(_ALONE_PURE)
            and self.nearly <= _ALONE_NEARLY * self.count
            and self.independent
            and self.everywhere
        )


def find_impulses(image: Pixels, white: float) -> Impulses | None:
    """The salt and pepper of an image; None where it has none.

    Args:
        image: lines × samples (× 3), the values of its file; the middle of a large one is looked
            at.
        white: the largest value that it may have.
    """
    planes = _planes(middle_of(image))
    if not large_enough(image) or max(len(np.unique(plane)) for plane in planes) <= _PALETTE:
        return None
    low, high = float(image.min()), float(image.max())
    both, pepper, salt = _Tally(), _Tally(), _Tally()
    white_ones = 0
    for plane in planes:
        levels = (np.asarray(plane, np.float32) - np.float32(low)) * np.float32(_LEVELS / white)
        top = (high - low) * _LEVELS / white
        median = ndimage.median_filter(levels, footprint=_AROUND, mode="mirror")
        beyond = levels - median
        black, bright = plane == low, plane == high
        ends = black | bright
        far = max(_FAR, _DEVIATIONS * _spread(levels, ~ends))
        odd = np.abs(beyond) > far
        below, above = median > far, median < top - far
        dark, light = ~black & (levels < _NEARLY), ~bright & (levels > top - _NEARLY)
        odd &= below & above
        white_ones += int((odd & bright).sum())
        both.add(below & above, odd, ends, dark | light)
        pepper.add(below, below & (beyond < -far), black, dark)
        salt.add(above, above & (beyond > far), bright, light)
    least, most = _WHITE_SHARE
    nearly = max(_MOST_NEARLY * float(both.places.sum()), _NEARLY_OF_ALL * both.count)
    if (
        both.share >= _LEAST_SHARE
        and both.pure(_LEAST_PURE)
        and both.nearly <= nearly
        and both.everywhere
        and least <= white_ones / both.count <= most
    ):
        return Impulses(both.share, low, high)
    return _of_one_kind(pepper, salt, (low, high))


def _of_one_kind(pepper: _Tally, salt: _Tally, ends: tuple[float, float]) -> Impulses | None:
    """What is believed where one kind is sure by itself, with a few of the other."""
    kept: list[float | None] = [None, None]
    share = 0.0
    for place, (one, other) in enumerate(((pepper, salt), (salt, pepper))):
        beside = one.share >= _BESIDE_SHARE and one.pure(_LEAST_PURE) and one.nearly <= one.count
        if one.sure_alone or (other.sure_alone and beside):
            kept[place] = ends[place]
            share += one.share
    return Impulses(share, *kept) if share else None


def without_impulses(image: Pixels, white: float, impulses: Impulses) -> Pixels:
    """A copy of an image with its impulses filled by the mean of what is right beside them.

    Args:
        image: lines × samples (× 3), with salt and pepper.
        white: the largest value that it may have.
        impulses: what was found in it.
    """
    filled = image.copy()
    lines = len(image)
    near = _NEAR / _LEVELS * white
    for begin in range(0, lines, _STRIP):
        first, last = max(begin - _MARGIN, 0), min(begin + _STRIP + _MARGIN, lines)
        inner = slice(begin - first, begin - first + _STRIP)
        for plane, target in zip(_planes(image[first:last]), _planes(filled), strict=True):
            target[begin : begin + _STRIP] = _filled(plane, near, impulses)[inner]
    return filled


def _spread(levels: Plane, known: Mask) -> float:
    """The standard deviation of noise, by neighbours that are both known."""
    pairs = known[:, 1:] & known[:, :-1]
    steps = np.abs(np.diff(levels, axis=1))[pairs]
    return _TO_SIGMA / np.sqrt(2) * float(np.median(steps)) if steps.size else 0.0


def _filled(plane: Pixels, near: float, impulses: Impulses) -> Pixels:
    """A plane, with values filled that are impulses' and further than `near` from around."""
    levels = np.asarray(plane, np.float32)
    ends = [
        np.zeros(plane.shape, bool) if value is None else plane == value
        for value in (impulses.pepper, impulses.salt)
    ]
    known = ~(ends[0] | ends[1])
    total, weight = _sums(levels, known, _WIDE)
    wide = total / np.maximum(weight, _ANY)
    unknown = weight <= _SOME
    if unknown.any():
        # Impulses are black about as often as white: where one kind is far more, it is the image's.
        bright = ndimage.gaussian_filter(ends[1].astype(np.float32), _WIDE)
        surplus = 2 * bright - (1 - weight)
        one_kind = unknown & (np.abs(surplus) > _FAR_MORE * weight)
        most = np.where(surplus > 0, impulses.salt or 0, impulses.pepper or 0)
        wide = np.where(one_kind, most, wide)
    struck = ~known & (np.abs(levels - wide) > near)
    total, weight = _sums(levels, ~struck, _NARROW)
    narrow = np.where(weight > _ANY, total / np.maximum(weight, _ANY), wide)
    if plane.dtype.kind == "u":
        narrow = np.rint(narrow)
    return np.where(struck, narrow, levels).astype(plane.dtype)


def _sums(values: Plane, known: Mask, reach: float) -> tuple[Plane, Plane]:
    """Weighted sums of the known values around each, and of their weights, which fall by reach."""
    total = ndimage.gaussian_filter(np.where(known, values, np.float32(0)), reach)
    return total, ndimage.gaussian_filter(known.astype(np.float32), reach)


def _planes(image: Pixels) -> list[Pixels]:
    return [image] if image.ndim == 2 else [image[..., place] for place in range(image.shape[2])]


def _cells(shape: tuple[int, int]) -> NDArray[np.intp]:
    """The cell of each pixel."""
    down, across = (np.arange(size) * _CELLS // size for size in shape)
    return np.asarray(down[:, None] * _CELLS + across, np.intp)
