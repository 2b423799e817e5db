"""Several runs of one configuration trained at once, each then finished by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import torch

from ..engine.devices import computing
from ..engine.distributed import ALONE
from ..engine.joint import JointTrainer
from ..engine.observer import Observer
from ..engine.trainer import Trainer
from ..errors import ConfigError
from ..models.building import running
from .folder import CHECKPOINT, TOGETHER, Run
from .life import begun
from .precisions import require_precisions
from .task import Config, Job
from .tasks import task_named


def check_together(config: Config) -> None:
    """Refuse what is not trained together.

    Raises:
        ConfigError: the task does not offer it.
    """
    if not task_named(config.task).trains_together:
        raise ConfigError(
            "together",
            f"several seeds of {config.task}",
            "retrieval or image_classification",
            "leave it out",
        )


def train_together(
    configs: Sequence[Config], output: str | Path, observer: Observer | None = None
) -> None:
    """Train the networks of several runs at once; each is left as a finished checkpoint.

    `training.train` with the same configurations and `output` then finishes the runs, in any
    order and on several processes. Runs that are finished, or have a checkpoint of their own, are
    left alone; so is one that would be trained with no other.

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
    check_together(configs[0])
    task = task_named(configs[0].task)
    configs = [task.resolve(config) for config in configs]
    first = configs[0]
    require_precisions(first)
    device = torch.device(first.device)
    with (
        computing(device, first.threads or 1, first.deterministic, task.memory_keys),
        running(first.model.name),
        ExitStack() as held,
    ):
        jobs = [held.enter_context(task.prepare(each, Observer(), ALONE, None)) for each in configs]
        found = [_trainer(job, Path(output), len(jobs), held) for job in jobs]
        begun_here = [each for each in found if each is not None]
        if begun_here:
            _train(begun_here, observer)


def _trainer(job: Job, output: Path, number: int, held: ExitStack) -> tuple[Run, Trainer] | None:
    """A run that is to be trained, with its trainer; None where there is nothing to do."""
    run, log = held.enter_context(begun(job, output, None, Observer(), together=number))
    if log is None:
        return None
    assert job.trainer is not None
    log.message(f"trained at once with other seeds, {number} in all: the last digits differ")
    return run, job.trainer(run, log)


def _train(found: Sequence[tuple[Run, Trainer]], observer: Observer) -> None:
    checkpoint = found[0][0].path / TOGETHER
    if not checkpoint.exists():
        found = [(run, each) for run, each in found if not (run.path / CHECKPOINT).exists()]
        if len(found) < 2:
            return
        checkpoint = found[0][0].path / TOGETHER
    names = " ".join(run.identity for run, _ in found)
    identity = hashlib.sha256(names.encode()).hexdigest()[:8]
    JointTrainer([trainer for _, trainer in found], checkpoint, identity, observer).fit()
