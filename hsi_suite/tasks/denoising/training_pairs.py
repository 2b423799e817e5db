"""What a denoiser learns from: noisy patches, their σ, and the clean patches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...data.camera import soften, take_pair
from ...data.camera_range import CameraRange
from ...data.drawings import draw_picture
from ...data.noise import add_gaussian, add_poisson_gaussian
from ...errors import ShapeError
from ...schemas.denoising import ARTEFACTS, DenoisingTrainingConfig, NoiseConfig
from ...seeding import SeedStreams
from .artefact_patches import ArtefactPatches
from .evaluation import Clean, picture_batch, to_batch

Pixels = NDArray[np.uint8]
# Noisy (N × C × side × side), σ (N × 1 × 1 × 1; 0 where none is known) and clean.
Pairs = tuple[Clean, Clean, Clean]
_LEVELS = 255.0


class TrainingPairs:
    """Patches of training images and what the noise makes of them, drawn for each step.

    Args:
        images: of uint8, each at least as large as a patch.
        noise: what is added to them.
        cameras: those of `noise`.
        config: patch size and batch size.
        seeds: `order` places the patches and makes the drawings among them, `augment` turns them,
            `noise` draws their noise.

    Raises:
        ShapeError: an image is smaller than a patch.
    """

    def __init__(
        self,
        images: Sequence[Pixels],
        noise: NoiseConfig,
        cameras: CameraRange,
        config: DenoisingTrainingConfig,
        seeds: SeedStreams,
    ) -> None:
        self.smallest = min(min(image.shape[:2]) for image in images)
        if self.smallest < config.patch:
            raise ShapeError(
                "train.patch",
                f"{config.patch}, and an image is {self.smallest} pixels wide or high",
                f"at most {self.smallest}",
                "leave small images out or set train.patch",
            )
        self.images = images
        self.noise = noise
        self.cameras = cameras
        self.artefacts = ArtefactPatches(noise, config.patch, self.smallest)
        self.config = config
        self.seeds = seeds

    def draw(self, epoch: int, step: int) -> Pairs:
        """The batch of a step, on the scale 0 to 1."""
        cut = _Cutter(self.images, self.seeds, epoch, step)
        generator = self.seeds.numpy("noise", epoch, step)
        count = self.config.batch_size
        if self.noise.kind not in ("camera", *ARTEFACTS):
            return self._with_noise(to_batch(cut(count, self.config.patch)), generator)
        taken = self.artefacts.photographed(count, generator)
        parts = []
        if taken:
            parts.append(self._photographs(cut, taken, generator))
        if taken < count:
            drawn = self.artefacts.drawn(count - taken, generator)
            patches = cut(count - taken - drawn, self.artefacts.side)
            patches += self._drawings(drawn, epoch, step)
            parts.append(self.artefacts.spoil(patches, generator))
        noisy, sigma, clean = (np.concatenate(part) for part in zip(*parts, strict=True))
        return noisy, sigma, clean

    def _drawings(self, count: int, epoch: int, step: int) -> list[Pixels]:
        """Drawn patches with their margin, in grey or in colour as the images are."""
        generator = self.seeds.numpy("order", epoch, step, "drawn")
        pictures = [draw_picture(self.artefacts.side, generator) for _ in range(count)]
        if self.images[0].ndim == 3:
            return pictures
        return [np.asarray(Image.fromarray(picture).convert("L")) for picture in pictures]

    def _photographs(self, cut: _Cutter, count: int, generator: np.random.Generator) -> Pairs:
        """Photographs by as many cameras, no σ, and their means; one size in a batch."""
        side = self.config.patch
        sensor = round(side / self.cameras.draw_scale(generator))
        whole = min(round(sensor / self.cameras.draw_softness(generator)), self.smallest)
        noisy, clean = [], []
        for patch in cut(count, whole):
            shown = patch.astype(np.float32) / np.float32(_LEVELS)
            if whole < sensor:
                shown = soften(shown, (sensor, sensor))
            camera = self.cameras.draw(generator)
            photograph, mean = take_pair(shown, camera, generator, (side, side))
            noisy.append(photograph)
            clean.append(mean)
        no_sigma = np.zeros((len(clean), 1, 1, 1), np.float32)
        return picture_batch(noisy), no_sigma, picture_batch(clean)

    def _with_noise(self, clean: Clean, generator: np.random.Generator) -> Pairs:
        """Patches with noise of a σ, which is what the network is given."""
        low, high = self.noise.sigma
        shape = (len(clean), 1, 1, 1)
        sigma = (generator.uniform(low, high, shape) / _LEVELS).astype(np.float32)
        if self.noise.kind == "gaussian":
            return add_gaussian(clean, sigma, generator), sigma, clean
        gains = generator.uniform(0, self.noise.gain, shape) / _LEVELS
        noisy = [
            add_poisson_gaussian(image, float(gain), level, generator)
            for image, gain, level in zip(clean, gains.ravel(), sigma, strict=True)
        ]
        # What a user can know of such noise is its mean variance: gain times signal, plus σ².
        brightness = clean.mean((1, 2, 3), keepdims=True)
        total = np.sqrt(gains * brightness + sigma**2)
        return np.stack(noisy), total.astype(np.float32), clean


class _Cutter:
    """Cuts square patches of the images of a step, turned and mirrored at random."""

    def __init__(self, images: Sequence[Pixels], seeds: SeedStreams, epoch: int, step: int) -> None:
        self.images = images
        self.places = seeds.numpy("order", epoch, step)
        self.turns = seeds.numpy("augment", epoch, step)

    def __call__(self, count: int, side: int) -> list[Pixels]:
        turns = self.turns.integers(0, 8, count)
        patches = []
        for index, turn in zip(
            self.places.integers(0, len(self.images), count), turns, strict=True
        ):
            image = self.images[index]
            line = self.places.integers(0, image.shape[0] - side + 1)
            sample = self.places.integers(0, image.shape[1] - side + 1)
            patch = np.rot90(image[line : line + side, sample : sample + side], turn % 4)
            patches.append(patch.swapaxes(0, 1) if turn >= 4 else patch)
        return patches
