"""`hsi train` for denoisers: images, noise, training, validation, what is written."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from ...config import load_tree, validate
from ...engine.distributed import Team
from ...engine.observer import Observer
from ...runs.folder import MODEL, Run
from ...runs.task import Job
from ...runs.training import fit
from ...schemas.denoising import DenoisingConfig
from ..shared.model_options import configured
from ..shared.named_options import named_keys, replace_source
from .denoiser import Denoiser, load_denoiser
from .preparation import (
    initial_denoiser,
    load_training_images,
    starting_weights,
    training_task,
)
from .results import write_denoising_results
from .task import ImageDenoising

_DEFAULT_MODEL = "residual_unet"
# What a user may name directly, and the key of the configuration that it sets.
_OPTIONS = {
    "images": ("data", "images"),
    "folder": ("data", "folder"),
    "model": ("model", "name"),
    "epochs": ("train", "epochs"),
    "seed": ("seeds", "base"),
    "device": ("device",),
    "threads": ("threads",),
}
_SOURCES = ("images", "folder")


def denoising_config(
    *,
    config: str = "denoising/default_denoiser",
    options: Mapping[str, Any] | None = None,
    settings: Sequence[str] = (),
) -> DenoisingConfig:
    """The configuration of a denoiser's training: a named one, options, then settings.

    Args:
        config: name or path of a configuration.
        options: images, folder, model, epochs, seed, device, threads; None leaves a key alone.
        settings: "a.b=c" texts, as of `--set`.

    Raises:
        ConfigError: a key or value is wrong.
    """
    tree = named_keys(options, _OPTIONS, "no option of a denoiser's training")
    replace_source(tree, _SOURCES, settings)
    given = configured(load_tree(config), tree, settings, _DEFAULT_MODEL)
    return validate(DenoisingConfig, given, config)


@contextmanager
def prepared_job(
    config: DenoisingConfig, observer: Observer, team: Team, memory_limit: float | None
) -> Iterator[Job]:
    """Images, an untrained denoiser, or one to go on from, and the task of training it."""
    images = load_training_images(config, observer)
    denoiser = initial_denoiser(config, images, config.streams)
    task = training_task(config, images, config.streams)
    yield Job(
        config,
        names=(images.name, config.model.name, _noise_name(config)),
        checksums={images.name: images.sha256} | starting_weights(config),
        opening=[_opening(config, denoiser, task)],
        work=lambda run, log: _work(run, config, denoiser, task, log, team),
        assist=lambda run: fit(run, config, denoiser.network, task, Observer(), team),
    )


def _noise_name(config: DenoisingConfig) -> str:
    if config.noise.kind == "camera":
        return "camera"
    low, high = (f"{level:g}" for level in config.noise.sigma)
    kind = config.noise.kind.replace("_", "-")
    return f"{kind}-{low}" if low == high else f"{kind}-{low}-{high}"


def _opening(config: DenoisingConfig, denoiser: Denoiser, task: ImageDenoising) -> str:
    """What is about to be done."""
    return (
        f"training {config.model.name} on {denoiser.header.dataset}: {len(task.train):,} training "
        f"and {len(task.validation):,} validation images, {config.train.epochs} epochs of "
        f"{config.train.steps_per_epoch:,} steps, seed {config.seeds.base}, on {config.device}"
    )


def _work(
    run: Run,
    config: DenoisingConfig,
    denoiser: Denoiser,
    task: ImageDenoising,
    observer: Observer,
    team: Team,
) -> None:
    started = time.monotonic()
    training = fit(run, config, denoiser.network, task, observer, team)
    denoiser.save(run.path / MODEL)
    # Results come from the file that `hsi denoise` will read, not from what is in memory.
    saved = load_denoiser(run.path / MODEL, torch.device(config.device))
    write_denoising_results(run, config, saved, task, training, time.monotonic() - started)
