"""Denoisers judged: any weights on clean images, and a run by its own validation images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...config import config_names, validate
from ...data.images import Colour, ImageSet, load_images, read_folder
from ...data.public.image_sets import IMAGE_SETS, registered_folder
from ...engine.devices import computing, resolve_device
from ...engine.observer import Observer
from ...engine.tiles import Tiling
from ...errors import RunError
from ...metrics.measures import same_scores
from ...restoration.classical import non_local_means, wavelet_shrinkage
from ...runs.folder import MODEL, Run, require_finished
from ...runs.machine import available_threads, on_device
from ...schemas.denoising import DenoisingConfig
from ...weights import DEFAULT_WEIGHTS
from .configuration import denoising_config
from .denoiser import Denoiser, load_denoiser
from .evaluation import Restore, score
from .image_restoration import known_noise, restore
from .photographs.network_remarks import too_strong
from .photographs.noise_estimation import estimate_image_noise
from .preparation import load_training_images, training_task, validation_images
from .restoration_settings import Restoration
from .score_levels import check_sigmas
from .weights import load_weights

Plane = NDArray[np.float32]

_LEVELS = 255.0
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
        data: a registered set of images, a folder, or the name of a shipped configuration of a
            denoiser: the images that its training sets aside for validation.
        sigmas: on the scale 0 to 255.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        observer: reports progress.

    Returns:
        "weights", "data", "images" (their number), "sigmas", and "methods": rows of "method",
        "kind" (noisy, classical, weights, published), "scores" by σ (means over the images, and
        "smallest_gain", what the image gains that gains least over the noisy one, in dB), and
        "source" of published ones. Where "luma" is true, the images are in colour and these are
        scores of their luma (ITU-R 601), as the network is for grey; "colour_methods" are those of
        red, green and blue, denoised as `hsi denoise` does, over the three together.

    Raises:
        ConfigError: a negative σ.
        HsiSuiteError: the weights or the images cannot be read.
    """
    observer = observer or Observer()
    check_sigmas(sigmas)
    where = resolve_device(device)
    with computing(where, threads or available_threads(), deterministic=True):
        denoiser = load_weights(weights, where)
        for line in too_strong(denoiser, [sigma / _LEVELS for sigma in sigmas]):
            observer.message(line)
        grey = denoiser.header.in_channels == 1
        images = evaluated_images(data, "grey" if grey else "rgb", observer)
        colour = _in_colour(data) if grey else None
        methods: dict[str, tuple[str, Restore]] = {
            "wavelet (BayesShrink)": ("classical", _plane_by_plane(wavelet_shrinkage)),
            "non-local means": ("classical", _plane_by_plane(non_local_means)),
            Path(weights).name: ("weights", computing_on(denoiser, where)),
        }
        if denoiser.network.takes_noise_map:
            estimating = with_estimated_noise(denoiser, computing_on(denoiser, where))
            methods[f"{Path(weights).name}, σ estimated"] = ("weights", estimating)
        if not grey:
            by_opponents = _by_opponent_colours(load_weights(DEFAULT_WEIGHTS, where))
            methods[f"{DEFAULT_WEIGHTS}, opponent colours"] = ("weights", by_opponents)
        rows = _scored(methods, images, sigmas, observer)
        colour_rows = []
        if colour is not None:
            by_opponents = _by_opponent_colours(denoiser)
            colour_methods = {Path(weights).name: ("weights", by_opponents)}
            colour_rows = _scored(colour_methods, colour, sigmas, observer)
    return {
        "weights": str(weights),
        "data": images.name,
        "images": len(images),
        "sigmas": [float(sigma) for sigma in sigmas],
        "luma": colour is not None,
        "methods": rows + _published(images),
        "colour_methods": colour_rows,
    }


def evaluate_denoiser(
    run: Run, observer: Observer | None = None, device: str | None = None
) -> dict[str, Any]:
    """The validation scores of a finished training, computed again from its saved model.

    Returns:
        "run", "task", "validation" (the scores), "stored" (as metrics.json has them), "equal"
        and "device", where they were computed.

    Raises:
        RunError: the run is unfinished, damaged, or its images have changed.
    """
    require_finished(run)
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
        found = {}
        for level in stored:
            found[level] = task.validation_scores(network, level)
            observer.advance()
        observer.end()
    return {
        "run": str(run.path),
        "task": "denoising",
        "noise": config.noise.kind,
        "validation": found,
        "stored": stored,
        "equal": same_scores(found, stored),
        "device": config.device,
    }


