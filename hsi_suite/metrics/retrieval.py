"""How well a ranking by similarity finds the items of the query's class."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from ..errors import ShapeError
from .rankings import Desk, Rankings, Worth, rank

Values = NDArray[np.floating]
Labels = NDArray[np.integer]
Similarity = Literal["cosine", "dot"]

# Recalls at which precision is reported, 0 to 1.
RECALL_LEVELS = np.linspace(0, 1, 21)
_COPIES = 4
# Chunks that may be worked on at once, by as many threads as torch may use.
_WORKERS = 8
# Rows of a product below which packing the gallery takes longer than multiplying.
_FEW = 16


@dataclass(frozen=True)
class RetrievalScores:
    """Scores of one direction, say from spectra to patches; all between 0 and 1.

    Queries without a relevant item in the gallery do not count.

    Attributes:
        mean_average_precision: over the full ranking, mean over the queries.
        macro_average_precision: the same as the mean over the queries' label sets.
        mean_average_precision_at: cutoff k to the mean over the queries of the precisions at the
            relevant ones among the first k, divided by min(relevant items, k).
        normalised_discounted_cumulative_gain: over the full ranking, mean over the queries: the sum
            of gain / log₂(rank + 1), divided by that of the best order. The gain of an item is the
            number of classes that it shares with the query: 1 or 0 where each has one.
        recall_at: cutoff k to the share of queries with a relevant item among the first k.
        precision: at `RECALL_LEVELS`, the highest precision at this recall or more, mean over
            the queries.
        queries: number of them that count.
        average_precisions: of each query; NaN for those that do not count.
    """

    mean_average_precision: float
    macro_average_precision: float
    normalised_discounted_cumulative_gain: float
    mean_average_precision_at: dict[int, float]
    recall_at: dict[int, float]
    precision: NDArray[np.float64]
    queries: int
    average_precisions: NDArray[np.float64]


def retrieval_scores(
    queries: Values,
    gallery: Values,
    query_labels: Labels,
    gallery_labels: Labels,
    *,
    similarity: Similarity = "cosine",
    cutoffs: Sequence[int] = (),
    memory: float = 100e6,
) -> RetrievalScores:
    """Rank the gallery for each query and judge the rankings.

    Average precision is the mean over the relevant items of the precision among all items scored
    as high or higher, which is scikit-learn's definition; ties favour nobody. So it is with the
    discounted gain (Järvelin and Kekäläinen, ACM TOIS 20, 2002, with log₂), where items of equal
    score share the discounts of their ranks (McSherry and Najork, ECIR 2008). Cutoffs take items of
    equal score in the order of the gallery.

    Args:
        queries: number × dimensions.
        gallery: number × the same dimensions.
        query_labels: one class for each, or multi-hot, number × classes.
        gallery_labels: the same for the gallery. Items that share a class are relevant.
        similarity: cosine, or the plain dot product.
        cutoffs: no longer than the gallery.
        memory: bytes that the rankings of the queries in work may take.

    Raises:
        ShapeError: sizes that do not belong together, an empty gallery, a cutoff beyond it, or
            values that are not finite.
    """
    _check(queries, gallery, query_labels, gallery_labels, cutoffs)
    patterns, pattern_of = np.unique(query_labels, axis=0, return_inverse=True)
    pattern_of = pattern_of.reshape(-1)
    counted = _known(patterns, gallery_labels)[pattern_of]
    if not counted.any():
        raise ShapeError("gallery", "no item of any query's class", "at least one")
    left, right = (items.astype(np.float32) for items in (queries, gallery))
    if similarity == "cosine":
        left, right = _unit(left), _unit(right)
    largest = _longest(left) * _longest(right)
    # Queries of one pattern follow each other: what the gallery is worth is found once for them.
    turn = np.argsort(pattern_of, kind="stable")
    turn = turn[counted[turn]]
    discounts = _discounts(len(gallery))
    steps = np.diff(discounts)
    gain = np.full(len(queries), np.nan)
    average = np.full(len(queries), np.nan)
    at = {k: np.full(len(queries), np.nan) for k in cutoffs}
    hit = {k: np.full(len(queries), np.nan) for k in cutoffs}
    # As many chunks and blocks whatever the threads: the sums are then the same.
    chunks = _chunks(len(turn), len(gallery), memory)
    curves = np.zeros((len(chunks), len(RECALL_LEVELS)))

    def judge(number: int, desk: Desk) -> None:
        """Fill in the scores of some queries."""
        chunk = turn[chunks[number]]
        present, kinds = np.unique(pattern_of[chunk], return_inverse=True)
        worth = Worth(_worth(patterns[present], gallery_labels))
        best = np.empty((len(chunk), len(RECALL_LEVELS)))
        for several in _parts(len(chunk), desk.rows if desk.rows >= _FEW else len(chunk)):
            scores = left[chunk[several]] @ right.T
            for part in _parts(len(scores), desk.rows):
                rows, own, kind = chunk[several][part], scores[part], kinds[several][part]
                kept = own.copy() if cutoffs else own
                rankings = rank(own, worth, kind, largest=largest, desk=desk)
                precision = rankings.relevant_as_high / rankings.as_high
                average[rows] = np.add.reduceat(precision, rankings.begins) / rankings.counts
                gain[rows] = _discounted(rankings, discounts, steps)
                best[several][part] = _highest(precision, rankings)
                for k in cutoffs:
                    found = _first(rankings, kept, worth.rows, kind, k)
                    hit[k][rows] = found.any(1)
                    at[k][rows] = _precision_at(found, np.minimum(rankings.counts, k))
        gain[chunk] /= _best(worth, discounts)[kinds]
        curves[number] = np.maximum.accumulate(best[:, ::-1], axis=1)[:, ::-1].sum(0)

    waiting = iter(range(len(chunks)))

    def work() -> None:
        """Take one chunk after the other, as long as there are some."""
        desk = Desk(min(_block(len(gallery), memory), len(turn)), len(gallery))
        for number in waiting:
            judge(number, desk)

    helpers = min(torch.get_num_threads(), _WORKERS, len(chunks)) - 1
    with (
        _libraries().limit(limits=1, user_api="blas"),
        ThreadPoolExecutor(max(1, helpers)) as pool,
    ):
        working = [pool.submit(work) for _ in range(helpers)]
        work()
        for helper in working:
            helper.result()
    by_pattern = [
        average[counted & (pattern_of == pattern)].mean()
        for pattern in np.unique(pattern_of[counted])
    ]
    return RetrievalScores(
        mean_average_precision=float(average[counted].mean()),
        macro_average_precision=float(np.mean(by_pattern)),
        normalised_discounted_cumulative_gain=float(gain[counted].mean()),
        mean_average_precision_at={k: float(np.nanmean(values)) for k, values in at.items()},
        recall_at={k: float(np.nanmean(values)) for k, values in hit.items()},
        precision=curves.sum(0) / counted.sum(),
        queries=int(counted.sum()),
        average_precisions=average,
    )


def _room(items: int, memory: float) -> int:
    """Queries that a worker may have the scores of."""
    return max(1, int(memory / (_COPIES * 4 * items * _WORKERS)))


def _block(items: int, memory: float) -> int:
    """Queries that are ranked together: what that takes stays in a processor's cache."""
    return max(1, _room(items, memory) // 8)


def _chunks(queries: int, items: int, memory: float) -> list[slice]:
    """Parts of the queries for a worker each; where there is enough to do, a few at least."""
    block = _block(items, memory)
    number = max(-(-queries // _room(items, memory)), min(-(-queries // block), _WORKERS))
    return _parts(queries, -(-queries // number))


def _parts(number: int, size: int) -> list[slice]:
    """Parts that are as large as each other, but for one, and no larger than a size."""
    count = -(-number // size)
    cuts = [number * k // count for k in range(count + 1)]
    return [slice(*each) for each in pairwise(cuts)]


@cache
def _libraries() -> ThreadpoolController:
    """The libraries with threads of their own; they are looked for once, as that takes 1.5 ms."""
    return ThreadpoolController()


def _check(
    queries: Values,
    gallery: Values,
    query_labels: Labels,
    gallery_labels: Labels,
    cutoffs: Sequence[int],
) -> None:
    if len(gallery) == 0 or len(queries) == 0:
        raise ShapeError("gallery" if len(gallery) == 0 else "queries", "no items", "at least one")
    if queries.ndim != 2 or gallery.ndim != 2 or queries.shape[1] != gallery.shape[1]:
        raise ShapeError(
            "gallery", f"shape {gallery.shape}", f"items × dimensions like {queries.shape}"
        )
    for name, items in (("queries", queries), ("gallery", gallery)):
        if not np.isfinite(items).all():
            # They have no place in a ranking.
            raise ShapeError(name, "values that are not finite", "finite values")
    for name, items, labels in (
        ("query labels", queries, query_labels),
        ("gallery labels", gallery, gallery_labels),
    ):
        if len(labels) != len(items):
            raise ShapeError(name, f"{len(labels)} of them", f"{len(items)}, one for each item")
    if query_labels.shape[1:] != gallery_labels.shape[1:]:
        raise ShapeError(
            "gallery labels", f"shape {gallery_labels.shape}", f"classes like {query_labels.shape}"
        )
    for k in cutoffs:
        if not 1 <= k <= len(gallery):
            raise ShapeError("cutoff", f"{k}", f"1 to {len(gallery)}, the size of the gallery")


def _known(patterns: Labels, gallery_labels: Labels) -> NDArray[np.bool_]:
    """Which patterns of labels share a class with an item of the gallery."""
    if gallery_labels.ndim == 1:
        return np.isin(patterns, gallery_labels)
    return np.asarray(((patterns > 0) & (gallery_labels > 0).any(0)).any(1))


def _worth(patterns: Labels, gallery_labels: Labels) -> NDArray[np.int32]:
    """How many classes each item of the gallery shares with a pattern, patterns × gallery."""
    if gallery_labels.ndim == 1:
        return np.asarray(patterns[:, None] == gallery_labels, np.int32)
    wanted, owned = ((labels > 0).astype(np.float32) for labels in (patterns, gallery_labels))
    return np.asarray(wanted @ owned.T, np.int32)


def _longest(items: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(items, axis=1).max())


def _discounts(number: int) -> NDArray[np.float64]:
    """Sums of 1 / log₂(rank + 1) over the first ranks: entry k is that of k ranks, from 0 on."""
    return np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, number + 2)))])


def _unit(items: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(items, axis=1, keepdims=True)
    return np.asarray(items / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def _discounted(
    rankings: Rankings, discounts: NDArray[np.float64], steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What each ranking gains; items of equal score share the discounts of their ranks.

    Args:
        rankings: those to be judged.
        discounts: see `_discounts`.
        steps: the discount of each rank.
    """
    shared = steps[rankings.higher]
    level = rankings.levelled
    last, first = rankings.as_high[level], rankings.higher[level]
    shared[level] = (discounts[last] - discounts[first]) / (last - first)
    if rankings.worth is not None:
        shared *= rankings.worth
    return np.add.reduceat(shared, rankings.begins)


def _best(worth: Worth, discounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the best order gains, for each kind of queries."""
    # An item that is worth two counts for one among those worth one or more, and again.
    return np.asarray(discounts[worth.reaching].sum(0))


def _highest(precision: NDArray[np.float64], rankings: Rankings) -> NDArray[np.float64]:
    """The highest precision from each recall level to the next, queries × levels."""
    needed = np.ceil(RECALL_LEVELS * rankings.counts[:, None] - 1e-9).astype(int)
    places = rankings.begins[:, None] + np.maximum(needed, 1) - 1
    return np.maximum.reduceat(precision, places.reshape(-1)).reshape(places.shape)


def _first(
    rankings: Rankings,
    scores: NDArray[np.float32],
    worth: NDArray[np.int32],
    kinds: NDArray[np.intp],
    k: int,
) -> NDArray[np.bool_]:
    """Whether the first k items of each ranking are relevant, queries × k."""
    found = rankings.relevant[:, :k].copy()
    for query in np.flatnonzero(rankings.tied[:, 1 : k + 1].any(1)):
        row = scores[query]
        candidates = np.flatnonzero(row >= np.partition(row, -k)[-k])
        best = candidates[np.argsort(-row[candidates], kind="stable")[:k]]
        found[query] = worth[kinds[query], best] > 0
    return found


def _precision_at(found: NDArray[np.bool_], possible: NDArray[np.int64]) -> NDArray[np.float64]:
    precision = found.cumsum(1) / np.arange(1, found.shape[1] + 1)
    return np.asarray((precision * found).sum(1) / possible)
