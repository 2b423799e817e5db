"""How well a ranking by similarity finds the items of the query's class."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ..errors import ShapeError

Values = NDArray[np.floating]
Labels = NDArray[np.integer]
Similarity = Literal["cosine", "dot"]
OfQueries = NDArray[np.float64]
Scores = tuple[OfQueries, OfQueries, dict[int, OfQueries], dict[int, OfQueries]]

# Recalls at which precision is reported, 0 to 1.
RECALL_LEVELS = np.linspace(0, 1, 21)
# Arrays of a chunk's size that are alive at once: scores, sorted scores, products of the matrix.
_COPIES = 4
# Chunks that may be worked on at once, by as many threads as torch may use.
_WORKERS = 8


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
        ShapeError: sizes that do not belong together, an empty gallery, or a cutoff beyond it.
    """
    _check(queries, gallery, query_labels, gallery_labels, cutoffs)
    patterns, pattern_of = np.unique(query_labels, axis=0, return_inverse=True)
    pattern_of = pattern_of.reshape(-1)
    left, right = (items.astype(np.float32) for items in (queries, gallery))
    if similarity == "cosine":
        left, right = _unit(left), _unit(right)
    # Queries of one pattern follow each other: their rows of a chunk are then seen without a copy.
    turn = np.argsort(pattern_of, kind="stable")
    gains = [_gains(pattern, gallery_labels) for pattern in patterns]
    discounts = _discounts(len(gallery))
    gain = np.full(len(queries), np.nan)
    average = np.full(len(queries), np.nan)
    curve = np.zeros(len(RECALL_LEVELS))
    at = {k: np.full(len(queries), np.nan) for k in cutoffs}
    hit = {k: np.full(len(queries), np.nan) for k in cutoffs}

    def judge(rows: slice) -> NDArray[np.float64]:
        """Fill in the scores of some queries; gives the sum of their curves."""
        chunk = turn[rows]
        scores = left[chunk] @ right.T
        filled = (average, gain, at, hit)
        return _judge(scores, pattern_of[chunk], gains, discounts, cutoffs, filled, chunk)

    # As many chunks whatever the threads: the sums are then the same.
    step = max(1, int(memory / (_COPIES * 4 * len(gallery) * _WORKERS)))
    chunks = [slice(first, first + step) for first in range(0, len(queries), step)]
    threads = min(torch.get_num_threads(), _WORKERS)
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        for part in pool.map(judge, chunks):
            curve += part
    counted = ~np.isnan(average)
    if not counted.any():
        raise ShapeError("gallery", "no item of any query's class", "at least one")
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
        precision=curve / counted.sum(),
        queries=int(counted.sum()),
        average_precisions=average,
    )


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


def _gains(pattern: Labels, gallery_labels: Labels) -> NDArray[np.int64]:
    """How many classes each item of the gallery shares with queries of a pattern."""
    if gallery_labels.ndim == 1:
        return np.asarray(gallery_labels == pattern, np.int64)
    return np.asarray(((gallery_labels > 0) & (pattern > 0)).sum(1), np.int64)


def _discounts(number: int) -> NDArray[np.float64]:
    """Sums of 1 / log₂(rank + 1) over the first ranks: entry k is that of k ranks, from 0 on."""
    return np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, number + 2)))])


