"""Classify every pixel of a scene: the stages of the task, from options to scores.

The page and the terminal's table are made by `tasks.scenes.definition`, from what is written here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..data.splits import save_split
from ..engine.allocation import release_free_blocks
from ..engine.distributed import Team
from ..engine.observer import Observer
from ..models.classical import CLASSICAL
from ..models.network_file import shown_name
from ..runs.folder import CHECKPOINT, MODEL, SPLIT, Run
from ..runs.task import Job
from ..schemas.classification import ClassificationConfig
from ..tasks.scenes import configuration
from ..tasks.scenes.baselines import run_baselines
from ..tasks.scenes.calibrating import calibrate, check_calibration
from ..tasks.scenes.classifier import Classifier
from ..tasks.scenes.classifier_loading import load_classifier
from ..tasks.scenes.evaluation import dropout_spread
from ..tasks.scenes.fitting import fit, plan, reduced_scene, untrained
from ..tasks.scenes.fold_training import fit_folds, folded_outcome
from ..tasks.scenes.judging import judge_test
from ..tasks.scenes.preparation import Prepared, with_guard
from ..tasks.scenes.preparation import prepare as prepare_scene
from ..tasks.scenes.results import Costs, Outcome, write_results
from ..tasks.scenes.run_evaluation import evaluate_classification
from ..tasks.scenes.scene_domain import learnt, unlike_scenes
from ..tasks.scenes.scene_files import settled_data
from ..tasks.scenes.searching import search_of, searches_of
from ..tasks.scenes.training_memory import MemoryLimit
from ..tasks.shared.opening import bands_left_out, epochs_text, guard_lines, opening, scene_lines


def configure(
    config: str | None, options: Mapping[str, Any], settings: Sequence[str]
) -> ClassificationConfig:
    """A configuration from a named one, options, then settings; see `Recipe`."""
    return configuration.classification_config(config=config, settings=settings, **options)


def resolve(config: ClassificationConfig) -> ClassificationConfig:
    """Everything filled in that depends on machine or other keys; see `Recipe`."""
    resolved = configuration.resolve(config)
    return resolved.model_copy(update={"data": settled_data(resolved)})


@contextmanager
def prepare(
    config: ClassificationConfig, observer: Observer, team: Team, memory_limit: float | None
) -> Iterator[Job]:
    """Scene, split, reduction and an untrained classifier; the scene is closed at the end."""
    memory = MemoryLimit.of(memory_limit)
    with closing(prepare_scene(config, observer, memory)) as prepared:
        opening = _opening(config, prepared)
        if prepared.guards is not None:
            config = with_guard(config, prepared.guards)
        largest = prepared.largest
        check_calibration(config, largest)
        classifier = untrained(config, largest)
        planned = plan(classifier, config, largest, team.size)
        dense = planned.dense_from is not None
        trained = len(largest.split.train)
        memory.check_training(classifier, config, prepared.scene, trained, dense)
        train = config.train.model_copy(update={"strategy": planned.strategy})
        config = config.model_copy(update={"train": train})
        yield Job(
            config,
            names=(prepared.scene.name, shown_name(config.model.name), config.split.kind),
            checksums=prepared.checksums,
            opening=opening,
            work=lambda run, log: _work(run, config, prepared, classifier, log, team),
            assist=lambda run: _assist(run, config, prepared, classifier, team),
        )


def _opening(config: ClassificationConfig, prepared: Prepared) -> list[str]:
    scene, split = prepared.scene, prepared.split
    if prepared.folds:
        parts = f"{len(split.test):,} pixels of {len(split.classes)} classes tested in "
        parts += f"{len(prepared.folds)} spatial folds of {split.layout}"
    else:
        parts = (
            f"{len(split.train):,} training and {len(split.test):,} test pixels of "
            f"{len(split.classes)} classes"
        )
    length = "" if config.model.name in CLASSICAL else epochs_text(config.train.epochs)
    denoised = [] if prepared.denoising is None else [f"{scene.name}: {prepared.denoising}"]
    guard = [] if prepared.guards is None else guard_lines(config, prepared.guards)
    first = opening(config, scene.name, parts, length, scene.unverified)
    bands, unlike = bands_left_out(scene), unlike_scenes(prepared)
    return [*first, *guard, *scene_lines(config, split), *bands, *denoised, *unlike]


def _work(
    run: Run,
    config: ClassificationConfig,
    prepared: Prepared,
    classifier: Classifier,
    observer: Observer,
    team: Team,
) -> None:
    if prepared.folds:
        return _work_on_folds(run, config, prepared, observer, team)
    started = time.monotonic()
    save_split(prepared.split, run.path / SPLIT)
    release_free_blocks()
    reduced = reduced_scene(classifier, prepared)
    release_free_blocks()
    checkpoint = run.path / CHECKPOINT
    training = fit(classifier, config, prepared, checkpoint, observer, team, reduced, run.identity)
    release_free_blocks()
    classifier.header = replace(classifier.header, **learnt(config, prepared))
    calibrate(classifier, config, prepared, reduced)
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
    judged = judge_test(saved, reduced, prepared, config, observer)
    dropout, name = None, shown_name(config.model.name)
    if config.evaluation.dropout_at_test and saved.has_dropout:
        dropout = dropout_spread(saved, reduced, prepared, config)
    elif config.evaluation.dropout_at_test:
        observer.message(f"evaluation.dropout_at_test: {name} has no dropout")
    del reduced
    release_free_blocks()
    searches: dict[str, Any] = {}
    baselines = run_baselines(config, prepared, observer, searches)
    search = searches_of(search_of(getattr(classifier, "model", None)), searches)
    costs = Costs(
        training_seconds=trained - started,
        epoch_seconds=training.seconds,
        map_seconds=mapped - trained,
        baseline_seconds=time.monotonic() - mapped,
    )
    outcome = Outcome(
        saved.parameter_count, training, classes, baselines, judged, dropout, search=search
    )
    write_results(run, config, prepared, outcome, costs, observer)


def _work_on_folds(
    run: Run, config: ClassificationConfig, prepared: Prepared, observer: Observer, team: Team
) -> None:
    """The same for a spatial cross-validation: a model of each fold, all scored together."""
    started = time.monotonic()
    release_free_blocks()
    trainings = fit_folds(run, config, prepared, observer, team)
    trained = time.monotonic()
    folds = folded_outcome(run, config, prepared, trainings, observer)
    costs = Costs(
        training_seconds=trained - started,
        epoch_seconds=[],
        map_seconds=time.monotonic() - trained,
        baseline_seconds=0.0,
    )
    write_results(run, config, prepared, Outcome.of_folds(folds), costs, observer)


def _assist(
    run: Run, config: ClassificationConfig, prepared: Prepared, classifier: Classifier, team: Team
) -> None:
    """What further processes do: the training alone."""
    if prepared.folds:
        fit_folds(run, config, prepared, Observer(), team)
    else:
        fit(classifier, config, prepared, run.path / CHECKPOINT, Observer(), team)


def evaluate(
    run: Run,
    observer: Observer,
    device: str | None,
    memory_limit: float | None,
    *,
    dropout_at_test: bool,
) -> dict[str, Any]:
    """The test scores once more, from the saved model and split; see `Recipe`."""
    return evaluate_classification(run, observer, device, memory_limit, dropout_at_test)
