"""What the validation decides after training: the similarity, and what a good match is."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from ...data.pairs import Pairs
from ...matrix_products import full_product
from ...schemas.retrieval import RetrievalConfig
from .retriever import Retriever
from .scoring import Arena, Ranking, validation_arena
from .search import pieces_of
from .sides import SIDES

# The share of validation queries, all of known classes, that may fall below the threshold.
_BELOW = 0.05


def rankings(retriever: Retriever, arena: Arena) -> dict[str, Ranking]:
    """How a retriever ranks the galleries of an arena."""
    return {
        direction: Ranking(
            retriever.embed(np.asarray(items, np.float32), SIDES[side]),
            retriever.embed(gallery.items, SIDES[1 - side]),
            "dot",
        )
        for direction, side, items, gallery in arena.sides()
    }


def choose_similarity(
    retriever: Retriever, validation: Pairs, config: RetrievalConfig
) -> tuple[Retriever, list[dict[str, Any]]]:
    """The retriever with the label share and sharpness that are best on the validation.

    Returns:
        It, with its thresholds; and a row for each choice: label_share, sharpness,
        mean_average_precision. The first of equals is taken, and no row is there without a
        validation part.
    """
    evaluation = config.evaluation
    if not len(validation):
        return retriever, []
    arena = validation_arena(validation, retriever.header.directions)
    rows: list[dict[str, Any]] = []
    best = retriever
    for share, sharpness in product(evaluation.label_shares, evaluation.sharpness):
        if share == 0 and sharpness != evaluation.sharpness[0]:
            # Without labels their sharpness changes nothing.
            continue
        header = replace(retriever.header, label_share=share, sharpness=sharpness)
        tried = replace(retriever, header=header)
        score = arena.mean(rankings(tried, arena))
        if not rows or score > max(row["mean_average_precision"] for row in rows):
            best = tried
        rows.append({"label_share": share, "sharpness": sharpness, "mean_average_precision": score})
    return _with_thresholds(best, arena), rows


def _with_thresholds(retriever: Retriever, arena: Arena) -> Retriever:
    thresholds = {}
    for direction, ranking in rankings(retriever, arena).items():
        parts = np.array_split(
            ranking.queries, pieces_of(len(ranking.queries), len(ranking.gallery))
        )
        highest = np.concatenate([full_product(part, ranking.gallery).max(1) for part in parts])
        thresholds[direction] = float(np.quantile(highest, _BELOW))
    return replace(retriever, header=replace(retriever.header, thresholds=thresholds))
