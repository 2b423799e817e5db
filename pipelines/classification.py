"""Classify every pixel of a scene: the stages of the task, from a configuration to scores.

The page and the terminal's table are made by `tasks.scenes.definition`, from what is written here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import torch

from ..data.splits import save_split
from ..engine.allocation import release_free_blocks
from ..engine.distributed import Team
from ..engine.observer import Observer
from ..models.network_file import shown_name
from ..runs.folder import CHECKPOINT, CHOICE, MODEL, SPLIT, Run
from ..runs.task import Job
from ..schemas.classification import ClassificationConfig
from ..tasks.scenes import configuration
from ..tasks.scenes.baselines import run_baselines
from ..tasks.scenes.calibrating import calibrate
from ..tasks.scenes.classifier import Classifier
from ..tasks.scenes.classifier_loading import load_classifier
from ..tasks.scenes.evaluation import asked_dropout, whole_map
from ..tasks.scenes.fitting import fit, reduced_scene, untrained
from ..tasks.scenes.fold_training import fit_folds
from ..tasks.scenes.fold_work import work_on_folds
from ..tasks.scenes.held_out import Keeping
from ..tasks.scenes.judging import judge_test
from ..tasks.scenes.opening_lines import opening_lines
from ..tasks.scenes.preparation import Prepared
from ..tasks.scenes.preparation import prepare as prepare_scene
from ..tasks.scenes.run_evaluation import evaluate_classification
from ..tasks.scenes.scene_domain import learnt
from ..tasks.scenes.scene_files import settled_data
from ..tasks.scenes.searching import search_of, searches_of
from ..tasks.scenes.settling import chosen, settled
from ..tasks.scenes.training_memory import MemoryLimit


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
        opening = opening_lines(config, prepared)
        config, classifier = settled(config, prepared, team, memory)
        yield Job(
            config,
            names=(prepared.scene.name, shown_name(config.model.name), config.split.kind),
            checksums=prepared.checksums,
            opening=opening,
            work=lambda run, log: _work(run, config, prepared, classifier, log, team),
            assist=lambda run: _assist(run, config, prepared, classifier, team),
        )


def _work(
    run: Run,
    asked: ClassificationConfig,
    prepared: Prepared,
    classifier: Classifier | None,
    observer: Observer,
    team: Team,
) -> None:
    if prepared.folds:
        return work_on_folds(run, asked, prepared, observer, team)
    started = time.monotonic()
    save_split(prepared.split, run.path / SPLIT)
    config, prepared, choice = chosen(asked, prepared, observer, run.path / CHOICE)
    classifier = classifier or untrained(config, prepared)
    release_free_blocks()
    reduced = reduced_scene(classifier, prepared)
    release_free_blocks()
    checkpoint = run.path / CHECKPOINT
    training = fit(classifier, config, prepared, checkpoint, observer, team, reduced, run.identity)
    release_free_blocks()
    classifier.header = replace(classifier.header, **learnt(config, prepared))
    calibrate(classifier, config, prepared, reduced, Keeping(observer, checkpoint, run.identity))
    classifier.save(run.path / MODEL)
    # Results come from the file that prediction will read, not from what is in memory.
    saved = load_classifier(run.path / MODEL, torch.device(config.device), config.threads or 1)
    trained = time.monotonic()
    classes = whole_map(saved, reduced, prepared, config, observer)
    mapped = time.monotonic()
    release_free_blocks()
    judged = judge_test(saved, reduced, prepared, config, observer)
    dropout = asked_dropout(saved, reduced, prepared, config, observer)
    tested = time.monotonic()
    del reduced
    release_free_blocks()
    searches: dict[str, Any] = {}
    baselines = run_baselines(asked, prepared, observer, searches)
    search = searches_of(search_of(getattr(classifier, "model", None)), searches)
    compared = time.monotonic()
    # Imported late: a training does without what draws.
    from ..tasks.scenes.results import Costs, Outcome, write_results

    costs = Costs(
        training_seconds=trained - started,
        epoch_seconds=training.seconds,
        stages={
            "map_seconds": mapped - trained,
            "test_seconds": tested - mapped,
            "baseline_seconds": compared - tested,
        },
        candidate_seconds=choice.seconds if choice else {},
    )
    outcome = Outcome(
        saved.parameter_count, training, classes, baselines, judged, dropout, search=search,
        choices=[choice.facts] if choice else [],
    )  # fmt: skip
    write_results(run, asked, prepared, outcome, costs, observer)
    (run.path / CHOICE).unlink(missing_ok=True)


def _assist(
    run: Run, config: ClassificationConfig, prepared: Prepared, model: Classifier | None, team: Team
) -> None:
    """What further processes do: the training alone."""
    if prepared.folds:
        fit_folds(run, config, prepared, Observer(), team)
    else:
        assert model is not None
        fit(model, config, prepared, run.path / CHECKPOINT, Observer(), team)


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
