"""Denoisers judged on what JPEG and lost resolution leave of clean images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.artefacts import studio_luma, through_jpeg, through_small
from ...data.images import ImageSet
from ...engine.devices import computing, resolve_device
from ...engine.observer import Observer
from ...errors import ShapeError
from ...metrics.restoration import (
    peak_signal_noise_ratio,
    peak_signal_noise_ratio_blocked,
    structural_similarity,
)
from ...runs.machine import available_threads
from .evaluation import Clean, Restore, picture_batch, picture_of, restored
from .score_levels import check_factors, check_qualities
from .scores import computing_on, evaluated_images, published_rows, with_estimated_noise
from .weights import load_weights

Pixels = NDArray[np.uint8]
Picture = NDArray[np.float32]
_LEVELS = np.float32(255)
# Side of the window of structural similarity, and more than one block of a JPEG.
_SMALLEST = 11
_SOURCE = "Liang et al., ICCVW 2021 (arXiv 2108.10257), table 4"
_PUBLISHED_QUALITIES = ("10", "20", "30", "40")
# PSNR in dB, SSIM and PSNR-B in dB at these qualities.
_PUBLISHED = {
    "classic5": {
        "AR-CNN": (
            (29.03, 0.7929, 28.76), (31.15, 0.8517, 30.59), (32.51, 0.8806, 31.98),
            (33.32, 0.8953, 32.79),
        ),
        "DnCNN-3": (
            (29.40, 0.8026, 29.13), (31.63, 0.8610, 31.19), (32.91, 0.8861, 32.38),
            (33.77, 0.9003, 33.20),
        ),
    },
    "LIVE1": {
        "AR-CNN": (
            (28.96, 0.8076, 28.77), (31.29, 0.8733, 30.79), (32.67, 0.9043, 32.22),
            (33.63, 0.9198, 33.14),
        ),
        "DnCNN-3": (
            (29.19, 0.8123, 28.90), (31.59, 0.8802, 31.07), (32.98, 0.9090, 32.34),
            (33.96, 0.9247, 33.28),
        ),
    },
}  # fmt: skip
_NAMES = ("peak_signal_noise_ratio", "structural_similarity", "peak_signal_noise_ratio_blocked")


def evaluate_artefacts(
    weights: str | Path,
    data: str | Path,
    *,
    qualities: Sequence[float] = (),
    factors: Sequence[float] = (),
    device: str = "auto",
    threads: int | None = None,
    observer: Observer | None = None,
) -> dict[str, Any]:
    """Scores of a denoiser on images stored as JPEG, and made smaller and larger again.

    As the literature has it, images in colour are scored by their luma (`studio_luma`), of which
    the JPEG is made, and a pixel for each of the factor is left out at the borders of images that
    were made smaller. Nothing is clipped or rounded behind the network. Weights for RGB meet
    JPEGs in colour at 4:2:0 and are scored on red, green and blue together. Networks with a σ map
    are given the σ that is estimated from the image.

    Args:
        weights: see `load_weights`.
        data: as of `evaluate_weights`.
        qualities: of the JPEGs, 1 to 100.
        factors: by which images are made smaller, 2 to 8.
        device: auto, cpu, cuda or cuda:N.
        threads: CPU threads; None takes the processors this process may use.
        observer: reports progress.

    Returns:
        "weights", "data", "images" (their number), "luma" (whether images in colour were scored by
        it), and "tables": of each kind, "jpeg" and "upsampling", its "levels" and "methods", rows
        of "method", "kind" (input, weights, published), "scores" by level, and "source" of those
        published. Scores are means over the images: PSNR, SSIM and, of JPEG in grey or luma,
        PSNR-B; of the weights also "smallest_gain", as of `evaluate_weights`.

    Raises:
        ConfigError: a quality or factor that there is not.
        HsiSuiteError: the weights or the images cannot be read, or are too small.
    """
    observer = observer or Observer()
    check_qualities(qualities)
    check_factors(factors)
    where = resolve_device(device)
    with computing(where, threads or available_threads(), deterministic=True):
        denoiser = load_weights(weights, where)
        restore: Restore = computing_on(denoiser, where)
        if denoiser.network.takes_noise_map:
            restore = with_estimated_noise(denoiser, restore)
        images = evaluated_images(data, "rgb", observer)
        grey = denoiser.header.in_channels == 1
        shown, luma = _grey(images) if grey else (images, False)
        observer.begin("scoring", len(images) * (len(qualities) + len(factors)))
        name = Path(weights).name
        tables = []
        if qualities:
            jpeg = partial(_jpeg, subsampling=not grey)
            methods = _scored(name, restore, shown, qualities, jpeg, observer, blocked=grey)
            published = _published(images) if grey else []
            tables.append(_table("jpeg", qualities, methods + published))
        if factors:
            methods = _scored(name, restore, shown, factors, _small, observer)
            tables.append(_table("upsampling", factors, methods))
        observer.end()
    return {
        "weights": str(weights),
        "data": images.name,
        "images": len(images),
        "luma": luma,
        "tables": tables,
    }


def _grey(images: ImageSet) -> tuple[ImageSet, bool]:
    """The images in one channel, those in colour by their luma, and whether there are such."""
    coloured = [bool((image[..., :1] != image).any()) for image in images.images]
    planes = tuple(
        studio_luma(image) if colour else image[..., 0]
        for image, colour in zip(images.images, coloured, strict=True)
    )
    return replace(images, images=planes), any(coloured)


def _jpeg(clean: Picture, quality: int, *, subsampling: bool) -> tuple[Picture, Picture, int]:
    return clean, through_jpeg(clean, quality, subsampling=subsampling), 0


def _small(clean: Picture, factor: int) -> tuple[Picture, Picture, int]:
    lines, samples = (size - size % factor for size in clean.shape[:2])
    whole = clean[:lines, :samples]
    return whole, through_small(whole, factor), factor


def _scored(
    name: str,
    restore: Restore,
    images: ImageSet,
    levels: Sequence[float],
    spoil: Callable[[Picture, int], tuple[Picture, Picture, int]],
    observer: Observer,
    *,
    blocked: bool = False,
) -> list[dict[str, Any]]:
    """Rows of the input and of the weights; `spoil` gives what is true, its ruin and a border."""
    before: dict[str, dict[str, float]] = {}
    after: dict[str, dict[str, float]] = {}
    for level in levels:
        scores: list[tuple[dict[str, float], dict[str, float]]] = []
        for file, image in zip(images.names, images.images, strict=True):
            true, spoilt, border = spoil(image.astype(np.float32) / _LEVELS, int(level))
            _check_size(file, true, border)
            result = picture_of(restored(restore, picture_batch([spoilt]), 0.0))
            inner = (slice(border, true.shape[0] - border), slice(border, true.shape[1] - border))
            first, second = (
                _scores(true[inner], picture[inner], blocked) for picture in (spoilt, result)
            )
            scores.append((first, second))
            observer.advance()
        before[f"{level:g}"] = _means([first for first, _ in scores])
        after[f"{level:g}"] = _means([second for _, second in scores]) | {
            "smallest_gain": min(second[_NAMES[0]] - first[_NAMES[0]] for first, second in scores)
        }
    return [
        {"method": "input", "kind": "input", "scores": before},
        {"method": name, "kind": "weights", "scores": after},
    ]


def _check_size(file: str, true: Picture, border: int) -> None:
    lines, samples = true.shape[:2]
    if min(lines, samples) - 2 * border < _SMALLEST:
        least = _SMALLEST + 2 * border
        raise ShapeError(file, f"{samples} × {lines} pixels", f"at least {least} × {least}")


def _scores(true: Clean, shown: Clean, blocked: bool) -> dict[str, float]:
    scores = {
        _NAMES[0]: peak_signal_noise_ratio(true, shown),
        _NAMES[1]: structural_similarity(true, shown),
    }
    return scores | ({_NAMES[2]: peak_signal_noise_ratio_blocked(true, shown)} if blocked else {})


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _table(kind: str, levels: Sequence[float], methods: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": kind, "levels": [f"{level:g}" for level in levels], "methods": methods}


def _published(images: ImageSet) -> list[dict[str, Any]]:
    def by_quality(rows: Sequence[Sequence[float]]) -> dict[str, dict[str, float]]:
        return {
            quality: dict(zip(_NAMES, values, strict=True))
            for quality, values in zip(_PUBLISHED_QUALITIES, rows, strict=True)
        }

    return published_rows(images, _PUBLISHED, _SOURCE, by_quality)
