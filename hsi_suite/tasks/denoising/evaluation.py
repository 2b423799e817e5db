"""Scores of a denoiser: noise of a known seed on clean images, PSNR and SSIM afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...data.noise import add_gaussian
from ...engine.observer import Observer
from ...metrics.measures import of_denoisers

#: From noisy images (N × C × H × W, 0 to 1, not clipped) and their σ (0 to 1) to restored ones.
Restore = Callable[[Tensor, float], Tensor]
Clean = NDArray[np.float32]
#: From an image and a seed to a noisy batch of one.
Spoil = Callable[[NDArray[np.uint8], int], Clean]
_LEVELS = 255.0


def score(
    restore: Restore,
    images: Sequence[NDArray[np.uint8]],
    sigmas: Sequence[float],
    observer: Observer | None = None,
) -> list[dict[str, Any]]:
    """The scores of a denoiser on clean images, one row for each σ.

    The noise of image k comes from NumPy's default generator with seed k. Neither the noisy nor
    the restored image is clipped or rounded.

    Args:
        restore: a `Denoiser`, or any function of a noisy image and its σ.
        images: lines × samples (× 3) of uint8.
        sigmas: on the scale 0 to 255.
        observer: reports progress.

    Returns:
        Rows with sigma; peak_signal_noise_ratio (dB), structural_similarity and those of the
        noisy images, as means over the images; images, the same of each image.
    """
    observer = observer or Observer()
    observer.begin("scoring", len(images) * len(sigmas))
    rows = []
    for sigma in sigmas:
        spoil = partial(with_noise, sigma=sigma)
        scores = score_images(restore, images, sigma / _LEVELS, spoil, observer)
        rows.append({"sigma": float(sigma), **mean_scores(scores), "images": scores})
    observer.end()
    return rows


def score_images(
    restore: Restore,
    images: Sequence[NDArray[np.uint8]],
    sigma: float,
    spoil: Spoil,
    observer: Observer | None = None,
) -> list[dict[str, float]]:
    """The scores of each image at one level of noise; see `score`.

    Args:
        restore: as of `score`.
        images: as of `score`.
        sigma: what `restore` is told, on the scale 0 to 1.
        spoil: makes the noisy image.
        observer: reports progress.
    """
    observer = observer or Observer()
    scores = []
    for index, image in enumerate(images):
        clean = to_batch([image])
        noisy = spoil(image, index)
        truth = picture_of(clean)
        shown = {"": picture_of(restored(restore, noisy, sigma)), "noisy_": picture_of(noisy)}
        scores.append(
            {
                f"{prefix}{kind.name}": kind.of_images(truth, planes)
                for prefix, planes in shown.items()
                for kind in of_denoisers()
                if kind.of_images is not None
            }
        )
        observer.advance()
    return scores


def mean_scores(scores: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean over the images of every score."""
    return {name: float(np.mean([row[name] for row in scores])) for name in scores[0]}


def with_noise(image: NDArray[np.uint8], seed: int, *, sigma: float) -> Clean:
    """An image as a batch of one with Gaussian noise of σ (0 to 255), not clipped."""
    return add_gaussian(to_batch([image]), sigma / _LEVELS, np.random.default_rng(seed))


def to_batch(images: Sequence[NDArray[np.uint8]]) -> Clean:
    """Images of equal size as N × C × H × W on the scale 0 to 1."""
    stacked = np.stack(images).astype(np.float32) / np.float32(_LEVELS)
    return stacked[:, None] if stacked.ndim == 3 else np.moveaxis(stacked, 3, 1)


def picture_batch(pictures: Sequence[Clean]) -> Clean:
    """Pictures of equal size, lines × samples (× 3), as N × C × H × W."""
    stacked = np.stack(pictures)
    batch = stacked[:, None] if stacked.ndim == 3 else np.moveaxis(stacked, 3, 1)
    return np.ascontiguousarray(batch)


def restored(restore: Restore, noisy: Clean, sigma: float) -> Clean:
    """What a denoiser makes of a batch, as an array."""
    with torch.inference_mode():
        return np.asarray(restore(torch.from_numpy(noisy), sigma).cpu().numpy(), np.float32)


def picture_of(batch: Clean) -> Clean:
    """A batch of one as lines × samples (× 3), as the metrics want it."""
    return batch[0, 0] if batch.shape[1] == 1 else np.moveaxis(batch[0], 0, 2)
