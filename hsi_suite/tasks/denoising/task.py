"""Denoising as the training loop wants it: noisy patches in, clean patches out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ...data.artefacts import through_jpeg, through_small
from ...data.camera import take_photograph
from ...data.camera_range import CameraRange
from ...engine.finite import check_finite, made_by
from ...schemas.denoising import (
    CameraConfig,
    DenoisingTrainingConfig,
    NoiseConfig,
)
from ...seeding import SeedStreams
from ...transfer import to_device
from .denoiser import run_network
from .evaluation import (
    Clean,
    mean_scores,
    picture_batch,
    score_images,
    with_noise,
)
from .levels import validation_levels
from .training_pairs import TrainingPairs

Pixels = NDArray[np.uint8]
Batch = tuple[Tensor, Tensor, Tensor]
_LEVELS = 255.0


class ImageDenoising:
    """Batches of noisy patches with their clean originals; a `TrainingTask`.

    Args:
        train: images of uint8 that patches are cut from, each at least as large as a patch.
        validation: images of uint8 that the network is judged by; may be empty.
        noise: what is added to them.
        config: patch size, batch size, loss.
        seeds: `order` places the patches, `augment` turns them, `noise` draws their noise.
        device: where the batches go.

    Raises:
        ShapeError: an image is smaller than a patch.
    """

    selection_metric = "peak_signal_noise_ratio"

    def __init__(
        self,
        train: Sequence[Pixels],
        validation: Sequence[Pixels],
        noise: NoiseConfig,
        config: DenoisingTrainingConfig,
        seeds: SeedStreams,
        device: torch.device,
    ) -> None:
        self.cameras = CameraRange(**vars(noise.camera or CameraConfig()))
        self.pairs = TrainingPairs(train, noise, self.cameras, config, seeds)
        self.train = train
        self.validation = validation
        self.noise = noise
        self.levels = validation_levels(noise)
        self.config = config
        self.device = device

    @property
    def steps_per_epoch(self) -> int:
        """Batches between two validations."""
        return self.config.steps_per_epoch

    def batch(self, epoch: int, step: int) -> Batch:
        """Noisy patches, their σ (N × 1 × 1 × 1) and the clean ones, on the scale 0 to 1."""
        noisy, sigma, clean = self.pairs.draw(epoch, step)
        return self._moved(noisy), self._moved(sigma), self._moved(clean)

    def _moved(self, values: NDArray[np.float32]) -> Tensor:
        return to_device(torch.from_numpy(values), self.device)

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor], int]:
        """Mean absolute or squared error, and the sum of the patches' PSNR."""
        noisy, sigma, clean = batch
        restored = run_network(model, noisy, sigma, noisy.shape[1]).float()
        errors = functional.mse_loss(restored, clean, reduction="none").mean((1, 2, 3))
        loss = errors.mean() if self.config.loss == "l2" else functional.l1_loss(restored, clean)
        ratios = -10 * errors.detach().clamp(min=1e-10).log10()
        return loss, {"peak_signal_noise_ratio": ratios.sum()}, len(clean)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Mean PSNR and SSIM of the validation images, over all levels and at each."""
        if not len(self.validation):
            return {}
        scores = {level: self.validation_scores(model, level) for level in self.levels}
        return {
            metric: float(np.mean([score[metric] for score in scores.values()]))
            for metric in ("peak_signal_noise_ratio", "structural_similarity")
        } | {
            f"peak_signal_noise_ratio_{level}": score["peak_signal_noise_ratio"]
            for level, score in scores.items()
        }

    def validation_scores(self, model: nn.Module, level: str) -> dict[str, float]:
        """Mean scores of the validation images at one of `levels`, whose noise never changes."""
        chosen = self.levels[level]

        def restore(noisy: Tensor, sigma: float) -> Tensor:
            clean = run_network(model, noisy.to(self.device), sigma, noisy.shape[1]).float()
            return check_finite(clean, made_by(model, "the denoised validation images"))

        spoil = partial(self.spoil, level=level)
        return mean_scores(score_images(restore, self.validation, chosen.sigma, spoil))

    def spoil(self, image: Pixels, seed: int, *, level: str) -> Clean:
        """A validation image with the noise of one of `levels`, as a batch of one."""
        chosen = self.levels[level]
        if chosen.kind == "gaussian":
            return with_noise(image, seed, sigma=chosen.value)
        clean = image.astype(np.float32) / np.float32(_LEVELS)
        if chosen.kind == "jpeg":
            halved = clean.ndim == 3 and self.pairs.artefacts.mostly_subsampled
            spoilt = through_jpeg(clean, int(chosen.value), subsampling=halved)
        elif chosen.kind == "upsampling":
            spoilt = through_small(clean, int(chosen.value))
        else:
            camera = self.cameras.middle(chosen.value)
            spoilt = take_photograph(clean, camera, np.random.default_rng(seed))
        return picture_batch([spoilt])
