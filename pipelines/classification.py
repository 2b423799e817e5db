"""`hsi train` for scenes: load, split, train, evaluate, write."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import torch

from ..config import validate
from ..data.splits import save_split
from ..engine.devices import computing
from ..engine.distributed import ALONE, Team
from ..engine.observer import Observer
from ..runs import CHECKPOINT, CONFIG, MODEL, SPLIT, Run, open_run
from ..schemas.classification import ClassificationConfig
from .baselines import run_baselines
from .classifier import Classifier, load_classifier
from .configuration import resolve
from .evaluation import dropout_spread
from .fitting import fit, plan, untrained
from .lifecycle import carry_out
from .preparation import Prepared, prepare
from .results import Costs, Outcome, write_results


def train(
    config: ClassificationConfig,
    output: str | Path = "runs",
    observer: Observer | None = None,
    folder: Path | None = None,
    team: Team = ALONE,
) -> Run:
    """Train and evaluate one classifier; return its run.

    A finished run of the same identity is returned as it is; an unfinished one is continued.

    Args:
        config: see `classification_config`.
        output: where run folders are made.
        observer: hears of the progress.
        folder: the run's folder itself, when it is continued.
        team: the processes that share the training.

    Raises:
        HsiSuiteError: of any kind, before anything is written where that is possible.
        Stopped: a stop was asked for; the run can be continued.
    """
    observer = observer or Observer()
    config = resolve(config)
    with computing(torch.device(config.device), config.threads or 1, config.deterministic):
        prepared = prepare(config, observer)
        classifier = untrained(config, prepared)
        config = _with_strategy(config, plan(classifier, config, prepared).strategy)
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
        )


def resume(path: str | Path, observer: Observer | None = None, team: Team = ALONE) -> Run:
    """Continue the run in a folder from its own configuration.

    Raises:
        RunError: it is no run folder, or its data have changed.
    """
    run = open_run(path)
    config = validate(ClassificationConfig, run.config, run.path / CONFIG)
    return train(config, observer=observer, folder=run.path, team=team)


def _with_strategy(
    config: ClassificationConfig, strategy: Literal["patch", "dense"]
) -> ClassificationConfig:
    train = config.train.model_copy(update={"strategy": strategy})
    return config.model_copy(update={"train": train})


def _work(
    run: Run,
    config: ClassificationConfig,
    prepared: Prepared,
    classifier: Classifier,
    observer: Observer,
    team: Team,
) -> None:
    started = time.monotonic()
    if prepared.denoising is not None:
        observer.message(f"{prepared.scene.name}: {prepared.denoising}")
    save_split(prepared.split, run.path / SPLIT)
    training = fit(classifier, config, prepared, run.path / CHECKPOINT, observer, team)
    classifier.save(run.path / MODEL)
    # Results come from the file that prediction will read, not from what is in memory.
    saved = load_classifier(run.path / MODEL, torch.device(config.device), config.threads or 1)
    trained = time.monotonic()
    probabilities = saved.probabilities(
        prepared.scene.cube,
        prepared.scene.valid,
        batch_size=config.evaluation.batch_size,
        precision=config.evaluation.precision,
        observer=observer,
    )
    mapped = time.monotonic()
    baselines = run_baselines(config, prepared, observer)
    dropout = dropout_spread(saved, prepared, config) if config.evaluation.dropout_at_test else None
    costs = Costs(
        training_seconds=trained - started,
        epoch_seconds=training.seconds,
        map_seconds=mapped - trained,
        baseline_seconds=time.monotonic() - mapped,
    )
    outcome = Outcome(saved, training, probabilities, baselines, dropout)
    write_results(run, config, prepared, outcome, costs, observer)
    (run.path / CHECKPOINT).unlink(missing_ok=True)
