"""What a division of a scene into a training and a test side must keep, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

Mask = NDArray[np.bool_]
Integers = NDArray[np.int64]

MINIMUM_SHARE = 0.05
MINIMUM_PIXELS = 5

# What a layout costs beside the classes it loses: uneven shares against pixels lost to the guard.
_SHARE_WEIGHT = 1.0
_LOST_WEIGHT = 0.5


def needed_pixels(total: int) -> int:
    """Pixels a class must keep on each side to count as divided: 5 %, and at least 5."""
    return max(MINIMUM_PIXELS, int(np.ceil(round(MINIMUM_SHARE * total, 9))))


def within_guard(mask: Mask, guard: int) -> Mask:
    """Pixels at a Chebyshev distance of at most `guard` from a set pixel of the mask."""
    grown: NDArray[np.uint8] = maximum_filter(
        mask.astype(np.uint8), size=2 * guard + 1, mode="constant"
    )
    return grown.astype(bool)


def can_be_divided(labels: NDArray[np.integer], label: int, guard: int) -> bool:
    """Whether a class may come to lie on both sides of a partition; see `ClassPlaces`."""
    return ClassPlaces.of(labels == label).can_be_divided(guard)


@dataclass(frozen=True, eq=False)
class ClassPlaces:
    """Where the pixels of a class lie.

    Attributes:
        places: lines and samples, N × 2.
        shape: lines and samples that they lie in.
        sums: of pixels above and to the left, one line and sample more than `shape`.
    """

    places: Integers
    shape: tuple[int, int]
    sums: Integers

    @classmethod
    def of(cls, mask: Mask) -> ClassPlaces:
        """Those of the set pixels, one at least, of a mask; counted from the first of them on."""
        places = np.argwhere(mask)
        first, last = places.min(0), places.max(0) + 1
        cut = mask[first[0] : last[0], first[1] : last[1]]
        sums = np.zeros((cut.shape[0] + 1, cut.shape[1] + 1), dtype=np.int64)
        sums[1:, 1:] = cut.cumsum(0).cumsum(1)
        return cls(places - first, (cut.shape[0], cut.shape[1]), sums)

    def near(self, guard: int) -> Integers:
        """Pixels of the class within the guard of each of them, itself among them."""
        top, left = np.maximum(self.places - guard, 0).T
        bottom, right = np.minimum(self.places + guard + 1, self.shape).T
        sums = self.sums
        near: Integers = (
            sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        )
        return near

    def can_be_divided(self, guard: int) -> bool:
        """False when no partition can keep enough pixels of the class on both sides.

        Two proofs are tried. The pixels of one side must each have the pixels needed on the other
        side farther than `guard`: too few such pixels rule a partition out. And a class no wider
        than the guard in one direction can only be cut across the other: where it is too short
        there for training pixels at both ends of the test, every straight cut is tried.
        """
        places, needed = self.places, needed_pixels(len(self.places))
        if len(places) < 2 * needed:
            return False
        if (len(places) - self.near(guard) >= needed).sum() < needed:
            return False
        spans = np.ptp(places, axis=0)
        for along, across in ((0, 1), (1, 0)):
            if spans[across] <= guard and spans[along] < 2 * (guard + 1):
                sorted_ = np.sort(places[:, along])
                first, last = sorted_[needed - 1], sorted_[-needed]
                return bool(last - first > guard)
        return True


class Problem:
    """What is to be divided.

    Args:
        labels: lines × samples.
        classes: the label values to divide, rising.
        forced: pixels (lines × samples) that are in training whatever the layout, so that pixels
            within the guard of them cannot be test pixels.
        guard: pixels to keep between the sides (Chebyshev).
        train: wanted share of training pixels among the training and test pixels of a class.
    """

    def __init__(
        self,
        labels: NDArray[np.integer],
        classes: Sequence[int],
        forced: Mask,
        guard: int,
        train: float,
    ) -> None:
        self.shape = labels.shape
        self.guard = guard
        self.train = train
        self.pixels: Integers = np.flatnonzero(np.isin(labels, classes))
        self.ranks: Integers = np.searchsorted(classes, labels.ravel()[self.pixels])
        self.may_test: Mask = ~within_guard(forced, guard).ravel()[self.pixels]
        self.totals: Integers = np.bincount(self.ranks, minlength=len(classes))
        self.needed: Integers = np.array([needed_pixels(int(n)) for n in self.totals])

    def divide(self, test_side: Mask) -> tuple[Mask, Mask]:
        """The pixels that train and those that test when `test_side` says where each lies."""
        test = test_side & self.may_test
        scene = np.zeros(self.shape, dtype=bool)
        scene.ravel()[self.pixels[test]] = True
        blocked = within_guard(scene, self.guard).ravel()[self.pixels]
        return ~test_side & ~blocked, test

    def out_of_reach(self, train: Mask) -> Mask:
        """The pixels that may test beside these training pixels: all farther than the guard."""
        scene = np.zeros(self.shape, dtype=bool)
        scene.ravel()[self.pixels[train]] = True
        return self.may_test & ~within_guard(scene, self.guard).ravel()[self.pixels]

    def counts(self, test_side: Mask) -> tuple[Integers, Integers]:
        """Training and test pixels of each class."""
        train, test = self.divide(test_side)
        size = len(self.totals)
        return (
            np.bincount(self.ranks[train], minlength=size),
            np.bincount(self.ranks[test], minlength=size),
        )

    def kept(self, train: Integers, test: Integers) -> Mask:
        """Which classes have enough pixels on both sides."""
        return np.minimum(train, test) >= self.needed

    def cost(self, train: Integers, test: Integers) -> float:
        """How bad a layout is: classes first, then shares and lost pixels (about 0 to 1.5)."""
        return float(self.costs(train, test))

    def costs(self, train: Integers, test: Integers) -> NDArray[np.float64]:
        """`cost` of layouts: training and test pixels of each class stand along the last axis."""
        filled = np.minimum(train / self.needed, 1.0) * np.minimum(test / self.needed, 1.0)
        used = train + test
        size = len(self.totals)
        shares = np.abs(train / np.maximum(used, 1) - self.train)
        uneven = np.add.reduce(shares, axis=-1) / size
        lost = 1 - np.add.reduce(used, axis=-1) / len(self.pixels)
        # The products lead towards classes not kept yet; the step makes each class worth more
        # than any gain in shares or pixels.
        costs: NDArray[np.float64] = (
            size
            - np.add.reduce(filled, axis=-1)
            + 2 * np.add.reduce(filled < 1, axis=-1, dtype=np.int64)
            + _SHARE_WEIGHT * uneven
            + _LOST_WEIGHT * lost
        )
        return costs
