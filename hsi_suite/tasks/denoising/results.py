"""What a finished training of a denoiser leaves in its folder."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from ...atomic import write_text
from ...engine.trainer import Training
from ...metrics.measures import measure
from ...metrics.restoration import peak_signal_noise_ratio
from ...models.network_file import shown_name
from ...operation_count import OperationCount
from ...reports.denoising.content import level_text, middle_level
from ...reports.drawing import house_style, save_png
from ...reports.figures import has_curves, learning_curves_figure
from ...runs.cost import judged_cost
from ...runs.folder import CURVES, HISTORY, Run, csv_text
from ...runs.pages import PageFacts, finish_run
from ...schemas.denoising import DenoisingConfig
from .definition import PICTURE
from .denoiser import Denoiser
from .evaluation import Clean, to_batch
from .task import ImageDenoising

_PICTURES = 4
_SIDE = 64


def write_denoising_results(
    run: Run,
    config: DenoisingConfig,
    denoiser: Denoiser,
    task: ImageDenoising,
    training: Training,
    seconds: float,
) -> None:
    """Write everything; `metrics.json`, which marks the run as finished, comes last."""
    started = time.monotonic()
    metrics = _metrics(config, denoiser, task, training)
    evaluated = time.monotonic()
    write_text(run.path / HISTORY, csv_text(training.history))
    if len(task.validation):
        save_png(picture_grid(denoiser, task), run.path / PICTURE)
    if has_curves(training.history):
        save_png(learning_curves_figure(training.history), run.path / CURVES)
    cost = judged_cost(seconds, training, started, evaluated)
    finish_run(PageFacts(run, config, metrics, training.history, cost))


def _metrics(
    config: DenoisingConfig, denoiser: Denoiser, task: ImageDenoising, training: Training
) -> dict[str, Any]:
    """The run's deterministic scores, as metrics.json holds them."""
    scores = {
        level: task.validation_scores(denoiser.network, level)
        for level in (task.levels if len(task.validation) else ())
    }
    return {
        "task": "denoising",
        "dataset": denoiser.header.dataset,
        "model": shown_name(config.model.name),
        "colour": config.data.colour,
        "noise": config.noise.model_dump(),
        "seed": config.seeds.base,
        "epoch": training.epoch,
        **training.divergence,
        "steps": training.epoch * task.steps_per_epoch,
        "train_images": len(task.train),
        "validation_images": len(task.validation),
        "parameters": sum(p.numel() for p in denoiser.network.parameters()),
        "multiply_adds_per_pixel": multiply_adds_per_pixel(
            denoiser.network, denoiser.header.in_channels
        ),
        "validation": scores,
    }


def multiply_adds_per_pixel(network: nn.Module, in_channels: int) -> float:
    """Multiplications with addition that a network spends on a pixel of an image."""
    device = next(network.parameters()).device
    channels = in_channels + int(bool(network.takes_noise_map))
    image = torch.zeros(1, channels, _SIDE, _SIDE, device=device)
    with OperationCount() as count, torch.no_grad():
        network(image)
    return float(count.total / 2 / _SIDE**2)


def picture_grid(denoiser: Denoiser, task: ImageDenoising) -> Figure:
    """Clean, noisy and denoised validation images, at the middle one of the levels."""
    level = middle_level(task.levels)
    images = task.validation[:_PICTURES]
    label = level_text(task.noise.kind, level)
    with house_style():
        figure = Figure(figsize=(9.6, 3.3 * len(images)), layout="constrained")
        rows = figure.subplots(len(images), 3, squeeze=False)
        for index, (image, axes) in enumerate(zip(images, rows, strict=True)):
            clean = to_batch([image])
            noisy = task.spoil(image, index, level=level)
            with torch.inference_mode():
                given = torch.from_numpy(noisy).to(task.device)
                restored = denoiser(given, task.levels[level].sigma).cpu().numpy()
            shown = {
                "clean": clean,
                f"{label}: {_ratio(clean, noisy)}": noisy,
                f"denoised: {_ratio(clean, restored)}": restored,
            }
            for axis, (title, batch) in zip(axes, shown.items(), strict=True):
                axis.imshow(np.moveaxis(batch[0], 0, 2).clip(0, 1), cmap="gray", vmin=0, vmax=1)
                axis.set_title(title)
                axis.set_axis_off()
    return figure


def _ratio(clean: Clean, image: Clean) -> str:
    return measure("peak_signal_noise_ratio").with_unit(peak_signal_noise_ratio(clean, image))
