"""`hsi train` for scenes: load, split, train, evaluate, write."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Literal

import numpy as np
import torch

from ...data.splits import save_split
from ...engine.allocation import release_free_blocks
from ...engine.distributed import Team
from ...engine.observer import Observer
from ...models.classical import CLASSICAL
from ...reports.content import unverified_text
from ...runs.folder import CHECKPOINT, MODEL, SPLIT, Run
from ...runs.task import Job
from ...schemas.classification import ClassificationConfig
from .baselines import run_baselines
from .classifier import Classifier
from .classifier_loading import load_classifier
from .evaluation import dropout_spread
from .fitting import fit, plan, reduced_scene, untrained
from .preparation import Prepared, prepare
from .results import Costs, Outcome, write_results
from .scene_domain import learnt
from .training_memory import MemoryLimit


@contextmanager
def prepared_job(
    config: ClassificationConfig,
    observer: Observer,
    team: Team,
    memory_limit: float | None,
) -> Iterator[Job]:
    """Scene, split, reduction and an untrained classifier; the scene is closed at the end."""
    memory = MemoryLimit.of(memory_limit)
    with closing(prepare(config, observer, memory)) as prepared:
        classifier = untrained(config, prepared)
        planned = plan(classifier, config, prepared, team.size)
        dense = planned.dense_from is not None
        trained = len(prepared.split.train)
        memory.check_training(classifier, config, prepared.scene, trained, dense)
        config = _with_strategy(config, planned.strategy)
        yield Job(
            config,
            names=(prepared.scene.name, config.model.name, config.split.kind),
            checksums=prepared.checksums,
            opening=_opening(config, prepared),
            work=lambda run, log: _work(run, config, prepared, classifier, log, team),
            assist=lambda run: fit(
                classifier, config, prepared, run.path / CHECKPOINT, Observer(), team
            ),
        )


def _with_strategy(
    config: ClassificationConfig, strategy: Literal["patch", "dense"]
) -> ClassificationConfig:
    train = config.train.model_copy(update={"strategy": strategy})
    return config.model_copy(update={"train": train})


def _opening(config: ClassificationConfig, prepared: Prepared) -> list[str]:
    """What is about to be done, and what to know of the scene."""
    scene = prepared.scene
    epochs = "" if config.model.name in CLASSICAL else f", {config.train.epochs} epochs"
    what = (
        f"training {config.model.name} on {scene.name}: "
        f"{len(prepared.split.train):,} training and {len(prepared.split.test):,} test pixels of "
        f"{len(prepared.split.classes)} classes{epochs}, seed {config.seeds.base}, "
        f"on {config.device}"
    )
    return [
        what,
        *([unverified_text(scene.unverified)] if scene.unverified else []),
        *([f"{scene.name}: {prepared.denoising}"] if prepared.denoising is not None else []),
    ]


def _work(
    run: Run,
    config: ClassificationConfig,
    prepared: Prepared,
    classifier: Classifier,
    observer: Observer,
    team: Team,
) -> None:
    started = time.monotonic()
    save_split(prepared.split, run.path / SPLIT)
    release_free_blocks()
    reduced = reduced_scene(classifier, prepared)
    release_free_blocks()
    checkpoint = run.path / CHECKPOINT
    training = fit(classifier, config, prepared, checkpoint, observer, team, reduced, run.identity)
    classifier.header = replace(classifier.header, **learnt(config, prepared))
    classifier.save(run.path / MODEL)
    # Results come from the file that prediction will read, not from what is in memory.
    saved = load_classifier(run.path / MODEL, torch.device(config.device), config.threads or 1)
    trained = time.monotonic()
    valid = prepared.scene.valid
    classes = saved.class_map(
        reduced,
        np.ones(prepared.labels.shape, bool) if valid is None else valid,
        batch_size=config.evaluation.batch_size,
        precision=config.evaluation.precision,
        observer=observer,
    )
    mapped = time.monotonic()
    dropout = None
    if config.evaluation.dropout_at_test and saved.has_dropout:
        dropout = dropout_spread(saved, reduced, prepared, config)
    elif config.evaluation.dropout_at_test:
        observer.message(f"evaluation.dropout_at_test: {config.model.name} has no dropout")
    del reduced
    release_free_blocks()
    baselines = run_baselines(config, prepared, observer)
    costs = Costs(
        training_seconds=trained - started,
        epoch_seconds=training.seconds,
        map_seconds=mapped - trained,
        baseline_seconds=time.monotonic() - mapped,
    )
    outcome = Outcome(saved, training, classes, baselines, dropout)
    write_results(run, config, prepared, outcome, costs, observer)
