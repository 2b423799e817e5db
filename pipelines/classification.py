"""`hsi train` for scenes: load, split, train, evaluate, write."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from ..atomic import write_json
from ..config import dump_yaml, validate
from ..data.splits import save_split
from ..engine.devices import computing
from ..engine.observer import Observer
from ..environment import compare_environments, describe_environment
from ..errors import RunError, Stopped
from ..runs import (
    CHECKPOINT,
    ENVIRONMENT,
    LOG,
    MODEL,
    SPLIT,
    Run,
    locked,
    open_run,
    prepare_run,
    run_identity,
    run_name,
)
from ..schemas.classification import ClassificationConfig
from .baselines import run_baselines
from .classifier import Classifier, load_classifier
from .configuration import resolve
from .evaluation import dropout_spread
from .fitting import fit, untrained
from .log import LogObserver
from .preparation import Prepared, prepare
from .results import Costs, Outcome, write_results


def train(
    config: ClassificationConfig,
    output: str | Path = "runs",
    observer: Observer | None = None,
    folder: Path | None = None,
) -> Run:
    """Train and evaluate one classifier; return its run.

    A finished run of the same identity is returned as it is; an unfinished one is continued.

    Args:
        config: see `classification_config`.
        output: where run folders are made.
        observer: hears of the progress.
        folder: the run's folder itself, when it is continued.

    Raises:
        HsiSuiteError: of any kind, before anything is written where that is possible.
        Stopped: a stop was asked for; the run can be continued.
    """
    observer = observer or Observer()
    config = resolve(config)
    with computing(torch.device(config.device), config.threads or 1, config.deterministic):
        prepared = prepare(config, observer)
        classifier = untrained(config, prepared)
        tree = config.model_dump(mode="json")
        identity = run_identity(tree, prepared.scene.checksums)
        name = run_name(
            prepared.scene.name, config.model.name, config.split.kind, config.seeds.base, identity
        )
        if folder is not None:
            output, name = folder.parent, folder.name
        run = prepare_run(Path(output), name, dump_yaml(config))
        with locked(run):
            if run.finished:
                observer.message(f"{run.path} is finished already; nothing to do")
                return run
            _describe(run, config, prepared, identity, observer)
            log = LogObserver(run.path / LOG, observer)
            try:
                _carry_out(run, config, prepared, classifier, log)
            except Stopped:
                raise Stopped(f"go on with: hsi train --resume {run.path}") from None
    return Run(run.path)


def resume(path: str | Path, observer: Observer | None = None) -> Run:
    """Continue the run in a folder from its own configuration.

    Raises:
        RunError: it is no run folder, or its data have changed.
    """
    run = open_run(path)
    config = validate(ClassificationConfig, run.config, run.path / "config.yaml")
    return train(config, observer=observer, folder=run.path)


def _describe(
    run: Run, config: ClassificationConfig, prepared: Prepared, identity: str, observer: Observer
) -> None:
    """Write what the run runs on, or compare it with what an interrupted run wrote."""
    facts = describe_environment(config.device, config.threads or 1)
    facts |= {"identity": identity, "data": dict(prepared.scene.checksums)}
    if not (run.path / ENVIRONMENT).exists():
        write_json(run.path / ENVIRONMENT, facts)
        save_split(prepared.split, run.path / SPLIT)
        return
    then = run.environment
    if then.get("identity") != identity:
        raise RunError(
            run.path,
            "the data or the configuration have changed since this run began",
            f"identity {then.get('identity')}, found {identity}",
            "start a new run",
        )
    for line in compare_environments(then, facts):
        observer.message(f"not the same environment as when this run began: {line}")


def _carry_out(
    run: Run,
    config: ClassificationConfig,
    prepared: Prepared,
    classifier: Classifier,
    observer: Observer,
) -> None:
    started = time.monotonic()
    training = fit(classifier, config, prepared, run.path / CHECKPOINT, observer)
    classifier.save(run.path / MODEL)
    # Results come from the file that prediction will read, not from what is in memory.
    saved = load_classifier(run.path / MODEL, torch.device(config.device), config.threads or 1)
    trained = time.monotonic()
    probabilities = saved.probabilities(
        prepared.scene.cube,
        prepared.scene.valid,
        batch_size=config.evaluation.batch_size,
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
    write_results(run, config, prepared, outcome, costs)
    (run.path / CHECKPOINT).unlink(missing_ok=True)
