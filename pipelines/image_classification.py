"""Give every image a class: the stages of the task, from a configuration to scores.

The page and the terminal's table are made by `tasks.images.definition`, from what is written here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ..data.splits import save_split
from ..engine.distributed import Team
from ..engine.observer import Observer
from ..models.network_file import shown_name
from ..runs.folder import MODEL, SPLIT, Run
from ..runs.task import Job
from ..runs.training import fit, trainer
from ..schemas.image_classification import ImageClassificationConfig
from ..tasks.images import configuration
from ..tasks.images.classifier import ImageClassifier, load_image_classifier
from ..tasks.images.evaluation import evaluate_images
from ..tasks.images.preparation import (
    PreparedImages,
    prepare_images,
    starting_weights,
    training_task,
    untrained_images_classifier,
)
from ..tasks.images.task import ImageClassification
from ..tasks.shared.opening import epochs_text, opening


def resolve(config: ImageClassificationConfig) -> ImageClassificationConfig:
    """Everything filled in that depends on machine or other keys; see `Recipe`."""
    return configuration.resolve(config)


@contextmanager
def prepare(
    config: ImageClassificationConfig, observer: Observer, team: Team, memory_limit: float | None
) -> Iterator[Job]:
    """Images, their parts, an untrained classifier and the task of training it."""
    prepared = prepare_images(config, observer)
    classifier = untrained_images_classifier(config, prepared)
    task = training_task(config, prepared, classifier)
    images, split = prepared.images, prepared.split
    parts = (
        f"{len(split.train):,} training and {len(split.test):,} test images of "
        f"{len(images.class_names)} classes"
    )
    yield Job(
        config,
        names=(images.name, shown_name(config.model.name), split.kind),
        checksums=dict(images.checksums) | starting_weights(config),
        opening=opening(
            config, images.name, parts, epochs_text(config.train.epochs), images.unverified
        ),
        work=lambda run, log: _work(run, config, prepared, classifier, task, log, team),
        assist=lambda run: fit(run, config, classifier.network, task, Observer(), team),
        trainer=lambda run, log: trainer(run, config, classifier.network, task, log),
    )


def _work(
    run: Run,
    config: ImageClassificationConfig,
    prepared: PreparedImages,
    classifier: ImageClassifier,
    task: ImageClassification,
    observer: Observer,
    team: Team,
) -> None:
    started = time.monotonic()
    save_split(prepared.split, run.path / SPLIT)
    training = fit(run, config, classifier.network, task, observer, team)
    classifier.save(run.path / MODEL)
    seconds = time.monotonic() - started
    # Results come from the file that will be used, not from what is in memory.
    saved = load_image_classifier(run.path / MODEL, torch.device(config.device))
    # Imported late: a training does without what draws.
    from ..tasks.images.results import write_image_results

    write_image_results(run, config, prepared, saved, training, seconds, observer)


def evaluate(
    run: Run,
    observer: Observer,
    device: str | None,
    memory_limit: float | None,
    *,
    dropout_at_test: bool,
) -> dict[str, Any]:
    """The test scores once more, from the saved model and split; see `Recipe`."""
    return evaluate_images(run, observer, device)
