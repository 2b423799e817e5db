"""`hsi train` for images with one class each: load, divide, train, evaluate, write."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ...config import config_names, load_tree, validate
from ...data.splits import save_split
from ...engine.devices import computing
from ...engine.distributed import ALONE, Team
from ...engine.observer import Observer
from ...engine.trainer import Trainer, Training
from ...reports.content import unverified_text
from ...runs.folder import CHECKPOINT, CONFIG, MODEL, SPLIT, Run, open_run
from ...runs.life import carry_out
from ...runs.machine import on_device, on_this_machine
from ...schemas.image_classification import ImageClassificationConfig
from ..shared.model_options import configured
from ..shared.named_options import named_keys, replace_source
from .classifier import ImageClassifier, load_image_classifier
from .preparation import (
    PreparedImages,
    prepare_images,
    registered_size,
    training_task,
    untrained_images_classifier,
)
from .results import write_image_results
from .task import ImageClassification

_FOLDER = "image_classification"
_DEFAULT_MODEL = "resnet_20"
# What a user may name directly, and the key of the configuration that it sets.
_OPTIONS = {
    "dataset": ("data", "dataset"),
    "folder": ("data", "folder"),
    "allow_unverified": ("data", "allow_unverified"),
    "model": ("model", "name"),
    "epochs": ("train", "epochs"),
    "seed": ("seeds", "base"),
    "device": ("device",),
    "threads": ("threads",),
}
_SOURCES = ("dataset", "folder")


def image_classification_config(
    *,
    config: str | None = None,
    options: Mapping[str, Any] | None = None,
    settings: Sequence[str] = (),
) -> ImageClassificationConfig:
    """The configuration of a training on labelled images.

    The most special shipped configuration for the model and the data set is the base, unless one
    is named; then come the options, then the settings.

    Args:
        config: name or path of a configuration.
        options: dataset, folder, allow_unverified, model, epochs, seed, device, threads; None
            leaves a key alone.
        settings: "a.b=c" texts, as of `--set`.

    Raises:
        ConfigError: a key or value is wrong.
    """
    tree = named_keys(options, _OPTIONS, "no option of image classification")
    replace_source(tree, _SOURCES)
    named = options or {}
    source = config or _shipped_for(named.get("dataset"), named.get("model"))
    given = configured(load_tree(source), tree, settings, _DEFAULT_MODEL)
    return validate(ImageClassificationConfig, given, source)


def _shipped_for(dataset: str | None, model: str | None) -> str:
    names = config_names()
    if dataset is None:
        return f"{_FOLDER}/folder"
    special = f"{_FOLDER}/{model}_{dataset}"
    return special if special in names else f"{_FOLDER}/{dataset}"


def resolve(config: ImageClassificationConfig) -> ImageClassificationConfig:
    """The configuration with everything filled in that depends on the machine or on other keys.

    Raises:
        DeviceError: the device is not there.
        UnknownNameError: no such data set.
    """
    data = config.data
    changed: dict[str, Any] = {}
    if data.dataset is not None and data.size is None:
        changed["size"] = registered_size(data.dataset)
    if data.folder is not None:
        # In full, so that a run can be continued from anywhere.
        changed["folder"] = str(Path(data.folder).absolute())
    return config.model_copy(
        update={
            **on_this_machine(config),
            "data": data.model_copy(update=changed),
        }
    )


def train(
    config: ImageClassificationConfig,
    output: str | Path = "runs",
    observer: Observer | None = None,
    folder: Path | None = None,
    team: Team = ALONE,
    begun_on: str | None = None,
) -> Run:
    """Train and evaluate one classifier of images; return its run.

    A finished run of the same identity is returned as it is; an unfinished one is continued.

    Args:
        config: see `image_classification_config`.
        output: where run folders are made.
        observer: hears of the progress.
        folder: the run's folder itself, when it is continued.
        team: the processes that share the training.
        begun_on: see `carry_out`.

    Raises:
        HsiSuiteError: of any kind, before anything is written where that is possible.
        Stopped: a stop was asked for; the run can be continued.
    """
    observer = observer or Observer()
    config = resolve(config)
    with computing(torch.device(config.device), config.threads or 1, config.deterministic):
        prepared = prepare_images(config, observer)
        classifier = untrained_images_classifier(config, prepared)
        task = training_task(config, prepared, classifier)
        return carry_out(
            config,
            names=(prepared.images.name, config.model.name, prepared.split.kind),
            checksums=prepared.images.checksums,
            output=Path(output),
            folder=folder,
            observer=observer,
            work=lambda run, log: _work(run, config, prepared, classifier, task, log, team),
            team=team,
            assist=lambda run: _fit(run, config, classifier, task, Observer(), team),
            begun_on=begun_on,
        )


def resume(
    path: str | Path,
    observer: Observer | None = None,
    team: Team = ALONE,
    device: str | None = None,
) -> Run:
    """Continue the run in a folder from its own configuration, perhaps on another device.

    Raises:
        RunError: it is no run folder, or its images have changed.
    """
    run = open_run(path)
    config = validate(ImageClassificationConfig, run.config, run.path / CONFIG)
    return train(
        on_device(config, device),
        observer=observer,
        folder=run.path,
        team=team,
        begun_on=config.device,
    )


def _fit(
    run: Run,
    config: ImageClassificationConfig,
    classifier: ImageClassifier,
    task: ImageClassification,
    observer: Observer,
    team: Team,
) -> Training:
    return Trainer(
        classifier.network,
        task,
        config.train,
        task.seeds,
        torch.device(config.device),
        run.path / CHECKPOINT,
        observer,
        team,
        run.identity,
    ).fit()


def _work(
    run: Run,
    config: ImageClassificationConfig,
    prepared: PreparedImages,
    classifier: ImageClassifier,
    task: ImageClassification,
    observer: Observer,
    team: Team,
) -> None:
    started = time.monotonic()
    split = prepared.split
    observer.message(
        f"training {config.model.name} on {prepared.images.name}: {len(split.train):,} training "
        f"and {len(split.test):,} test images of {len(prepared.images.class_names)} classes, "
        f"{config.train.epochs} epochs, seed {config.seeds.base}, on {config.device}"
    )
    if prepared.images.unverified:
        observer.message(unverified_text(prepared.images.unverified))
    save_split(prepared.split, run.path / SPLIT)
    training = _fit(run, config, classifier, task, observer, team)
    classifier.save(run.path / MODEL)
    seconds = time.monotonic() - started
    # Results come from the file that will be used, not from what is in memory.
    saved = load_image_classifier(run.path / MODEL, torch.device(config.device))
    write_image_results(run, config, prepared, saved, training, seconds, observer)
    (run.path / CHECKPOINT).unlink(missing_ok=True)
