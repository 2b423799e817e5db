"""The rows of a gallery most similar to one query: exact, read piece by piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError, ShapeError

# A piece of the gallery in double precision; fixed, so that scores do not depend on memory.
_PIECE_BYTES = 2**25
# Of a matrix of scores, queries × gallery in single precision.
_PIECE_SCORES = 2**28

Scores = NDArray[np.float32]
Positions = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Matches:
    """The best items of a gallery.

    Attributes:
        items: their places in the gallery, best first.
        scores: their similarities, −1 … 1.
    """

    items: NDArray[np.int64]
    scores: Scores


def pieces_of(queries: int, gallery: int, least: int = 1) -> int:
    """In how many pieces queries are taken, so that their scores never need much memory.

    Args:
        queries: how many there are.
        gallery: items that each is compared with.
        least: pieces.
    """
    return max(least, -(-4 * queries * gallery // _PIECE_SCORES))


def similarities(
    embeddings: NDArray[np.float32], query: NDArray[np.float32], path: object = "index"
) -> Scores:
    """Dot products of all rows with a query.

    They are summed in double precision and rounded: equal rows have equal scores, wherever they
    stand.

    Args:
        embeddings: items × dimensions; mapped files are read piece by piece.
        query: dimensions.
        path: of the index, for the message.

    Raises:
        ShapeError: the query has other dimensions.
        InputFileError: a row is not of numbers.
    """
    count, dimensions = embeddings.shape
    if query.shape != (dimensions,):
        raise ShapeError("query", f"shape {query.shape}", f"({dimensions},), as the gallery's rows")
    scores = np.empty(count, np.float32)
    step = max(1, _PIECE_BYTES // (8 * dimensions))
    wide = query.astype(np.float64)
    for start in range(0, count, step):
        # Damaged rows are reported below.
        with np.errstate(all="ignore"):
            piece = embeddings[start : start + step].astype(np.float64)
            # A product of matrices would add the parts of some rows in another order.
            scores[start : start + step] = np.einsum("nd,d->n", piece, wide)
    if not np.isfinite(scores).all():
        raise InputFileError(
            path, "holds rows that are no numbers", "an undamaged index", "make it again"
        )
    return scores


def best_matches(
    scores: Scores,
    positions: Positions,
    top: int,
    *,
    apart: int = 0,
    left_out: tuple[int, int] | None = None,
) -> Matches:
    """The best items, of neighbours only the best one.

    Items of equal score come in the order of their positions. An item counts as a neighbour of a
    better one when it is at most `apart` lines and samples away from it.

    Args:
        scores: of each item.
        positions: items × line and sample, in the order of lines.
        top: how many are wanted; fewer come back where the neighbours leave no more.
        apart: pixels; 0 keeps all.
        left_out: a line and sample that is no match, with its neighbours; None leaves out nothing.

    Raises:
        ShapeError: more are wanted than there are items.
    """
    if not 1 <= top <= len(scores):
        raise ShapeError(
            "--top", f"{top} matches", f"1 to {len(scores):,}, the items of the gallery"
        )
    around = (2 * apart + 1) ** 2
    wanted = top + (left_out is not None)
    candidates = _highest(scores, min(len(scores), wanted * around))
    taken = np.full((wanted, 2), -1 - apart, np.int64)
    if left_out is not None:
        taken[-1] = left_out
    found: list[int] = []
    for item in candidates:
        place = positions[item]
        if (np.abs(taken - place).max(1) <= apart).any():
            continue
        taken[len(found)] = place
        found.append(int(item))
        if len(found) == top:
            break
    items = np.array(found, np.int64)
    return Matches(items, scores[items])


def _highest(scores: Scores, count: int) -> NDArray[np.int64]:
    """The items of the highest scores, best first, equal ones in their own order."""
    edge = np.partition(scores, len(scores) - count)[len(scores) - count]
    above = np.flatnonzero(scores > edge)
    level = np.flatnonzero(scores == edge)[: count - len(above)]
    chosen = np.sort(np.concatenate([above, level]))
    return np.asarray(chosen[np.argsort(-scores[chosen], kind="stable")])