def evaluated_images(data: str | Path, colour: Colour, observer: Observer) -> ImageSet:
    """The clean images that a denoiser is scored on; see `evaluate_weights`."""
    if str(data) in IMAGE_SETS:
        return load_images(str(data), colour)
    if str(data) in config_names():
        config = denoising_config(config=str(data), settings=[f"data.colour={colour}"])
        return validation_images(config, load_training_images(config))
    return read_folder(data, colour, on_message=observer.message)


def _in_colour(data: str | Path) -> ImageSet | None:
    """The images in colour, where a grey network is given their luma; None for grey ones."""
    coloured = evaluated_images(data, "rgb", Observer())
    if all((image[..., :1] == image).all() for image in coloured.images):
        return None
    return coloured


def _by_opponent_colours(denoiser: Denoiser) -> Restore:
    """A grey network on images in colour, as `hsi denoise` uses it."""

    def run(noisy: Tensor, sigma: float) -> Tensor:
        image = np.moveaxis(noisy[0].numpy(), 0, 2)
        sigmas = known_noise(sigma, denoiser, image)
        whole = Tiling(None, 0, denoiser.network.multiple)
        clean = restore(
            denoiser, image, 1.0, sigmas, whole, Restoration(), dtype=np.dtype(np.float32)
        )
        return torch.from_numpy(np.moveaxis(clean, 2, 0)[None])

    return run


def _scored(
    methods: dict[str, tuple[str, Restore]],
    images: ImageSet,
    sigmas: Sequence[float],
    observer: Observer,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, (kind, method) in methods.items():
        scored = score(method, images.images, sigmas, observer)
        if not rows:
            rows.append({"method": "noisy", "kind": "noisy", "scores": _by_sigma(scored, "noisy_")})
        rows.append({"method": name, "kind": kind, "scores": _by_sigma(scored, "")})
    return rows


def _by_sigma(rows: list[dict[str, Any]], prefix: str) -> dict[str, dict[str, float]]:
    return {
        f"{row['sigma']:g}": {
            **{name: row[prefix + name] for name in _METRICS},
            "smallest_gain": min(
                each[prefix + _METRICS[0]] - each["noisy_" + _METRICS[0]] for each in row["images"]
            ),
        }
        for row in rows
    }


def _published(images: ImageSet) -> list[dict[str, Any]]:
    def by_sigma(values: Sequence[float]) -> dict[str, dict[str, float]]:
        return {
            sigma: {"peak_signal_noise_ratio": value}
            for sigma, value in zip(_PUBLISHED_SIGMAS, values, strict=True)
        }

    return published_rows(images, _PUBLISHED, _PAPER, by_sigma)


def published_rows(
    images: ImageSet,
    published: Mapping[str, Mapping[str, Any]],
    source: str,
    by_level: Callable[[Any], dict[str, dict[str, float]]],
) -> list[dict[str, Any]]:
    """The published scores of a set, known by the checksum of its files and not by its name.

    Args:
        images: the set.
        published: by a set's folder and by method, the values as they are printed.
        source: where they stand.
        by_level: makes the scores of each level of the values of a method.
    """
    name = registered_folder(images.sha256)
    return [
        {
            "method": f"{method}, published",
            "kind": "published",
            "source": source,
            "scores": by_level(values),
        }
        for method, values in published.get(name or "", {}).items()
    ]


def computing_on(denoiser: Denoiser, device: torch.device) -> Restore:
    """A denoiser that takes its images from the CPU."""
    return lambda noisy, sigma: denoiser(noisy.to(device), sigma)


def with_estimated_noise(denoiser: Denoiser, restore: Restore) -> Restore:
    """The same with σ estimated from the image."""

    def run(noisy: Tensor, sigma: float) -> Tensor:
        image = noisy[0, 0] if noisy.shape[1] == 1 else noisy[0].movedim(0, 2)
        (sigma,) = estimate_image_noise(image.numpy(), 1.0, denoiser).sigmas
        return restore(noisy, sigma)

    return run


def _plane_by_plane(method: Callable[[Plane, float], Plane]) -> Restore:
    def run(noisy: Tensor, sigma: float) -> Tensor:
        planes = [method(plane.numpy(), sigma) for plane in noisy[0]]
        return torch.from_numpy(np.stack(planes))[None]

    return run
