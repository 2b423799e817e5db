"""What rankings are worth: discounted gain, precision at recalls, the first items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .rankings import Rankings, Worth

# Recalls at which precision is reported, 0 to 1.
RECALL_LEVELS = np.linspace(0, 1, 21)


class Discounts:
    """Discounts 1 / log₂(rank + 1) of the ranks of a gallery.

    Args:
        items: of the gallery.
    """

    def __init__(self, items: int) -> None:
        # Entry k is the sum of the first k ranks', from 0 on.
        self._sums = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, items + 2)))])
        self._steps = np.diff(self._sums)

    def gained(self, rankings: Rankings) -> NDArray[np.float64]:
        """What each ranking gains; items of equal score share the discounts of their ranks."""
        shared = self._steps.take(rankings.higher)
        level = rankings.levelled
        last, first = rankings.as_high[level], rankings.higher[level]
        shared[level] = (self._sums[last] - self._sums[first]) / (last - first)
        if rankings.worth is not None:
            shared *= rankings.worth
        return np.asarray(np.add.reduceat(shared, rankings.begins))

    def best(self, worth: Worth) -> NDArray[np.float64]:
        """What the best order gains, for each kind of queries."""
        # An item that is worth two counts for one among those worth one or more, and again.
        return np.asarray(self._sums[worth.reaching].sum(0))


def highest(
    precision: NDArray[np.float64], rankings: Rankings, kinds: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The highest precision at each of `RECALL_LEVELS` or more, levels × queries.

    Args:
        precision: among the items scored as high or higher than each relevant item.
        rankings: which these are.
        kinds: of each query; those of a kind have as many relevant items.
    """
    counts = np.empty(kinds[-1] + 1, np.int64)
    counts[kinds] = rankings.counts
    needed = np.ceil(RECALL_LEVELS * counts[:, None] - 1e-9).astype(np.int64)
    places = (np.maximum(needed, 1) - 1)[kinds] + rankings.begins[:, None]
    # From each level to the next, then from each to the last.
    best = np.maximum.reduceat(precision, places.reshape(-1)).reshape(places.shape)
    falling = best.T[::-1].copy()
    return np.maximum.accumulate(falling, axis=0, out=falling)[::-1]


def first_items(
    rankings: Rankings,
    scores: NDArray[np.float32],
    worth: NDArray[np.int32],
    kinds: NDArray[np.intp],
    k: int,
) -> NDArray[np.bool_]:
    """Whether the first k items of each ranking are relevant, queries × k.

    Args:
        rankings: of all items.
        scores: queries × gallery, as they were ranked.
        worth: of the gallery to each kind of query.
        kinds: of each query.
        k: no more than there are items; those of equal score are taken in the gallery's order.
    """
    found = rankings.relevant[:, :k].copy()
    for query in np.flatnonzero(rankings.tied[:, 1 : k + 1].any(1)):
        row = scores[query]
        candidates = np.flatnonzero(row >= np.partition(row, -k)[-k])
        best = candidates[np.argsort(-row[candidates], kind="stable")[:k]]
        found[query] = worth[kinds[query], best] > 0
    return found


def precision_at(found: NDArray[np.bool_], possible: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum of the precisions at the relevant ones of the first items, over those possible."""
    precision = found.cumsum(1) / np.arange(1, found.shape[1] + 1)
    return np.asarray((precision * found).sum(1) / possible)
