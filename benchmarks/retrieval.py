"""Retrieval: mean average precision over full rankings, ours against a Python loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hsi_suite.metrics.retrieval import retrieval_scores

from . import usual_retrieval
from .group import Group, Say, Table, Timing, Work, job_table
from .interleaving import Side, compare
from .measuring import stopwatch
from .workload import Workload

ITEMS, DIMENSIONS, CLASSES = 2_000, 64, 10
# Queries that warm a side up.
_BRIEF = 50

Inputs = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]
SIDES = (
    Side("a Python loop", "retrieval:usual_scores", usual=True),
    Side("hsi_suite", "retrieval:suite_scores"),
)


def compare_scores(workload: Workload, say: Say) -> Table:
    """Seconds for the average precision of every query."""
    return compare(
        f"Mean average precision, {ITEMS:,} queries in a gallery of {ITEMS:,}",
        f"Random items of {CLASSES} classes in {DIMENSIONS} dimensions, cosine similarity, full "
        "rankings. The usual way takes SciPy's distances, sorts with NumPy and walks down every "
        "ranking in Python, by one thread; hsi_suite also computes the precision-recall curve in "
        "the same time. The outputs that are compared are the average precisions.",
        SIDES,
        ("seconds", "ratios", "memory", "agreement"),
        workload,
        say,
    )


def usual_scores(workload: Workload, settings: Sequence[str]) -> Work:
    """The loop."""
    return _work(workload, usual_retrieval.average_precisions)


def suite_scores(workload: Workload, settings: Sequence[str]) -> Work:
    """The library's own."""
    return _work(workload, lambda *items: retrieval_scores(*items).average_precisions)


def _work(workload: Workload, score: Callable[..., NDArray[np.float64]]) -> Work:
    queries, gallery, query_labels, gallery_labels = _inputs()

    def work(*, brief: bool) -> Timing:
        count = _BRIEF if brief else ITEMS
        with stopwatch(workload.device) as watch:
            found = score(queries[:count], gallery, query_labels[:count], gallery_labels)
        return Timing(watch.seconds, watch.seconds, count, count, 0.0, output=found)

    return work


def _inputs() -> Inputs:
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(CLASSES, DIMENSIONS))
    labels = generator.integers(CLASSES, size=(2, ITEMS))
    items = centres[labels] + 3 * generator.normal(size=(2, ITEMS, DIMENSIONS))
    first, second = items.astype(np.float32)
    return first, second, labels[0], labels[1]


GROUP = Group(
    title="Retrieval",
    parts=(compare_scores,),
    jobs=job_table(usual_scores, suite_scores),
    memory=5e8,
)
