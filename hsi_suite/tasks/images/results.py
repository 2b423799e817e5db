"""What a finished training on labelled images leaves in its folder."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...atomic import write_text
from ...data.labelled_images import LabelledImages
from ...engine.observer import Observer
from ...engine.trainer import Training
from ...models.description import multiply_adds
from ...models.network_file import shown_name
from ...reports.content import unverified_marks
from ...reports.drawing import save_png
from ...reports.figures import confusion_figure, has_curves, learning_curves_figure
from ...reports.fonts import figure_names
from ...reports.images.figures import Mistake, mistakes_figure
from ...runs.cost import judged_cost
from ...runs.folder import CONFUSION, CURVES, HISTORY, Run, csv_text
from ...runs.pages import PageFacts, finish_run
from ...schemas.image_classification import ImageClassificationConfig
from .classifier import ImageClassifier
from .evaluation import image_scores
from .page import MISTAKES
from .preparation import PreparedImages

_SHOWN = 24


def write_image_results(
    run: Run,
    config: ImageClassificationConfig,
    prepared: PreparedImages,
    classifier: ImageClassifier,
    training: Training,
    seconds: float,
    observer: Observer,
) -> None:
    """Classify, and write everything; `metrics.json`, which marks the run as finished, last."""
    started = time.monotonic()
    parts = {"test": prepared.split.test, "validation": prepared.split.validation}
    views = classifier.views(prepared.images)
    rows = {
        name: classifier.probabilities(
            views,
            indices,
            crops=config.evaluation.crops,
            batch_size=config.evaluation.batch_size,
            observer=observer,
        )
        for name, indices in parts.items()
        if len(indices)
    }
    metrics = _metrics(config, prepared, classifier, training, rows)
    evaluated = time.monotonic()
    write_text(run.path / HISTORY, csv_text(training.history))
    _write_pictures(run, prepared, metrics, training, rows["test"])
    cost = judged_cost(seconds, training, started, evaluated)
    finish_run(PageFacts(run, config, metrics, training.history, cost))


def _metrics(
    config: ImageClassificationConfig,
    prepared: PreparedImages,
    classifier: ImageClassifier,
    training: Training,
    rows: dict[str, NDArray[np.float32]],
) -> dict[str, Any]:
    """The run's deterministic scores, as metrics.json holds them."""
    images, split = prepared.images, prepared.split
    learnt = np.bincount(images.classes[split.train], minlength=len(images.class_names))
    parts = {
        name: image_scores(images.classes[getattr(split, name)], shares, images.class_names)
        for name, shares in rows.items()
    }
    return unverified_marks(images.unverified) | {
        "task": "image_classification",
        "dataset": images.name,
        "synthetic": False,
        "model": shown_name(config.model.name),
        "size": config.data.size,
        "channels": images.channels,
        "crops": config.evaluation.crops,
        "seed": config.seeds.base,
        "parameters": sum(p.numel() for p in classifier.network.parameters()),
        "multiply_adds": _multiply_adds(classifier),
        "epoch": training.epoch,
        **training.divergence,
        "selection": config.train.selection,
        "classes": [
            {"label": label, "name": name, "train": int(count)}
            for label, (name, count) in enumerate(zip(images.class_names, learnt, strict=True), 1)
        ],
        "baselines": {},
        "split": {
            "kind": split.kind,
            "train": len(split.train),
            "validation": len(split.validation),
            "test": len(split.test),
        },
        **parts,
    }


def _multiply_adds(classifier: ImageClassifier) -> int | None:
    """Those of an image, as it is shown to the network once."""
    header = classifier.header
    arguments = {
        "in_channels": header.channels,
        "num_classes": len(header.class_names),
        "window": header.size,
    }
    shape = (header.channels, header.size, header.size)
    return multiply_adds(header.model, {**header.options, **arguments}, shape)


def _write_pictures(
    run: Run,
    prepared: PreparedImages,
    metrics: dict[str, Any],
    training: Training,
    test: NDArray[np.float32],
) -> None:
    names = prepared.images.class_names
    drawn = figure_names(names, range(1, len(names) + 1))
    confusion = confusion_figure(metrics["test"]["confusion_matrix"], drawn)
    save_png(confusion, run.path / CONFUSION)
    if has_curves(training.history):
        save_png(learning_curves_figure(training.history), run.path / CURVES)
    mistakes = confident_mistakes(prepared.images, prepared.split.test, test, _SHOWN)
    if mistakes:
        save_png(mistakes_figure(mistakes), run.path / MISTAKES, dpi=200)


def confident_mistakes(
    images: LabelledImages,
    indices: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    most: int,
) -> list[Mistake]:
    """The wrongly classified images of whose class the classifier was surest, surest first.

    Args:
        images: all images.
        indices: those that were classified, N.
        probabilities: N × classes.
        most: how many are wanted.
    """
    answers = probabilities.argmax(1)
    wrong = np.flatnonzero(answers != images.classes[indices])
    sureness = probabilities[wrong, answers[wrong]]
    chosen = wrong[np.argsort(-sureness, kind="stable")[:most]]
    return [
        Mistake(
            image=images.image(int(indices[place])),
            name=images.names[int(indices[place])],
            truth=images.class_names[int(images.classes[indices[place]])],
            answer=images.class_names[int(answers[place])],
            probability=float(probabilities[place, answers[place]]),
            truth_probability=float(probabilities[place, images.classes[indices[place]]]),
        )
        for place in chosen
    ]
