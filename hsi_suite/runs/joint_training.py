"""Several runs of one configuration trained at once, each then finished by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import torch

from ..atomic import write_json
from ..engine.checkpoint import ForeignCheckpointError
from ..engine.devices import computing
from ..engine.distributed import ALONE
from ..engine.joint import JointTrainer
from ..engine.observer import Observer
from ..engine.trainer import Trainer
from ..errors import HsiSuiteError, RunError
from ..models.building import running
from .folder import CHECKPOINT, ENVIRONMENT, TOGETHER, Run
from .life import begun
from .precisions import require_precisions
from .task import Config, Job
from .tasks import check_together, task_named

_Begun = tuple[Job, Run, Observer]


def train_together(
    configs: Sequence[Config], output: str | Path, observer: Observer | None = None
) -> None:
    """Train the networks of several runs at once; each is left as a finished checkpoint.

    `training.train` with the same configurations and `output` then finishes the runs, in any
    order and on several processes. Runs that are finished, or have a checkpoint of their own, are
    left alone; so is one that would be trained with no other, and one whose data cannot be had or
    whose training fails: trained alone, it says so itself.

    Args:
        configs: of runs that differ by their seeds alone.
        output: where run folders are made.
        observer: reports progress.

    Raises:
        ConfigError: they cannot be trained together.
        HsiSuiteError: as of `training.train`.
        Stopped: a stop was asked for; the same call goes on.
    """
    observer = observer or Observer()
    task = task_named(configs[0].task)
    check_together(task)
    configs = [task.resolve(config) for config in configs]
    first = configs[0]
    require_precisions(first)
    device, lower = torch.device(first.device), f"--together or {task.memory_keys}"
    with (
        computing(device, first.threads or 1, first.deterministic, lower),
        running(first.model.name),
        ExitStack() as held,
    ):
        jobs = _prepared(configs, observer, held)
        found = [held.enter_context(begun(job, Path(output), None, Observer())) for job in jobs]
        unfinished = [
            (job, run, log) for job, (run, log) in zip(jobs, found, strict=True) if log is not None
        ]
        if unfinished:
            _train(unfinished, observer)


def _prepared(configs: Sequence[Config], observer: Observer, held: ExitStack) -> list[Job]:
    """The jobs of those configurations whose data can be had."""
    task, jobs = task_named(configs[0].task), []
    for config in configs:
        try:
            jobs.append(held.enter_context(task.prepare(config, Observer(), ALONE, None)))
        except HsiSuiteError as error:
            observer.message(f"seed {config.seeds.base}: {error}; the others go on")
    return jobs


def _train(unfinished: Sequence[_Begun], observer: Observer) -> None:
    checkpoint = unfinished[0][1].path / TOGETHER
    chosen = list(unfinished)
    if not checkpoint.exists():
        chosen = [each for each in chosen if not (each[1].path / CHECKPOINT).exists()]
        if len(chosen) < 2:
            return
        checkpoint = chosen[0][1].path / TOGETHER
    trainers = [_trainer(*each, len(chosen)) for each in chosen]
    names = " ".join(run.identity for _, run, _ in chosen)
    identity = hashlib.sha256(names.encode()).hexdigest()[:8]
    try:
        JointTrainer(trainers, checkpoint, identity, observer).fit()
    except ForeignCheckpointError as error:
        raise RunError(
            checkpoint,
            "holds a training of other seeds at once",
            f"one of these {len(chosen)}",
            "give --together the number that it was begun with, or delete it to train from the "
            "start",
        ) from error


def _trainer(job: Job, run: Run, log: Observer, number: int) -> Trainer:
    """What trains a run with others; `number` of them, itself included."""
    write_json(run.path / ENVIRONMENT, Run(run.path).environment | {"together": number})
    log.message(f"trained at once with other seeds, {number} in all: the last digits differ")
    assert job.trainer is not None
    return job.trainer(run, log)
