"""From a user's options to a run, in as many processes as were launched: `hsi train`.

Torch is imported by what trains, not by what reads a configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..commands import suggested
from ..config import apply_settings, load_tree
from ..engine.observer import Observer
from ..errors import ConfigError, UnknownNameError
from ..unread_keys import refuse_unread_settings
from .folder import Run
from .task import Config, Task
from .tasks import task_for_data, task_named


def configure(
    *,
    config: str | None = None,
    settings: Sequence[str] = (),
    common: Sequence[str] = (),
    **options: Any,
) -> Config:
    """The configuration that a user's options describe; its `task` key says what is trained.

    Args:
        config: name or path of a configuration; None for a classification, of images where
            that is what the data set holds.
        settings: "a.b=c" texts, as of `--set`.
        common: the same before them, shared with trainings of other kinds, which may read keys that
            this one does not.
        options: as of `classification_config`, `denoising_config`,
            `image_classification_config` or `retrieval_config`; None leaves a key alone.

    Raises:
        ConfigError: a key or value is wrong, or nothing reads a key of the settings.
    """
    whole = [*common, *settings]
    made = task_meant(config, options.get("dataset"), whole).configure(config, options, whole)
    refuse_unread_settings(made, settings)
    return made


def complete(config: str) -> tuple[Config, str | None]:
    """A named configuration with every key, and what stands for the data set it does not name.

    Raises:
        ConfigError: a key or value is wrong.
    """
    stand_in = None if load_tree(config).get("data") else task_meant(config).stand_in
    return configure(config=config, dataset=stand_in), stand_in


def task_meant(
    config: str | None, dataset: str | None = None, settings: Sequence[str] = ()
) -> Task:
    """The task that a configuration names, or a data set means.

    Args:
        config: name or path; None for the data set alone.
        dataset: a registered one, or None.
        settings: as of `configure`.

    Raises:
        ConfigError: there is no such configuration, or it is of no known task.
    """
    named = None
    if config is not None:
        named = apply_settings(load_tree(config), settings).get("task")
    if named is None:
        return task_for_data(dataset)
    try:
        return task_named(str(named))
    except UnknownNameError as error:
        found, remedy = f"{named!r}", error.remedy
        if named == "batch":
            found, remedy = "a batch", f"carry it out with {suggested('batch', config)}"
        raise ConfigError(f"{config}: task", found, error.expected, remedy) from None


def start(
    config: Config,
    output: str | Path,
    observer: Observer | None = None,
    memory_limit: float | None = None,
) -> Run:
    """Carry out the run that a configuration describes.

    Under torchrun the processes share it: the first one writes and notifies the observer, and all
    return when it has finished.

    Args:
        config: describes it.
        output: where run folders are made.
        observer: reports progress.
        memory_limit: bytes for each process, of a classification of scenes; None takes 2 GB, in
            which a step of the training does not count.
    """
    from ..engine.distributed import together
    from . import training

    with together() as team:
        listener = observer if team.first else None
        return training.train(config, output, listener, team=team, memory_limit=memory_limit)


def resume(
    path: str | Path,
    observer: Observer | None = None,
    memory_limit: float | None = None,
    device: str | None = None,
) -> Run:
    """Continue the run in a folder from its own configuration, by any number of processes.

    Args:
        path: the folder.
        observer: reports progress.
        memory_limit: as of `start`.
        device: auto, cpu, cuda or cuda:N in the place of the one that the run was begun with;
            the last digits then differ from an unbroken run's.

    Raises:
        DeviceError: the device is not there.
        RunError: it is no run folder, or its data have changed.
    """
    from ..engine.distributed import together
    from . import training

    with together() as team:
        listener = observer if team.first else None
        return training.resume(path, listener, team, memory_limit, device)


def train(
    *,
    output: str | Path = "runs",
    observer: Observer | None = None,
    memory_limit: float | None = None,
    **options: Any,
) -> Run:
    """Train and evaluate; see `hsi train --help`.

    Args:
        output: where run folders are made.
        observer: reports progress; None reports nothing.
        memory_limit: as of `start`.
        options: as of `configure`, for example dataset="synthetic", split="disjoint", seed=1,
            baselines=["svm"], settings=["train.epochs=10"]; or
            config="denoising/default_denoiser".

    Returns:
        The finished run: `run.metrics`, `run.history`, `run.label_map`, `run.path`.

    Raises:
        HsiSuiteError: something is wrong with the options, the data or the output.
    """
    return start(configure(**options), output, observer, memory_limit)
