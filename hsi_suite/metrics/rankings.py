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
_NARROW = 1.9


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
        return np.stack([(self.rows >= step).sum(1) for step in steps])


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


def rank(
    scores: NDArray[np.float32], worth: Worth, kinds: NDArray[np.intp], *, largest: float
) -> Rankings:
    """Sort the gallery for each query.

    What an item is worth rides in the lowest bits of its score, so that sorted scores say
    where the relevant items are: nothing is sorted indirectly, and nothing is searched for.

    Args:
        scores: queries × gallery.
        worth: of the gallery to each kind of query.
        kinds: of each query, rising.
        largest: no score is further from zero, but for rounding; infinite if not known.
    """
    queries, items = scores.shape
    bits = worth.bits
    keys = _sorted_keys(scores, worth, kinds, narrow=bits == 1 and largest < _NARROW)
    counts = worth.reaching[0][kinds]
    begins = np.cumsum(counts) - counts
    # One place more than items, without anything: no tie reaches from one ranking to the next.
    width = items + 1
    here, relevant = _where(keys & ((1 << bits) - 1))
    tied = np.zeros((queries, width), bool)
    levels = keys >> bits
    np.equal(levels[:, 1:], levels[:, :-1], out=tied[:, 1:-1])
    firsts = np.repeat(np.arange(0, queries * width, width), counts)
    higher = here - firsts
    as_high = higher + 1
    own = np.arange(1, len(here) + 1) - np.repeat(begins, counts)
    valued = keys[firsts // width, higher] & ((1 << bits) - 1) if bits > 1 else None
    levelled = _level(tied.reshape(-1), here, higher, as_high, own)
    return Rankings(
        counts, begins, higher, as_high, own, levelled, valued, relevant[:, :-1], tied[:, :-1]
    )


def _sorted_keys(
    scores: NDArray[np.float32], worth: Worth, kinds: NDArray[np.intp], *, narrow: bool
) -> NDArray[np.signedinteger]:
    """Rising whole numbers, queries × gallery: falling score and, in the lowest bits, worth."""
    stored = scores.view(np.int32)
    # Magnitudes, with room for what items are worth; where there is one bit it was the sign's.
    keys = stored << 1 if narrow else (stored & _MAGNITUDE).astype(np.int64) << worth.bits
    # -1 where the sign is minus: the magnitude stays; others are negated; both zeros become 0.
    minus = stored >> 31
    keys ^= minus
    np.subtract(minus, keys, out=keys)
    for kind in range(kinds[0], kinds[-1] + 1):
        keys[slice(*np.searchsorted(kinds, (kind, kind + 1)))] |= worth.rows[kind]
    keys.sort(axis=1)
    return keys


def _where(values: NDArray[np.signedinteger]) -> tuple[Counts, NDArray[np.bool_]]:
    """Places of the values other than zero, row after row with one place more, and a mask of it."""
    rows, width = values.shape[0], values.shape[1] + 1
    # NumPy looks for few true values one by one, at up to four times the time that it takes for
    # many, from a tenth on; so there are many.
    mask = np.ones(rows * width + rows * width // 8 + 1, bool)
    marked = mask[: rows * width].reshape(rows, width)
    np.not_equal(values, 0, out=marked[:, :-1])
    marked[:, -1] = False
    found = mask.nonzero()[0]
    return found[: len(found) - (len(mask) - marked.size)], marked


def _level(
    tied: NDArray[np.bool_], here: Counts, higher: Counts, as_high: Counts, own: Counts
) -> Counts:
    """Count for items of equal score what is counted for all of them, in place; which they are.

    Args:
        tied: whether the item at each place is scored as the one before it; at the last never.
        here: places of the relevant items.
        higher: see `Rankings`; as if no two items had the same score, like the next two.
        as_high: see there.
        own: `relevant_as_high` there.
    """
    which = (tied[here] | tied[here + 1]).nonzero()[0]
    if not len(which):
        return which
    firsts = np.flatnonzero(tied[1:] & ~tied[:-1])
    lasts = np.flatnonzero(tied[:-1] & ~tied[1:])
    places = here[which]
    group = np.searchsorted(lasts, places)
    higher[which] -= places - firsts[group]
    as_high[which] += lasts[group] - places
    own[which] += np.searchsorted(here, lasts[group], side="right") - 1 - which
    return which
