"""How well a ranking by similarity finds the items of the query's class."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from ..errors import ShapeError
from ..matrix_products import full_product
from .ranking_scores import RECALL_LEVELS, Discounts, first_items, highest, precision_at
from .rankings import NARROW, Desk, Worth, rank

Values = NDArray[np.floating]
Labels = NDArray[np.integer]
Similarity = Literal["cosine", "dot"]

# What a score takes while its query is ranked, and what each relevant item takes besides.
_NARROW_BYTES, _WIDE_BYTES, _RELEVANT_BYTES = 12, 32, 100
# What of it lies on a desk: three masks, and an eighth of one.
_DESK_BYTES = 4
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
        left, right, largest = _unit(left), _unit(right), 1.0
    else:
        largest = _longest(left) * _longest(right)
    # Queries of one pattern follow each other: what the gallery is worth is found once for them.
    turn = np.argsort(pattern_of, kind="stable")
    turn = turn[counted[turn]]
    discounts = Discounts(len(gallery))
    gain = np.full(len(queries), np.nan)
    average = np.full(len(queries), np.nan)
    at = {k: np.full(len(queries), np.nan) for k in cutoffs}
    hit = {k: np.full(len(queries), np.nan) for k in cutoffs}
    # As many chunks whatever the threads: the sums are then the same.
    narrow = gallery_labels.ndim == 1 and largest < NARROW
    share = _relevant_share(patterns, gallery_labels)
    each = _NARROW_BYTES if narrow else _WIDE_BYTES
    each += 4 * bool(cutoffs) + int(share * _RELEVANT_BYTES)
    chunks = _chunks(len(turn), max(1, int(memory / (each * len(gallery) * _WORKERS))))
    curves = np.zeros((len(chunks), len(RECALL_LEVELS)))

    def judge(number: int, desk: Desk) -> None:
        """Fill in the scores of some queries."""
        rows = turn[chunks[number]]
        present, kinds = _runs(pattern_of[rows])
        worth = Worth(_worth(patterns[present], gallery_labels))
        scores = full_product(left[rows], right)
        kept = scores.copy() if cutoffs else scores
        rankings = rank(scores, worth, kinds, largest=largest, desk=desk)
        precision = rankings.relevant_as_high / rankings.as_high
        average[rows] = np.add.reduceat(precision, rankings.begins) / rankings.counts
        gain[rows] = discounts.gained(rankings) / discounts.best(worth)[kinds]
        curves[number] = highest(precision, rankings, kinds).sum(1)
        for k in cutoffs:
            found = first_items(rankings, kept, worth.rows, kinds, k)
            hit[k][rows] = found.any(1)
            at[k][rows] = precision_at(found, np.minimum(rankings.counts, k))

    waiting = iter(range(len(chunks)))

    def work(desk: Desk) -> None:
        """Take one chunk after the other, as long as there are some."""
        # A thread's number of torch's threads is set when it is first asked for, here too.
        torch.get_num_threads()
        with _libraries().limit(limits=1, user_api="openmp"):
            for number in waiting:
                judge(number, desk)

    helpers = min(torch.get_num_threads(), _WORKERS, len(chunks)) - 1
    largest_chunk = max(part.stop - part.start for part in chunks)
    room = _DESK_BYTES * largest_chunk * len(gallery)
    desks = [Desk(np.empty(room, np.uint8)) for _ in range(helpers + 1)]
    with (
        _libraries().limit(limits=1, user_api="blas"),
        ThreadPoolExecutor(max(1, helpers)) as pool,
    ):
        working = [pool.submit(work, desk) for desk in desks[1:]]
        work(desks[0])
        for helper in working:
            helper.result()
    sums, sizes = (np.bincount(pattern_of[turn], each) for each in (average[turn], None))
    return RetrievalScores(
        mean_average_precision=float(average[counted].mean()),
        macro_average_precision=float((sums[sizes > 0] / sizes[sizes > 0]).mean()),
        normalised_discounted_cumulative_gain=float(gain[counted].mean()),
        mean_average_precision_at={k: float(np.nanmean(values)) for k, values in at.items()},
        recall_at={k: float(np.nanmean(values)) for k, values in hit.items()},
        precision=curves.sum(0) / counted.sum(),
        queries=int(counted.sum()),
        average_precisions=average,
    )


def _chunks(queries: int, room: int) -> list[slice]:
    """Parts of the queries for a worker each, no larger than there is room for.

    Where there is enough to do, they are a few at least.
    """
    least = max(1, room // 8)
    number = max(-(-queries // room), min(-(-queries // least), _WORKERS))
    return [slice(queries * k // number, queries * (k + 1) // number) for k in range(number)]


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


def _runs(rising: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Each number that there is, and which of them each is."""
    begins = np.ones(len(rising), bool)
    np.not_equal(rising[1:], rising[:-1], out=begins[1:])
    return rising[begins], begins.cumsum() - 1


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


def _relevant_share(patterns: Labels, gallery_labels: Labels) -> float:
    """No pattern has a larger share of relevant items in the gallery."""
    if gallery_labels.ndim == 1:
        return float(np.unique(gallery_labels, return_counts=True)[1].max() / len(gallery_labels))
    return float(min(1.0, ((patterns > 0) @ (gallery_labels > 0).mean(0)).max()))


def _longest(items: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(items, axis=1).max())


def _unit(items: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(items, axis=1, keepdims=True)
    return np.asarray(items / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)
