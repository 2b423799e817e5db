"""`hsi train` for denoisers: images, noise, training, validation, what is written."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ...config import load_tree, validate
from ...engine.devices import computing
from ...engine.distributed import ALONE, Team
from ...engine.observer import Observer
from ...engine.trainer import Trainer, Training
from ...runs.folder import CHECKPOINT, CONFIG, MODEL, Run, open_run
from ...runs.life import carry_out
from ...runs.machine import on_device, on_this_machine
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


def train(
    config: DenoisingConfig,
    output: str | Path = "runs",
    observer: Observer | None = None,
    folder: Path | None = None,
    team: Team = ALONE,
    begun_on: str | None = None,
) -> Run:
    """Train one denoiser; return its run.

    A finished run of the same identity is returned as it is; an unfinished one is continued.

    Args:
        config: see `denoising_config`.
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
    config = config.model_copy(update=on_this_machine(config))
    with computing(torch.device(config.device), config.threads or 1, config.deterministic):
        images = load_training_images(config, observer)
        seeds = config.streams
        denoiser = initial_denoiser(config, images, seeds)
        task = training_task(config, images, seeds)
        return carry_out(
            config,
            names=(images.name, config.model.name, _noise_name(config)),
            checksums={images.name: images.sha256} | starting_weights(config),
            output=Path(output),
            folder=folder,
            observer=observer,
            work=lambda run, log: _work(run, config, denoiser, task, log, team),
            team=team,
            assist=lambda run: _fit(run, config, denoiser, task, Observer(), team),
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
    config = validate(DenoisingConfig, run.config, run.path / CONFIG)
    return train(
        on_device(config, device),
        observer=observer,
        folder=run.path,
        team=team,
        begun_on=config.device,
    )


def _noise_name(config: DenoisingConfig) -> str:
    if config.noise.kind == "camera":
        return "camera"
    low, high = (f"{level:g}" for level in config.noise.sigma)
    kind = config.noise.kind.replace("_", "-")
    return f"{kind}-{low}" if low == high else f"{kind}-{low}-{high}"


def _fit(
    run: Run,
    config: DenoisingConfig,
    denoiser: Denoiser,
    task: ImageDenoising,
    observer: Observer,
    team: Team,
) -> Training:
    device = torch.device(config.device)
    return Trainer(
        denoiser.network,
        task,
        config.train,
        task.seeds,
        device,
        run.path / CHECKPOINT,
        observer,
        team,
        run.identity,
    ).fit()


def _work(
    run: Run,
    config: DenoisingConfig,
    denoiser: Denoiser,
    task: ImageDenoising,
    observer: Observer,
    team: Team,
) -> None:
    started = time.monotonic()
    observer.message(
        f"training {config.model.name} on {denoiser.header.dataset}: {len(task.train):,} training "
        f"and {len(task.validation):,} validation images, {config.train.epochs} epochs of "
        f"{config.train.steps_per_epoch:,} steps, seed {config.seeds.base}, on {config.device}"
    )
    training = _fit(run, config, denoiser, task, observer, team)
    denoiser.save(run.path / MODEL)
    # Results come from the file that `hsi denoise` will read, not from what is in memory.
    saved = load_denoiser(run.path / MODEL, torch.device(config.device))
    write_denoising_results(run, config, saved, task, training, time.monotonic() - started)
    (run.path / CHECKPOINT).unlink(missing_ok=True)
