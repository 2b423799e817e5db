"""Figures of a classifier on the parts of a split."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metrics.classification import confusion_matrix, scores
from ..metrics.summary import summarise
from ..schemas.classification import ClassificationConfig
from .classifier import Classifier
from .preparation import Prepared

_DROPOUT_REPEATS = 10


def part_scores(
    prepared: Prepared, pixels: NDArray[np.integer], predicted: NDArray[np.integer]
) -> dict[str, Any]:
    """All figures of predicted class indices against the truth at some pixels."""
    names = prepared.class_names
    matrix = confusion_matrix(prepared.classes[pixels], predicted, len(names))
    return scores(matrix).to_dict(names)


def predicted_classes(
    probabilities: NDArray[np.float32], pixels: NDArray[np.integer]
) -> NDArray[np.integer]:
    """Most probable class index at some pixels of lines × samples × classes."""
    rows = probabilities.reshape(-1, probabilities.shape[-1])[pixels]
    best: NDArray[np.integer] = rows.argmax(1)
    return best


def dropout_spread(
    classifier: Classifier, prepared: Prepared, config: ClassificationConfig
) -> dict[str, Any]:
    """What the test figures do when dropout is left on: the same weights, ten evaluations.

    Returns:
        Mean, standard deviation, number, least and greatest value by metric.
    """
    scene, test = prepared.scene, prepared.split.test
    wanted = np.zeros(prepared.labels.size, bool)
    wanted[test] = True
    seeds = config.streams
    rows = []
    for repeat in range(_DROPOUT_REPEATS):
        probabilities = classifier.probabilities(
            scene.cube,
            scene.valid,
            wanted=wanted.reshape(prepared.labels.shape),
            batch_size=config.evaluation.batch_size,
            dropout_seed=seeds.seed("dropout", "test", repeat),
        )
        figures = part_scores(prepared, test, predicted_classes(probabilities, test))
        rows.append({name: figures[name] for name in ("overall_accuracy", "cohen_kappa")})
    return dict(summarise(rows))
