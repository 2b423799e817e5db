"""Scores of a classifier on the parts of a split."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.patches import WindowSampler
from ...metrics.classification import scores
from ...metrics.confusion import Confusion
from ...metrics.summary import summarise
from ...schemas.classification import ClassificationConfig
from .classifier import Classifier
from .preparation import Prepared

_DROPOUT_REPEATS = 10


def part_scores(
    prepared: Prepared, pixels: NDArray[np.integer], predicted: NDArray[np.integer]
) -> dict[str, Any]:
    """All scores of predicted class indices against the truth at some pixels."""
    names = prepared.class_names
    counts = Confusion.of(prepared.classes[pixels], predicted, len(names))
    return scores(counts).to_dict(names)


def part_wanted(prepared: Prepared, pixels: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Lines × samples, True at some pixels."""
    wanted: NDArray[np.bool_] = np.zeros(prepared.labels.shape, bool)
    wanted.reshape(-1)[pixels] = True
    return wanted


def dropout_spread(
    classifier: Classifier,
    reduced: WindowSampler,
    prepared: Prepared,
    config: ClassificationConfig,
) -> dict[str, Any]:
    """What the test scores do when dropout is left on: the same weights, ten evaluations.

    Args:
        classifier: trained.
        reduced: the scene, see `Classifier.reduced`.
        prepared: the scene and its split.
        config: of the run.

    Returns:
        Mean, standard deviation, number, least and greatest value by metric.
    """
    test, seeds = prepared.split.test, config.streams
    wanted = part_wanted(prepared, test)
    rows = []
    for repeat in range(_DROPOUT_REPEATS):
        classes = classifier.class_map(
            reduced,
            wanted,
            batch_size=config.evaluation.batch_size,
            dropout_seed=seeds.seed("dropout", "test", repeat),
        )
        found = part_scores(prepared, test, classes.reshape(-1)[test])
        rows.append({name: found[name] for name in ("overall_accuracy", "cohen_kappa")})
    return dict(summarise(rows))
