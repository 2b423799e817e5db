"""Teach a network to take noise out of images: the stages, from a configuration to scores.

The page and the terminal's table are made by `tasks.denoising.definition`, from what is written
here; a trained denoiser is used by `hsi denoise`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ..engine.distributed import Team
from ..engine.observer import Observer
from ..models.network_file import shown_name
from ..runs.folder import MODEL, Run
from ..runs.machine import on_this_machine
from ..runs.task import Job
from ..runs.training import fit
from ..schemas.denoising import WITHOUT_SIGMA, DenoisingConfig
from ..tasks.denoising.denoiser import Denoiser, load_denoiser
from ..tasks.denoising.preparation import (
    initial_denoiser,
    load_training_images,
    starting_weights,
    training_task,
)
from ..tasks.denoising.scores import evaluate_denoiser
from ..tasks.denoising.task import ImageDenoising
from ..tasks.shared.opening import epochs_text, opening


def resolve(config: DenoisingConfig) -> DenoisingConfig:
    """Everything filled in that depends on the machine; see `Recipe`."""
    return config.model_copy(update=on_this_machine(config))


@contextmanager
def prepare(
    config: DenoisingConfig, observer: Observer, team: Team, memory_limit: float | None
) -> Iterator[Job]:
    """Images, an untrained denoiser, or one to go on from, and the task of training it."""
    images = load_training_images(config, observer)
    denoiser = initial_denoiser(config, images, config.streams)
    task = training_task(config, images, config.streams)
    parts = f"{len(task.train):,} training and {len(task.validation):,} validation images"
    length = f"{epochs_text(config.train.epochs)} of {config.train.steps_per_epoch:,} steps"
    yield Job(
        config,
        names=(images.name, shown_name(config.model.name), _noise_name(config)),
        checksums={images.name: images.sha256} | starting_weights(config),
        opening=opening(config, denoiser.header.dataset, parts, length),
        work=lambda run, log: _work(run, config, denoiser, task, log, team),
        assist=lambda run: fit(run, config, denoiser.network, task, Observer(), team),
    )


def _noise_name(config: DenoisingConfig) -> str:
    if config.noise.kind in (*WITHOUT_SIGMA, "mixture"):
        return config.noise.kind
    low, high = (f"{level:g}" for level in config.noise.sigma)
    kind = config.noise.kind.replace("_", "-")
    return f"{kind}-{low}" if low == high else f"{kind}-{low}-{high}"


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
    seconds = time.monotonic() - started
    # Imported late: a training does without what draws.
    from ..tasks.denoising.results import write_denoising_results

    write_denoising_results(run, config, saved, task, training, seconds)


def evaluate(
    run: Run,
    observer: Observer,
    device: str | None,
    memory_limit: float | None,
    *,
    dropout_at_test: bool,
) -> dict[str, Any]:
    """The scores of the validation images once more, from the saved model; see `Recipe`."""
    return evaluate_denoiser(run, observer, device)