def _judge(
    scores: NDArray[np.float32],
    places: NDArray[np.intp],
    gains: Sequence[NDArray[np.int64]],
    discounts: NDArray[np.float64],
    cutoffs: Sequence[int],
    filled: Scores,
    chunk: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Scores of the queries `chunk`, filled in; gives the sum of their curves.

    Args:
        scores: queries × gallery; may be overwritten.
        places: which pattern of labels each query has, rising.
        gains: what each item of the gallery is worth, for each pattern; relevant are those above 0.
        discounts: see `_discounts`.
        cutoffs: lengths of the lists that are judged.
        filled: average precision, gain, precision at k and recall at k of all queries.
        chunk: which queries these are.
    """
    average, gain, at, hit = filled
    curve = np.zeros(len(RECALL_LEVELS))
    ordered = np.sort(scores, axis=1) if cutoffs else scores
    parts = []
    for pattern in np.unique(places):
        rows = slice(*np.searchsorted(places, (pattern, pattern + 1)))
        if gains[pattern].any():
            # An item that is worth two counts for one among those worth one or more, and again.
            steps = range(1, int(gains[pattern].max()) + 1)
            found = [scores[rows].compress(gains[pattern] >= step, axis=1) for step in steps]
            parts.append((rows, gains[pattern], found))
    if not cutoffs:
        scores.sort(axis=1)
    for rows, worth, found in parts:
        mask, best = worth > 0, (np.sort(worth)[::-1] * np.diff(discounts)).sum()
        gained = [_discounted(each, ordered[rows], discounts) for each in found]
        gain[chunk[rows]] = np.sum(gained, axis=0) / best
        precision = _precisions(found[0], ordered[rows])
        average[chunk[rows]] = precision.mean(1)
        curve += _interpolated(precision).sum(0)
        for k in cutoffs:
            first = _first(scores[rows], ordered[rows], mask, k)
            hit[k][chunk[rows]] = first.any(1)
            at[k][chunk[rows]] = _precision_at(first, min(int(mask.sum()), k))
    return curve


def _unit(items: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(items, axis=1, keepdims=True)
    return np.asarray(items / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def _precisions(found: Values, ordered: Values) -> NDArray[np.float64]:
    """Precision at each relevant item, by falling score: queries × relevant items.

    Args:
        found: scores of the relevant items, queries × relevant items; sorted in place.
        ordered: rising scores of all items, queries × gallery.
    """
    found.sort(axis=1)
    below = torch.searchsorted(
        torch.from_numpy(ordered), torch.from_numpy(found), out_int32=ordered.shape[1] < 2**31
    ).numpy()
    ours_below = np.arange(found.shape[1], dtype=below.dtype)
    if (found[:, 1:] == found[:, :-1]).any():
        ours_below = torch.searchsorted(torch.from_numpy(found), torch.from_numpy(found)).numpy()
    precision = (found.shape[1] - ours_below) / (ordered.shape[1] - below)
    return np.asarray(precision[:, ::-1])


def _discounted(
    found: Values, ordered: Values, discounts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum of the discounts of some items of each ranking; equal scores share those of their ranks.

    Args:
        found: scores of the items, queries × items.
        ordered: rising scores of all items, queries × gallery.
        discounts: see `_discounts`.
    """
    rising, own = torch.from_numpy(ordered), torch.from_numpy(np.ascontiguousarray(found))
    last = ordered.shape[1] - torch.searchsorted(rising, own).numpy()
    if not (ordered[:, 1:] == ordered[:, :-1]).any():
        return np.asarray((discounts[last] - discounts[last - 1]).sum(1))
    first = ordered.shape[1] - torch.searchsorted(rising, own, right=True).numpy()
    return np.asarray(((discounts[last] - discounts[first]) / (last - first)).sum(1))


def _interpolated(precision: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest precision at each recall level or beyond, queries × levels."""
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    needed = np.ceil(RECALL_LEVELS * precision.shape[1] - 1e-9).astype(int)
    return np.asarray(best[:, np.maximum(needed, 1) - 1])


def _first(
    scores: Values, ordered: Values, relevant: NDArray[np.bool_], k: int
) -> NDArray[np.bool_]:
    """Whether the first k items of each ranking are relevant, queries × k."""
    found = np.zeros((len(scores), k), bool)
    for row, edge, out in zip(scores, ordered[:, -k], found, strict=True):
        candidates = np.flatnonzero(row >= edge)
        best = candidates[np.argsort(-row[candidates], kind="stable")[:k]]
        out[:] = relevant[best]
    return found


def _precision_at(found: NDArray[np.bool_], possible: int) -> NDArray[np.float64]:
    precision = found.cumsum(1) / np.arange(1, found.shape[1] + 1)
    return np.asarray((precision * found).sum(1) / possible)
