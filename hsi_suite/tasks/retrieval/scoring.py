"""The scores of rankings in both directions, of any method, and those of chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.pairs import Labelled, Pairs
from ...metrics.ranking_scores import RECALL_LEVELS
from ...metrics.retrieval import RetrievalScores, Similarity, retrieval_scores

Values = NDArray[np.floating]
_GAIN = "normalised_discounted_cumulative_gain"
#: Scores by name, of one direction.
Scores = dict[str, float]


@dataclass(frozen=True, eq=False)
class Ranking:
    """What ranks a gallery for queries: rows of both in one space.

    Attributes:
        queries: number × dimensions.
        gallery: number × the same dimensions.
        similarity: of two rows.
    """

    queries: Values
    gallery: Values
    similarity: Similarity = "cosine"


@dataclass(frozen=True, eq=False)
class Arena:
    """What all methods are judged on: the queries and galleries of both directions.

    Attributes:
        queries: pairs whose items of either modality are the queries.
        galleries: what is searched, items of the first and of the second modality.
        directions: names of the ways from the first modality to the second, and back.
        cutoffs: lengths of rankings.
    """

    queries: Pairs
    galleries: tuple[Labelled, Labelled]
    directions: tuple[str, str]
    cutoffs: tuple[int, ...] = ()

    def sides(self) -> list[tuple[str, int, Values, Labelled]]:
        """Each direction's name, the side of its queries (0 or 1), these, and its gallery."""
        return [
            (self.directions[0], 0, self.queries.first, self.galleries[1]),
            (self.directions[1], 1, self.queries.second, self.galleries[0]),
        ]

    def judge(self, rankings: Mapping[str, Ranking]) -> dict[str, RetrievalScores]:
        """The scores of rankings, by direction."""
        galleries = dict(zip(self.directions, reversed(self.galleries), strict=True))
        return {
            direction: retrieval_scores(
                ranking.queries,
                ranking.gallery,
                self.queries.targets.astype(np.int64),
                galleries[direction].targets.astype(np.int64),
                similarity=ranking.similarity,
                cutoffs=self.cutoffs,
            )
            for direction, ranking in rankings.items()
        }

    def mean(self, rankings: Mapping[str, Ranking]) -> float:
        """The mean average precision of both directions, averaged: what choices are made by."""
        bare = Arena(self.queries, self.galleries, self.directions)
        scores = bare.judge(rankings).values()
        return float(np.mean([score.mean_average_precision for score in scores]))


def validation_arena(validation: Pairs, directions: tuple[str, str]) -> Arena:
    """The arena of the validation pairs, which search each other."""
    return Arena(validation, validation.sides, directions)


def plain_scores(scores: RetrievalScores) -> Scores:
    """Scores by name, flat."""
    row = {
        "mean_average_precision": scores.mean_average_precision,
        "macro_average_precision": scores.macro_average_precision,
        _GAIN: scores.normalised_discounted_cumulative_gain,
    }
    for k, value in scores.mean_average_precision_at.items():
        row[f"mean_average_precision_at_{k}"] = value
    for k, value in scores.recall_at.items():
        row[f"recall_at_{k}"] = value
    return row


def curve(scores: RetrievalScores) -> dict[str, list[float]]:
    """Precision against recall, averaged over the queries."""
    return {
        "recall": [round(float(level), 6) for level in RECALL_LEVELS],
        "precision": [float(value) for value in scores.precision],
    }


def chance_scores(
    queries: NDArray[np.integer], gallery: NDArray[np.integer], cutoffs: Sequence[int]
) -> Scores:
    """What random rankings are expected to reach, computed and not drawn.

    With R relevant of N items, the item at rank i is relevant with probability R / N and the
    precision there is then (1 + (i − 1)(R − 1) / (N − 1)) / i on average. What it gains is the mean
    over all items.

    Args:
        queries: targets, number × classes; those without a relevant item do not count.
        gallery: targets, items × classes.
        cutoffs: lengths of rankings.
    """
    patterns, counts = np.unique(queries, axis=0, return_counts=True)
    size = len(gallery)
    shared = [((gallery > 0) & (pattern > 0)).sum(1) for pattern in patterns]
    rows = [
        (int(count), _random_scores(gains, size, cutoffs))
        for count, gains in zip(counts, shared, strict=True)
        if gains.any()
    ]
    total = sum(count for count, _ in rows)
    names = list(rows[0][1])
    mean = {name: sum(count * row[name] for count, row in rows) / total for name in names}
    key = "mean_average_precision"
    macro = float(np.mean([row[key] for _, row in rows]))
    return {key: mean.pop(key), "macro_average_precision": macro, **mean}


def _random_scores(gains: NDArray[np.integer], size: int, cutoffs: Sequence[int]) -> Scores:
    ranks, relevant = np.arange(1, size + 1), int((gains > 0).sum())
    precision = (1 + (ranks - 1) * (relevant - 1) / max(size - 1, 1)) / ranks
    discounts = 1 / np.log2(ranks + 1)
    best = float((np.sort(gains)[::-1] * discounts).sum())
    row = {
        "mean_average_precision": float(precision.mean()),
        _GAIN: float(gains.mean() * discounts.sum()) / best,
    }
    for k in cutoffs:
        share = relevant / size / min(relevant, k)
        row[f"mean_average_precision_at_{k}"] = float(precision[:k].sum() * share)
    for k in cutoffs:
        none = comb(size - relevant, k) / comb(size, k)
        row[f"recall_at_{k}"] = 1 - none
    return row


def as_table(scores: Mapping[str, RetrievalScores]) -> dict[str, Any]:
    """Plain scores by direction."""
    return {direction: plain_scores(score) for direction, score in scores.items()}
