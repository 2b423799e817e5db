"""Scores of a classifier on the parts of a split."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.patches import WindowSampler
from ...data.scene_stack import parts_of, valid_pixels
from ...data.splits import PARTS
from ...engine.observer import Observer
from ...metrics.classification import scores
from ...metrics.confusion import Confusion
from ...metrics.summary import summarise
from ...models.network_file import shown_name
from ...schemas.classification import ClassificationConfig
from .classifier import Classifier
from .preparation import Prepared

_DROPOUT_REPEATS = 10
# What is kept of each scene's scores: those of its classes stand in the pooled ones.
SCENE_SCORES = ("num_pixels", "overall_accuracy", "average_accuracy", "cohen_kappa")


def part_scores(
    prepared: Prepared, pixels: NDArray[np.integer], predicted: NDArray[np.integer]
) -> dict[str, Any]:
    """All scores of predicted class indices against the truth at some pixels."""
    names = prepared.class_names
    counts = Confusion.of(prepared.classes[pixels], predicted, len(names))
    return scores(counts).to_dict(names)


def scene_rows(prepared: Prepared, classes: NDArray[np.integer]) -> list[dict[str, Any]]:
    """What each of several scenes is for, and the scores on its own test pixels.

    Args:
        prepared: the scenes and their split.
        classes: index of each pixel's class, lines × samples.

    Returns:
        For each scene name, lines, samples, labelled pixels by part, and "test_scores": pixels,
        overall and average accuracy and Cohen's kappa; None where none of its pixels test.
    """
    rows = []
    for scene in parts_of(prepared.scene):
        found = {
            part: pixels[scene.mine(pixels, prepared.scene.samples)]
            for part in PARTS
            for pixels in [getattr(prepared.split, part)]
        }
        row: dict[str, Any] = {"name": scene.name, "lines": scene.lines, "samples": scene.samples}
        row |= {part: len(pixels) for part, pixels in found.items()}
        scores = None
        if len(found["test"]):
            scores = part_scores(prepared, found["test"], classes.reshape(-1)[found["test"]])
            scores = {name: scores[name] for name in SCENE_SCORES}
        rows.append({**row, "test_scores": scores})
    return rows


def part_wanted(prepared: Prepared, pixels: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Lines × samples, True at some pixels."""
    wanted: NDArray[np.bool_] = np.zeros(prepared.labels.shape, bool)
    wanted.reshape(-1)[pixels] = True
    return wanted


def classified(
    classifier: Classifier,
    reduced: WindowSampler,
    wanted: NDArray[np.bool_],
    config: ClassificationConfig,
    observer: Observer,
) -> NDArray[np.int32]:
    """The class index of each wanted pixel as a run computes it, lines × samples; else −1."""
    return classifier.class_map(
        reduced,
        wanted,
        batch_size=config.evaluation.batch_size,
        precision=config.evaluation.precision,
        observer=observer,
    )


def whole_map(
    classifier: Classifier,
    reduced: WindowSampler,
    prepared: Prepared,
    config: ClassificationConfig,
    observer: Observer,
) -> NDArray[np.int32]:
    """`classified` for every pixel that holds data."""
    return classified(classifier, reduced, valid_pixels(prepared.scene), config, observer)


def asked_dropout(
    classifier: Classifier,
    reduced: WindowSampler,
    prepared: Prepared,
    config: ClassificationConfig,
    observer: Observer,
) -> dict[str, Any] | None:
    """`dropout_spread` where the configuration asks for it; None else, or without dropout."""
    if not config.evaluation.dropout_at_test:
        return None
    if classifier.has_dropout:
        return dropout_spread(classifier, reduced, prepared, config)
    observer.message(f"evaluation.dropout_at_test: {shown_name(config.model.name)} has no dropout")
    return None


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
        rows.append(
            {name: found[name] for name in ("overall_accuracy", "average_accuracy", "cohen_kappa")}
        )
    return dict(summarise(rows))
