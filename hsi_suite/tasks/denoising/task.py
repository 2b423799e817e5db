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
from ...data.camera import soften, take_pair, take_photograph
from ...data.camera_range import CameraRange
from ...data.noise import add_gaussian, add_poisson_gaussian
from ...engine.finite import check_finite, made_by
from ...errors import ShapeError
from ...schemas.denoising import (
    ARTEFACTS,
    CameraConfig,
    DenoisingTrainingConfig,
    NoiseConfig,
)
from ...seeding import SeedStreams
from ...transfer import to_device
from .artefact_patches import ArtefactPatches
from .denoiser import run_network
from .evaluation import (
    Clean,
    mean_scores,
    picture_batch,
    score_images,
    to_batch,
    with_noise,
)
from .levels import validation_levels

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
        smallest = min(min(image.shape[:2]) for image in train)
        self.cameras = CameraRange(**vars(noise.camera or CameraConfig()))
        self.artefacts = ArtefactPatches(noise, config.patch, smallest)
        if smallest < config.patch:
            raise ShapeError(
                "train.patch",
                f"{config.patch}, and an image is {smallest} pixels wide or high",
                f"at most {smallest}",
                "leave small images out or set train.patch",
            )
        self.train = train
        self.validation = validation
        self.noise = noise
        self.levels = validation_levels(noise)
        self.config = config
        self.seeds = seeds
        self.device = device

    @property
    def steps_per_epoch(self) -> int:
        """Batches between two validations."""
        return self.config.steps_per_epoch

    def batch(self, epoch: int, step: int) -> Batch:
        """Noisy patches, their σ (N × 1 × 1 × 1) and the clean ones, on the scale 0 to 1."""
        if self.noise.kind == "camera":
            noisy, sigma, clean = self._photographs(epoch, step)
            return self._moved(noisy), self._moved(sigma), self._moved(clean)
        generator = self.seeds.numpy("noise", epoch, step)
        if self.noise.kind in ARTEFACTS:
            patches = self._patches(epoch, step, self.artefacts.side)
            noisy, sigma, clean = self.artefacts.spoil(patches, generator)
            return self._moved(noisy), self._moved(sigma), self._moved(clean)
        clean = to_batch(self._patches(epoch, step, self.config.patch))
        noisy, sigma = self._add_noise(clean, generator)
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
            halved = clean.ndim == 3 and self.artefacts.mostly_subsampled
            spoilt = through_jpeg(clean, int(chosen.value), subsampling=halved)
        elif chosen.kind == "upsampling":
            spoilt = through_small(clean, int(chosen.value))
        else:
            camera = self.cameras.middle(chosen.value)
            spoilt = take_photograph(clean, camera, np.random.default_rng(seed))
        return picture_batch([spoilt])

    def _photographs(self, epoch: int, step: int) -> tuple[Clean, Clean, Clean]:
        """Photographs by as many cameras, no σ, and their means; one size in a batch."""
        generator = self.seeds.numpy("noise", epoch, step)
        side = self.config.patch
        largest = min(min(image.shape[:2]) for image in self.train)
        sensor = round(side / self.cameras.draw_scale(generator))
        whole = min(round(sensor / self.cameras.draw_softness(generator)), largest)
        noisy, clean = [], []
        for patch in self._patches(epoch, step, whole):
            shown = patch.astype(np.float32) / np.float32(_LEVELS)
            if whole < sensor:
                shown = soften(shown, (sensor, sensor))
            camera = self.cameras.draw(generator)
            photograph, mean = take_pair(shown, camera, generator, (side, side))
            noisy.append(photograph)
            clean.append(mean)
        no_sigma = np.zeros((len(clean), 1, 1, 1), np.float32)
        return picture_batch(noisy), no_sigma, picture_batch(clean)

    def _patches(self, epoch: int, step: int, side: int) -> list[Pixels]:
        count = self.config.batch_size
        places = self.seeds.numpy("order", epoch, step)
        turns = self.seeds.numpy("augment", epoch, step).integers(0, 8, count)
        patches = []
        for index, turn in zip(places.integers(0, len(self.train), count), turns, strict=True):
            image = self.train[index]
            line = places.integers(0, image.shape[0] - side + 1)
            sample = places.integers(0, image.shape[1] - side + 1)
            patch = np.rot90(image[line : line + side, sample : sample + side], turn % 4)
            patches.append(patch.swapaxes(0, 1) if turn >= 4 else patch)
        return patches

    def _add_noise(self, clean: Clean, generator: np.random.Generator) -> tuple[Clean, Clean]:
        """The noisy patches, and the σ that the network is given."""
        low, high = self.noise.sigma
        shape = (len(clean), 1, 1, 1)
        sigma = (generator.uniform(low, high, shape) / _LEVELS).astype(np.float32)
        if self.noise.kind == "gaussian":
            return add_gaussian(clean, sigma, generator), sigma
        gains = generator.uniform(0, self.noise.gain, shape) / _LEVELS
        noisy = [
            add_poisson_gaussian(image, float(gain), level, generator)
            for image, gain, level in zip(clean, gains.ravel(), sigma, strict=True)
        ]
        # What a user can know of such noise is its mean variance: gain times signal, plus σ².
        brightness = clean.mean((1, 2, 3), keepdims=True)
        total = np.sqrt(gains * brightness + sigma**2)
        return np.stack(noisy), total.astype(np.float32)
