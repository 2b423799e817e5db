"""Where relevant items stand in rankings: each ranking is one sort of whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
# Of a float32: all but the sign, which order numbers of one sign as they are ordered themselves.
_MAGNITUDE = 0x7FFFFFFF
# Numbers below 2 leave one more bit of 32 free; less, as lengths and products are rounded.
NARROW = 1.9


@dataclass(frozen=True, eq=False)
class Worth:
    """What the items of a gallery are worth to some kinds of queries.

    Attributes:
        rows: kinds × gallery; relevant are items worth more than 0, at least one for each kind.
    """

    rows: NDArray[np.int32]

    @cached_property
    def bits(self) -> int:
        """Binary digits of the highest worth."""
        return int(self.rows.max()).bit_length()

    @cached_property
    def reaching(self) -> Counts:
        """Items worth 1 or more, 2 or more, and so on, to each kind: highest worth × kinds."""
        steps = range(1, int(self.rows.max()) + 1)
        # Along an axis NumPy counts several times slower.
        return np.array([[np.count_nonzero(row >= step) for row in self.rows] for step in steps])


@dataclass(frozen=True, eq=False)
class Rankings:
    """The relevant items of some rankings, best first, those of one ranking after the other.

    Attributes:
        counts: relevant items of each ranking.
        begins: where those of each ranking begin.
        higher: of each relevant item, the items of its ranking that are scored higher.
        as_high: those scored as high or higher, itself included.
        relevant_as_high: the relevant ones among these.
        levelled: which of all these relevant items share their score with another item.
        worth: what each is worth; none if all are worth 1.
        relevant: whether there is a relevant item at each place, rankings × gallery; items of
            equal score stand in any order.
        tied: whether the item there is scored as the one before it.
    """

    counts: Counts
    begins: Counts
    higher: Counts
    as_high: Counts
    relevant_as_high: Counts
    levelled: Counts
    worth: NDArray[np.integer] | None
    relevant: NDArray[np.bool_]
    tied: NDArray[np.bool_]


class Desk:
    """Memory to rank in, used again: what is asked for anew the system has to fill with zeros."""

    def __init__(self, queries: int, items: int) -> None:
        """Room for so many queries in a gallery of so many items."""
        self._values = np.empty(queries * items, np.int32)
        # NumPy looks for few true values one by one, at up to four times the time that it takes for
        # many, from a tenth on; so behind the places there are as many that are true.
        self._more = queries * items // 8 + 1
        self._marks = np.ones(queries * items + self._more, bool)
        self._tied = np.zeros(queries * items, bool)

    def values(self, like: NDArray[np.signedinteger]) -> NDArray[np.signedinteger]:
        """Room for numbers, of the shape and type of others."""
        if like.dtype != self._values.dtype:
            return np.empty_like(like)
        return self._values[: like.size].reshape(like.shape)

    def where(self, values: NDArray[np.signedinteger]) -> tuple[Counts, NDArray[np.bool_]]:
        """Places of the values other than zero, row after row, and a mask of the values' shape."""
        first = self._marks.size - self._more - values.size
        marked = self._marks[first : first + values.size].reshape(values.shape)
        np.not_equal(values, 0, out=marked)
        found = self._marks[first:].nonzero()[0]
        return found[: len(found) - self._more], marked

    def tied(self, levels: NDArray[np.signedinteger]) -> NDArray[np.bool_]:
        """Whether each value is that before it in its row; the first is not."""
        flat, found = levels.reshape(-1), self._tied[: levels.size]
        np.equal(flat[1:], flat[:-1], out=found[1:])
        found = found.reshape(levels.shape)
        found[:, 0] = False
        return found


def rank(
    scores: NDArray[np.float32],
    worth: Worth,
    kinds: NDArray[np.intp],
    *,
    largest: float,
    desk: Desk | None = None,
) -> Rankings:
    """Sort the gallery for each query.

    What an item is worth rides in the lowest bits of its score, so that sorted scores say
    where the relevant items are: nothing is sorted indirectly, and nothing is searched for.

    Args:
        scores: queries × gallery, in one piece; their memory is used for other numbers.
        worth: of the gallery to each kind of query.
        kinds: of each query, rising.
        largest: no score is further from zero, but for rounding; infinite if not known.
        desk: memory to work in, which the masks that are given lie in until it is used again.
    """
    queries, items = scores.shape
    desk = desk or Desk(queries, items)
    bits = worth.bits
    keys = _sorted_keys(scores, worth, kinds, narrow=bits == 1 and largest < NARROW, desk=desk)
    values = np.bitwise_and(keys, (1 << bits) - 1, out=desk.values(keys))
    here, relevant = desk.where(values)
    valued = values.reshape(-1)[here] if bits > 1 else None
    tied = desk.tied(np.right_shift(keys, bits, out=values))
    counts = worth.reaching[0][kinds]
    begins = np.cumsum(counts) - counts
    higher = here - np.repeat(np.arange(0, queries * items, items), counts)
    as_high = higher + 1
    own = np.arange(1, len(here) + 1)
    own -= np.repeat(begins, counts)
    levelled = _level(tied.reshape(-1), here, higher, as_high, own)
    return Rankings(counts, begins, higher, as_high, own, levelled, valued, relevant, tied)


def _sorted_keys(
    scores: NDArray[np.float32],
    worth: Worth,
    kinds: NDArray[np.intp],
    *,
    narrow: bool,
    desk: Desk,
) -> NDArray[np.signedinteger]:
    """Rising whole numbers, queries × gallery: falling score and, in the lowest bits, worth."""
    stored = scores.view(np.int32)
    # -1 where the sign is minus: the magnitude stays; others are negated; both zeros become 0.
    minus = np.right_shift(stored, 31, out=desk.values(stored))
    # Magnitudes, with room for what items are worth; where there is one bit it was the sign's.
    if narrow:
        keys = np.left_shift(stored, 1, out=stored)
    else:
        keys = (stored & _MAGNITUDE).astype(np.int64) << worth.bits
    keys ^= minus
    np.subtract(minus, keys, out=keys)
    for kind in range(kinds[0], kinds[-1] + 1):
        first, last = kinds.searchsorted((kind, kind + 1))
        keys[first:last] |= worth.rows[kind]
    keys.sort(axis=1)
    return keys


def _level(
    tied: NDArray[np.bool_], here: Counts, higher: Counts, as_high: Counts, own: Counts
) -> Counts:
    """Count for items of equal score what is counted for all of them, in place; which they are.

    Args:
        tied: whether the item at each place is scored as the one before it.
        here: places of the relevant items.
        higher: see `Rankings`; as if no two items had the same score, like the next two.
        as_high: see there.
        own: `relevant_as_high` there.
    """
    places = tied.nonzero()[0]
    if not len(places):
        return places
    apart = np.diff(places) > 1
    # Groups of equal score, most often few, and the relevant items in each.
    firsts = places[np.concatenate([[True], apart])] - 1
    lasts = places[np.concatenate([apart, [True]])]
    start, stop = here.searchsorted(firsts), here.searchsorted(lasts, side="right")
    sizes = stop - start
    which: Counts = np.arange(sizes.sum()) + np.repeat(start - (np.cumsum(sizes) - sizes), sizes)
    higher[which] -= here[which] - np.repeat(firsts, sizes)
    as_high[which] += np.repeat(lasts, sizes) - here[which]
    own[which] += np.repeat(stop, sizes) - 1 - which
    return which
