"""From a configuration to what a denoiser is trained on."""

from __future__ import annotations

import torch

from ..data.images import ImageSet, load_images, read_folder
from ..errors import ConfigError
from ..schemas.denoising import DenoisingConfig
from ..seeding import SeedStreams
from .denoising_task import ImageDenoising


def load_training_images(config: DenoisingConfig) -> ImageSet:
    """The images that a configuration names.

    Raises:
        HsiSuiteError: they are not here, cannot be read, or are too few to set some apart.
    """
    data = config.data
    if data.images is not None:
        images = load_images(data.images, data.colour)
    else:
        assert data.folder is not None
        images = read_folder(data.folder, data.colour)
    if len(images) <= data.validation:
        raise ConfigError(
            "data.validation",
            f"{data.validation} of {len(images)} images",
            "fewer than there are",
            "add images or lower data.validation",
        )
    return images


def training_task(config: DenoisingConfig, images: ImageSet, seeds: SeedStreams) -> ImageDenoising:
    """The task of a resolved configuration; the stream `split` sets the validation apart.

    Raises:
        ShapeError: an image is smaller than a patch.
    """
    chosen = seeds.numpy("split").permutation(len(images))
    validation = sorted(chosen[: config.data.validation])
    train = sorted(chosen[config.data.validation :])
    return ImageDenoising(
        [images.images[index] for index in train],
        [images.images[index] for index in validation],
        config.noise,
        config.train,
        seeds,
        torch.device(config.device),
    )
