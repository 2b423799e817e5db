"""`hsi train` for images with one class each: load, divide, train, evaluate, write."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ...config import config_names, load_tree, validate
from ...data.splits import save_split
from ...engine.distributed import Team
from ...engine.observer import Observer
from ...reports.content import unverified_text
from ...runs.folder import MODEL, SPLIT, Run
from ...runs.machine import on_this_machine
from ...runs.task import Job
from ...runs.training import fit
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


@contextmanager
def prepared_job(
    config: ImageClassificationConfig,
    observer: Observer,
    team: Team,
    memory_limit: float | None,
) -> Iterator[Job]:
    """Images, their parts, an untrained classifier and the task of training it."""
    prepared = prepare_images(config, observer)
    classifier = untrained_images_classifier(config, prepared)
    task = training_task(config, prepared, classifier)
    yield Job(
        config,
        names=(prepared.images.name, config.model.name, prepared.split.kind),
        checksums=prepared.images.checksums,
        opening=_opening(config, prepared),
        work=lambda run, log: _work(run, config, prepared, classifier, task, log, team),
        assist=lambda run: fit(run, config, classifier.network, task, Observer(), team),
    )


def _opening(config: ImageClassificationConfig, prepared: PreparedImages) -> list[str]:
    """What is about to be done, and what to know of the images."""
    images, split = prepared.images, prepared.split
    what = (
        f"training {config.model.name} on {images.name}: {len(split.train):,} training "
        f"and {len(split.test):,} test images of {len(images.class_names)} classes, "
        f"{config.train.epochs} epochs, seed {config.seeds.base}, on {config.device}"
    )
    return [what, *([unverified_text(images.unverified)] if images.unverified else [])]


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
    save_split(prepared.split, run.path / SPLIT)
    training = fit(run, config, classifier.network, task, observer, team)
    classifier.save(run.path / MODEL)
    seconds = time.monotonic() - started
    # Results come from the file that will be used, not from what is in memory.
    saved = load_image_classifier(run.path / MODEL, torch.device(config.device))
    write_image_results(run, config, prepared, saved, training, seconds, observer)
