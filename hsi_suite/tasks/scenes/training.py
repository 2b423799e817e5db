"""`hsi train` for scenes: load, split, train, evaluate, write."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from ...config import validate
from ...data.splits import save_split
from ...engine.allocation import release_free_blocks
from ...engine.devices import computing
from ...engine.distributed import ALONE, Team
from ...engine.observer import Observer
from ...models.classical import CLASSICAL
from ...reports.content import unverified_text
from ...runs.folder import CHECKPOINT, CONFIG, MODEL, SPLIT, Run, open_run
from ...runs.life import carry_out
from ...runs.machine import on_device
from ...schemas.classification import ClassificationConfig
from .baselines import run_baselines
from .classifier import Classifier
from .classifier_loading import load_classifier
from .configuration import resolve
from .evaluation import dropout_spread
from .fitting import fit, plan, reduced_scene, untrained
from .preparation import Prepared, prepare
from .results import Costs, Outcome, write_results
from .scene_domain import learnt
from .training_memory import MemoryLimit


def train(
    config: ClassificationConfig,
    output: str | Path = "runs",
    observer: Observer | None = None,
    folder: Path | None = None,
    team: Team = ALONE,
    memory_limit: float | None = None,
    begun_on: str | None = None,
) -> Run:
    """Train and evaluate one classifier; return its run.

    A finished run of the same identity is returned as it is; an unfinished one is continued.

    Args:
        config: see `classification_config`.
        output: where run folders are made.
        observer: hears of the progress.
        folder: the run's folder itself, when it is continued.
        team: the processes that share the training.
        memory_limit: bytes for the whole process, see `MemoryLimit`; the run does not depend on
            it.
        begun_on: see `carry_out`.

    Raises:
        HsiSuiteError: of any kind, before anything is written where that is possible.
        Stopped: a stop was asked for; the run can be continued.
    """
    observer = observer or Observer()
    config = resolve(config)
    memory = MemoryLimit.of(memory_limit)
    with (
        computing(torch.device(config.device), config.threads or 1, config.deterministic),
        closing(prepare(config, observer, memory)) as prepared,
    ):
        classifier = untrained(config, prepared)
        planned = plan(classifier, config, prepared, team.size)
        dense = planned.dense_from is not None
        trained = len(prepared.split.train)
        memory.check_training(classifier, config, prepared.scene, trained, dense)
        config = _with_strategy(config, planned.strategy)
        return carry_out(
            config,
            names=(prepared.scene.name, config.model.name, config.split.kind),
            checksums=prepared.checksums,
            output=Path(output),
            folder=folder,
            observer=observer,
            work=lambda run, log: _work(run, config, prepared, classifier, log, team),
            team=team,
            assist=lambda run: fit(
                classifier, config, prepared, run.path / CHECKPOINT, Observer(), team
            ),
            begun_on=begun_on,
        )


def resume(
    path: str | Path,
    observer: Observer | None = None,
    team: Team = ALONE,
    memory_limit: float | None = None,
    device: str | None = None,
) -> Run:
    """Continue the run in a folder from its own configuration, perhaps on another device.

    Raises:
        RunError: it is no run folder, or its data have changed.
    """
    run = open_run(path)
    config = validate(ClassificationConfig, run.config, run.path / CONFIG)
    return train(
        on_device(config, device),
        observer=observer,
        folder=run.path,
        team=team,
        memory_limit=memory_limit,
        begun_on=config.device,
    )


def _with_strategy(
    config: ClassificationConfig, strategy: Literal["patch", "dense"]
) -> ClassificationConfig:
    train = config.train.model_copy(update={"strategy": strategy})
    return config.model_copy(update={"train": train})


def _opening(config: ClassificationConfig, prepared: Prepared) -> str:
    """What is about to be done, in a line."""
    epochs = "" if config.model.name in CLASSICAL else f", {config.train.epochs} epochs"
    return (
        f"training {config.model.name} on {prepared.scene.name}: "
        f"{len(prepared.split.train):,} training and {len(prepared.split.test):,} test pixels of "
        f"{len(prepared.split.classes)} classes{epochs}, seed {config.seeds.base}, "
        f"on {config.device}"
    )


def _work(
    run: Run,
    config: ClassificationConfig,
    prepared: Prepared,
    classifier: Classifier,
    observer: Observer,
    team: Team,
) -> None:
    started = time.monotonic()
    observer.message(_opening(config, prepared))
    if prepared.scene.unverified:
        observer.message(unverified_text(prepared.scene.unverified))
    if prepared.denoising is not None:
        observer.message(f"{prepared.scene.name}: {prepared.denoising}")
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
    checkpoint.unlink(missing_ok=True)
