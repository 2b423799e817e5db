"""Where relevant items stand in rankings: each ranking is one sort of whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Counts = NDArray[np.int64]
Keys = NDArray[np.integer]
# Of a float32: all but the sign, which order numbers of one sign as they are ordered themselves.
_MAGNITUDE = 0x7FFFFFFF
# Numbers below 2 leave the highest of these bits free; less, as lengths and products are rounded.
_FREE = 0x40000000
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

    def __init__(self, memory: NDArray[np.uint8]) -> None:
        """Work in this memory, and beyond it in other, as long as that is needed."""
        self._memory = memory
        self.clear()

    def clear(self) -> None:
        """Use all of it again."""
        self._used = 0

    def room(self, size: int, dtype: DTypeLike) -> NDArray[Any]:
        """Room for so many numbers, with anything in it."""
        first, last = self._used, self._used + size * np.dtype(dtype).itemsize
        if last > len(self._memory):
            return np.empty(size, dtype)
        # Lines of the cache are not shared.
        self._used = -(-last // 64) * 64
        return self._memory[first:last].view(dtype)


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
    desk = desk or Desk(np.empty(0, np.uint8))
    desk.clear()
    narrow = worth.bits == 1 and largest < NARROW
    keys = _narrow_keys(scores) if narrow else _wide_keys(scores, worth.bits)
    for kind in range(kinds[0], kinds[-1] + 1):
        first, last = kinds.searchsorted((kind, kind + 1))
        keys[first:last] |= worth.rows[kind].astype(keys.dtype)
    keys.sort(axis=1)
    worths = _lowest(keys, worth.bits, desk)
    counts = worth.reaching[0][kinds]
    here, relevant = _places(worths, counts.sum(), desk)
    # Where items are worth no longer tells keys apart, those of equal score are equal.
    keys |= keys.dtype.type((1 << worth.bits) - 1)
    tied = _as_before(keys, desk)
    valued = worths.reshape(-1)[here] if worth.bits > 1 else None
    begins = np.cumsum(counts) - counts
    higher = here - np.repeat(np.arange(0, queries * items, items), counts)
    as_high = higher + 1
    own = np.arange(1, len(here) + 1)
    own -= np.repeat(begins, counts)
    levelled = _level(tied.reshape(-1), here, higher, as_high, own)
    return Rankings(counts, begins, higher, as_high, own, levelled, valued, relevant, tied)


def _narrow_keys(scores: NDArray[np.float32]) -> Keys:
    """Whole numbers that rise where scores below 2 fall, and leave the lowest bit free; in place.

    Read as a whole number, such a score is its magnitude m, below 2³⁰, or m - 2³¹ where it is
    negative. |that + 2³⁰| is 2³⁰ + m or 2³⁰ - m: it rises with the score, and zeros are equal.
    """
    stored = scores.view(np.int32)
    stored += _FREE
    np.abs(stored, out=stored)
    stored *= -2
    return stored.view(np.uint32)


def _wide_keys(scores: NDArray[np.float32], bits: int) -> Keys:
    """Whole numbers that rise where scores fall, and leave so many of the lowest bits free."""
    stored = scores.view(np.int32)
    # -1 where the sign is minus: the magnitude stays; others are negated; both zeros become 0.
    minus = stored >> 31
    keys = (stored & _MAGNITUDE).astype(np.int64) << bits
    keys ^= minus
    np.subtract(minus, keys, out=keys)
    return keys


def _lowest(keys: Keys, bits: int, desk: Desk) -> Keys:
    """What the lowest bits of keys say."""
    mask = (1 << bits) - 1
    found = desk.room(keys.size, np.min_scalar_type(mask)).reshape(keys.shape)
    np.copyto(found, keys, casting="unsafe")
    found &= found.dtype.type(mask)
    return found


def _places(worths: Keys, count: int, desk: Desk) -> tuple[Counts, NDArray[np.bool_]]:
    """The places of all numbers but zero, so many, row after row, and a mask of them."""
    # NumPy looks for few true values one by one, at up to four times the time that it takes for
    # many, from a tenth on; so behind the mask there are as many that are true.
    more = max(0, worths.size // 8 + 1 - count)
    marks = desk.room(worths.size + more, bool)
    marks[worths.size :] = True
    mask = marks[: worths.size].reshape(worths.shape)
    np.not_equal(worths, 0, out=mask)
    return marks.nonzero()[0][:count], mask


def _as_before(values: Keys, desk: Desk) -> NDArray[np.bool_]:
    """Whether each value is that before it in its row; the first is not."""
    flat, found = values.reshape(-1), desk.room(values.size, bool)
    np.equal(flat[1:], flat[:-1], out=found[1:])
    found = found.reshape(values.shape)
    found[:, 0] = False
    return found


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
