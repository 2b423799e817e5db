"""Denoisers judged: any weights on clean images, and a run by its own validation images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...config import validate
from ...data.images import IMAGE_SETS, Colour, ImageSet, load_images, read_folder
from ...engine.devices import computing, resolve_device
from ...engine.observer import Observer
from ...errors import ConfigError, RunError
from ...restoration.classical import non_local_means, wavelet_shrinkage
from ...restoration.noise_estimate import estimate_noise
from ...runs import MODEL, Run
from ...schemas.denoising import DenoisingConfig
from ..shared.machine import available_threads, on_device
from .denoiser import Denoiser, load_denoiser
from .evaluation import Restore, score
from .preparation import load_training_images, training_task
from .weights import load_weights

Plane = NDArray[np.float32]

_METRICS = ("peak_signal_noise_ratio", "structural_similarity")
_PAPER = "Zhang et al., TIP 2017 (arXiv 1608.03981)"
# Mean PSNR in dB at σ 15, 25, 50.
_PUBLISHED = {
    "Set12": {"DnCNN-S": (32.86, 30.44, 27.18)},
    "BSD68": {
        "BM3D": (31.07, 28.57, 25.62),
        "DnCNN-S": (31.73, 29.23, 26.23),
        "DnCNN-B": (31.61, 29.16, 26.23),
    },
}
_PUBLISHED_SIGMAS = ("15", "25", "50")


def evaluate_weights(
    weights: str | Path,
    data: str | Path,
    *,
    sigmas: Sequence[float] = (15.0, 25.0, 50.0),
    device: str = "auto",
    threads: int | None = None,
    observer: Observer | None = None,
) -> dict[str, Any]:
    """Scores of a denoiser beside those of other methods on the same noisy images.

    Gaussian noise, not clipped; that of image k has seed k.

    Args:
        weights: see `load_weights`.
        data: a registered set of images, or a folder.
        sigmas: on the scale 0 to 255.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        observer: hears of the progress.

    Returns:
        "weights", "data", "images" (their number), "sigmas", and "methods": rows of "method",
        "kind" (noisy, classical, weights, published), "scores" by σ, and "source" of published
        ones.

    Raises:
        ConfigError: a negative σ.
        HsiSuiteError: the weights or the images cannot be read.
    """
    observer = observer or Observer()
    if not sigmas or not all(0 <= sigma < np.inf for sigma in sigmas):
        raise ConfigError("--sigma", f"{[*sigmas]}", "0 or more, on the scale 0 to 255")
    where = resolve_device(device)
    with computing(where, threads or available_threads(), deterministic=True):
        denoiser = load_weights(weights, where)
        images = _images(data, denoiser)
        methods: dict[str, tuple[str, Restore]] = {
            "wavelet (BayesShrink)": ("classical", _plane_by_plane(wavelet_shrinkage)),
            "non-local means": ("classical", _plane_by_plane(non_local_means)),
            Path(weights).name: ("weights", _on_device(denoiser, where)),
        }
        if denoiser.network.takes_noise_map:
            estimating = _estimating(_on_device(denoiser, where))
            methods[f"{Path(weights).name}, σ estimated"] = ("weights", estimating)
        rows = _scored(methods, images, sigmas, observer)
    return {
        "weights": str(weights),
        "data": images.name,
        "images": len(images),
        "sigmas": [float(sigma) for sigma in sigmas],
        "methods": rows + _published(images.name),
    }


def evaluate_denoiser(
    run: Run, observer: Observer | None = None, device: str | None = None
) -> dict[str, Any]:
    """The validation figures of a finished training, computed again from its saved model.

    Returns:
        "run", "task", "validation" (the figures), "stored" (as metrics.json has them), "equal"
        and "device", where they were computed.

    Raises:
        RunError: the run is unfinished, damaged, or its images have changed.
    """
    if not run.finished:
        raise RunError(run.path, "is not finished", "a finished run")
    observer = observer or Observer()
    config = on_device(validate(DenoisingConfig, run.config, run.path), device)
    where = torch.device(config.device)
    with computing(where, config.threads or available_threads(), config.deterministic):
        images = load_training_images(config)
        if run.environment.get("data", {}).get(images.name) != images.sha256:
            raise RunError(run.path, "its images have changed", "those it was trained on")
        task = training_task(config, images, config.streams)
        network = load_denoiser(run.path / MODEL, where).network
        stored = run.metrics["validation"]
        observer.begin("scoring", len(stored))
        figures = {}
        for sigma in stored:
            figures[sigma] = task.validation_scores(network, float(sigma))
            observer.advance()
        observer.end()
    return {
        "run": str(run.path),
        "task": "denoising",
        "validation": figures,
        "stored": stored,
        "equal": figures == stored,
        "device": config.device,
    }


def _images(data: str | Path, denoiser: Denoiser) -> ImageSet:
    colour: Colour = "grey" if denoiser.header.in_channels == 1 else "rgb"
    if str(data) in IMAGE_SETS:
        return load_images(str(data), colour)
    return read_folder(data, colour)


def _scored(
    methods: dict[str, tuple[str, Restore]],
    images: ImageSet,
    sigmas: Sequence[float],
    observer: Observer,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, (kind, restore) in methods.items():
        scored = score(restore, images.images, sigmas, observer)
        if not rows:
            rows.append({"method": "noisy", "kind": "noisy", "scores": _by_sigma(scored, "noisy_")})
        rows.append({"method": name, "kind": kind, "scores": _by_sigma(scored, "")})
    return rows


def _by_sigma(rows: list[dict[str, Any]], prefix: str) -> dict[str, dict[str, float]]:
    return {f"{row['sigma']:g}": {name: row[prefix + name] for name in _METRICS} for row in rows}


def _published(name: str) -> list[dict[str, Any]]:
    return [
        {
            "method": f"{method}, published",
            "kind": "published",
            "source": _PAPER,
            "scores": {
                sigma: {"peak_signal_noise_ratio": value}
                for sigma, value in zip(_PUBLISHED_SIGMAS, values, strict=True)
            },
        }
        for method, values in _PUBLISHED.get(name, {}).items()
    ]


def _on_device(denoiser: Denoiser, device: torch.device) -> Restore:
    return lambda noisy, sigma: denoiser(noisy.to(device), sigma)


def _estimating(restore: Restore) -> Restore:
    """The same without being told σ."""

    def run(noisy: Tensor, sigma: float) -> Tensor:
        planes = [np.asarray(plane) for plane in noisy[0]]
        squares = [estimate_noise([plane]) ** 2 for plane in planes]
        return restore(noisy, float(np.sqrt(np.mean(squares))))

    return run


def _plane_by_plane(method: Callable[[Plane, float], Plane]) -> Restore:
    def run(noisy: Tensor, sigma: float) -> Tensor:
        planes = [method(plane.numpy(), sigma) for plane in noisy[0]]
        return torch.from_numpy(np.stack(planes))[None]

    return run
