"""One way to train for every task: prepare, carry out in a folder, go on after a stop."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from ..config import validate
from ..engine.devices import computing
from ..engine.distributed import ALONE, Team
from ..engine.observer import Observer
from ..engine.task import TrainingTask
from ..engine.trainer import Trainer, Training
from ..errors import ConfigError
from ..models.building import running
from .cost import metered, prepared
from .folder import CHECKPOINT, CONFIG, Run, open_run
from .life import carry_out
from .machine import forget_peak_device_memory, on_device
from .own_network import with_kept_network
from .precisions import require_precisions
from .task import Config, Task
from .tasks import task_named, task_of


def train(
    config: Config,
    output: str | Path = "runs",
    observer: Observer | None = None,
    folder: Path | None = None,
    team: Team = ALONE,
    memory_limit: float | None = None,
    begun_on: str | None = None,
) -> Run:
    """Carry out the run that a configuration of any task describes.

    A finished run of the same identity is returned as it is; an unfinished one is continued.

    Args:
        config: describes it; its key `task` says what is trained.
        output: where run folders are made.
        observer: reports progress.
        folder: the run's folder itself, when it is continued.
        team: the processes that share the training.
        memory_limit: bytes for each process, where the task keeps within a limit; the run does
            not depend on it.
        begun_on: see `carry_out`.

    Raises:
        HsiSuiteError: of any kind, before anything is written where that is possible.
        Stopped: a stop was asked for; the run can be continued.
    """
    task, observer = task_named(config.task), observer or Observer()
    _check_limit(task, memory_limit)
    config = task.resolve(config)
    if begun_on in (None, config.device):
        require_precisions(config)
    forget_peak_device_memory()
    device, threads = torch.device(config.device), config.threads or 1
    with (
        metered(),
        computing(device, threads, config.deterministic, task.memory_keys),
        task.prepare(config, observer, team, memory_limit) as job,
    ):
        prepared()
        return carry_out(job, Path(output), folder, observer, team, begun_on)


def resume(
    path: str | Path,
    observer: Observer | None = None,
    team: Team = ALONE,
    memory_limit: float | None = None,
    device: str | None = None,
) -> Run:
    """Continue the run in a folder from its own configuration, perhaps on another device.

    Raises:
        DeviceError: the device is not there.
        RunError: it is no run folder, or its data have changed.
    """
    run = open_run(path)
    task = task_of(run)
    config = with_kept_network(validate(task.schema, run.config, run.path / CONFIG), run)
    return train(
        on_device(config, device),
        observer=observer,
        folder=run.path,
        team=team,
        memory_limit=memory_limit,
        begun_on=config.device,
    )


def fit(
    run: Run,
    config: Config,
    network: nn.Module,
    task: TrainingTask,
    observer: Observer,
    team: Team,
) -> Training:
    """Train a network in a run's folder, from its checkpoint on where there is one.

    Args:
        run: the folder.
        config: resolved, with the section `train`.
        network: is trained in place.
        task: gives batches and losses.
        observer: reports progress.
        team: the processes that share the training.
    """
    with running(config.model.name):
        return trainer(run, config, network, task, observer, team).fit()


def trainer(
    run: Run,
    config: Config,
    network: nn.Module,
    task: TrainingTask,
    observer: Observer,
    team: Team = ALONE,
) -> Trainer:
    """What `fit` trains with; see there."""
    return Trainer(
        network,
        task,
        config.train,
        config.streams,
        torch.device(config.device),
        run.path / CHECKPOINT,
        observer,
        team,
        run.identity,
    )


def _check_limit(task: Task, memory_limit: float | None) -> None:
    if memory_limit is not None and not task.limits_memory:
        raise ConfigError("--memory-limit", f"task {task.name!r}", "a classification of scenes")
