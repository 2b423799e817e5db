"""What a division of polygons is worth: classes on both sides, even shares, few lost pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from scipy.sparse import coo_array, csr_array

from .splits import Indices

Mask = NDArray[np.bool_]
_LOST_WEIGHT = 0.5


@dataclass(frozen=True)
class PolygonProblem:
    """Groups of polygons that go to one side each.

    Attributes:
        labels: lines × samples.
        groups: lines × samples, of `touching_groups`.
        classes: the label values to divide.
        untested: label values that are learnt alone: groups that hold them train.
        guard: pixels between the sides.
        train: wanted share of the training side.
    """

    labels: NDArray[np.integer]
    groups: NDArray[np.int64]
    classes: tuple[int, ...]
    untested: tuple[int, ...]
    guard: int
    train: float

    @cached_property
    def pixels(self) -> Indices:
        """Flat indices of the pixels that take part."""
        return np.flatnonzero(np.isin(self.labels, [*self.classes, *self.untested]))

    @cached_property
    def group(self) -> NDArray[np.int64]:
        """The place of each pixel's group among those that take part."""
        _, places = np.unique(self.groups.ravel()[self.pixels], return_inverse=True)
        return places.astype(np.int64)

    @cached_property
    def rank(self) -> NDArray[np.int64]:
        """The place of each pixel's class among those to divide; one more for untested ones."""
        found = np.searchsorted(self.classes, self.labels.ravel()[self.pixels])
        known = np.isin(self.labels.ravel()[self.pixels], self.classes)
        return np.where(known, found, len(self.classes)).astype(np.int64)

    @cached_property
    def counts(self) -> csr_array:
        """Pixels of each group (a row) in each class to divide, and in untested ones."""
        shape = (int(self.group.max()) + 1, len(self.classes) + 1)
        ones = np.ones(len(self.pixels), np.int64)
        return coo_array((ones, (self.group, self.rank)), shape=shape).tocsr()

    @cached_property
    def totals(self) -> NDArray[np.int64]:
        """Pixels of each class to divide."""
        return np.bincount(self.rank, minlength=len(self.classes) + 1)[:-1]

    @cached_property
    def bound(self) -> Mask:
        """Groups that train whatever happens, as they hold untested classes."""
        return np.asarray(self.counts[:, [len(self.classes)]].todense()).ravel() > 0

    def kept(self, side: Mask) -> Mask:
        """Which pixels of the training side (groups with `side`) the guard leaves."""
        learnt = side[self.group]
        if not self.guard:
            return learnt
        test = np.zeros(self.labels.shape, np.uint8)
        test.ravel()[self.pixels[~learnt]] = 1
        near = maximum_filter(test, 2 * self.guard + 1, mode="constant").ravel()[self.pixels]
        return np.asarray(learnt & (near == 0), bool)

    def parts(self, side: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pixels of each class that train and that test."""
        size = len(self.classes) + 1
        learnt = np.bincount(self.rank[self.kept(side)], minlength=size)[:-1]
        tested = np.bincount(self.rank[~side[self.group]], minlength=size)[:-1]
        return learnt, tested

    def cost(self, side: Mask) -> float:
        """Classes that are not on both sides, then uneven shares and lost pixels."""
        learnt, tested = self.parts(side)
        used = np.maximum(learnt + tested, 1)
        uneven = np.abs(learnt / used - self.train).mean()
        lost = (1 - (learnt + tested) / self.totals).mean()
        return float(((learnt == 0) | (tested == 0)).sum() + uneven + _LOST_WEIGHT * lost)
