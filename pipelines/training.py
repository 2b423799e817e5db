"""One door for every task: `hsi train` and `hsi_suite.train`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..config import apply_settings, load_tree
from ..data.labelled_images import IMAGE_CLASSES
from ..engine.distributed import together
from ..engine.observer import Observer
from ..errors import ConfigError
from ..runs.folder import Run, open_run
from ..schemas.classification import ClassificationConfig
from ..schemas.denoising import DenoisingConfig
from ..schemas.image_classification import ImageClassificationConfig
from ..schemas.retrieval import RetrievalConfig
from ..tasks.denoising import training as denoising
from ..tasks.images import training as image_classification
from ..tasks.retrieval import training as retrieval
from ..tasks.scenes import training as classification
from ..tasks.scenes.configuration import classification_config

Config = ClassificationConfig | DenoisingConfig | ImageClassificationConfig | RetrievalConfig
_TASKS = ("classification", "denoising", "image_classification", "retrieval")


def configure(*, config: str | None = None, settings: Sequence[str] = (), **options: Any) -> Config:
    """The configuration that a user's options describe; its `task` key says what is trained.

    Args:
        config: name or path of a configuration; None for a classification, of images where
            that is what the data set holds.
        settings: "a.b=c" texts, as of `--set`.
        options: as of `classification_config`, `denoising_config`,
            `image_classification_config` or `retrieval_config`; None leaves a key alone.

    Raises:
        ConfigError: a key or value is wrong.
    """
    task = "image_classification" if options.get("dataset") in IMAGE_CLASSES else "classification"
    if config is not None:
        task = apply_settings(load_tree(config), settings).get("task", task)
    if task == "classification":
        return classification_config(config=config, settings=settings, **options)
    if task == "denoising" and config is not None:
        return denoising.denoising_config(config=config, settings=settings, options=options)
    if task == "retrieval" and config is not None:
        return retrieval.retrieval_config(config=config, settings=settings, options=options)
    if task == "image_classification":
        return image_classification.image_classification_config(
            config=config, settings=settings, options=options
        )
    found = "a batch, which `hsi batch` carries out" if task == "batch" else f"task {task!r}"
    raise ConfigError(f"{config}: task", found, f"one of {', '.join(_TASKS)}")


def start(
    config: Config,
    output: str | Path,
    observer: Observer | None = None,
    memory_limit: float | None = None,
) -> Run:
    """Carry out the run that a configuration describes.

    Under torchrun the processes share it: the first one writes and tells the observer, and all
    return when it has finished.

    Args:
        config: describes it.
        output: where run folders are made.
        observer: hears of the progress.
        memory_limit: bytes for each process, of a classification of scenes; None takes 2 GB, in
            which a step of the training does not count.
    """
    with together() as team:
        listener = observer if team.first else None
        if isinstance(config, ClassificationConfig):
            return classification.train(
                config, output, listener, team=team, memory_limit=memory_limit
            )
        _refuse_memory_limit(config.task, memory_limit)
        if isinstance(config, ImageClassificationConfig):
            return image_classification.train(config, output, listener, team=team)
        if isinstance(config, RetrievalConfig):
            return retrieval.train(config, output, listener, team=team)
        return denoising.train(config, output, listener, team=team)


def _refuse_memory_limit(task: object, memory_limit: float | None) -> None:
    if memory_limit is not None:
        raise ConfigError("--memory-limit", f"task {task!r}", "a classification of scenes")


def resume(
    path: str | Path,
    observer: Observer | None = None,
    memory_limit: float | None = None,
    device: str | None = None,
) -> Run:
    """Continue the run in a folder from its own configuration, by any number of processes.

    Args:
        path: the folder.
        observer: hears of the progress.
        memory_limit: as of `start`.
        device: auto, cpu, cuda or cuda:N in the place of the one that the run was begun with;
            the last digits then differ from an unbroken run's.

    Raises:
        DeviceError: the device is not there.
        RunError: it is no run folder, or its data have changed.
    """
    with together() as team:
        listener = observer if team.first else None
        task = open_run(path).config.get("task")
        if task in _TASKS[1:]:
            _refuse_memory_limit(task, memory_limit)
        if task == "denoising":
            return denoising.resume(path, listener, team, device)
        if task == "image_classification":
            return image_classification.resume(path, listener, team, device)
        if task == "retrieval":
            return retrieval.resume(path, listener, team, device)
        return classification.resume(path, listener, team, memory_limit, device)


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
        observer: hears of the progress; None keeps quiet.
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
