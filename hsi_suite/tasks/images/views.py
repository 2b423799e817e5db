"""Views of labelled images as networks take them: cut, distorted, normalised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...data.crop_boxes import centred_boxes, multi_crop_boxes, random_area_boxes, shifted_boxes
from ...data.image_boxes import Boxes, BoxSampler
from ...data.labelled_images import LabelledImages
from ...data.photometric import distort
from ...schemas.image_classification import AugmentConfig


class ImageViews:
    """Views of one set of images on a device.

    Args:
        images: what is seen.
        size: side of the views in pixels.
        side: of the square that the plain view of an image shows, in its pixels.
        mean: of each channel, on the scale 0 to 1.
        std: of each channel.
        device: where the views come out.
    """

    def __init__(
        self,
        images: LabelledImages,
        size: int,
        side: float,
        mean: Sequence[float],
        std: Sequence[float],
        device: torch.device,
    ) -> None:
        self.sampler = BoxSampler(images, size, device)
        self.shapes = images.shapes
        self.side = side
        self._mean = torch.tensor(mean, device=device).view(1, -1, 1, 1)
        self._std = torch.tensor(std, device=device).view(1, -1, 1, 1)

    @property
    def device(self) -> torch.device:
        """Where the views come out."""
        return self.sampler.device

    def drawn(
        self, images: NDArray[np.int64], augment: AugmentConfig, generator: np.random.Generator
    ) -> Tensor:
        """A random view of each of N images, N × channels × size × size."""
        boxes = self._random_boxes(self.shapes[images], augment, generator)
        mirrored = generator.random(len(images)) < (0.5 if augment.flip else 0)
        kinds = augment.interpolation
        drawn = None if kinds == ["bilinear"] else generator.choice(kinds, len(images))
        values, inside = self.sampler.cut(images, boxes, mirrored, drawn)
        amounts = (augment.brightness, augment.contrast, augment.saturation)
        if any(amounts):
            values = distort(values, *amounts, generator)
        values = self._normalised(values)
        # Beyond the border is the mean colour, as in images padded after their normalisation.
        return values if inside is None else values * inside

    def _random_boxes(
        self, shapes: NDArray[np.int64], augment: AugmentConfig, generator: np.random.Generator
    ) -> Boxes:
        if augment.crop == "area":
            return random_area_boxes(shapes, augment.area, augment.aspect, generator)
        if augment.crop == "shift":
            return shifted_boxes(shapes, self.side, augment.pad, generator)
        return centred_boxes(shapes, self.side)

    def fixed(
        self, images: NDArray[np.int64], crops: int, batch_size: int
    ) -> Iterator[tuple[Tensor, int]]:
        """The views of N images in a test, batch by batch.

        Args:
            images: their indices, N.
            crops: see `data.multi_crop.multi_crop_boxes`.
            batch_size: views in a batch, at least those of one image.

        Yields:
            Views of some images, image by image, and their number for each image.
        """
        # Whether three squares of an image are one is a matter of all images, not of a batch.
        boxes, mirrored = multi_crop_boxes(self.shapes[images], crops, self.side)
        number = len(mirrored)
        step = max(1, batch_size // number)
        for first in range(0, len(images), step):
            some = images[first : first + step]
            values, _ = self.sampler.cut(
                np.repeat(some, number),
                boxes[first : first + step].reshape(-1, 4),
                np.tile(mirrored, len(some)),
            )
            yield self._normalised(values), number

    def _normalised(self, values: Tensor) -> Tensor:
        return (values - self._mean) / self._std


def channel_statistics(
    images: LabelledImages, chosen: NDArray[np.int64]
) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel over some images, on the scale 0 to 1.

    Counted by level, in whole numbers: exact, and the same in every order. A channel of one
    value alone has the deviation 1.
    """
    wanted = np.zeros(len(images), bool)
    wanted[chosen] = True
    pixels = images.pixels[np.repeat(wanted, images.shapes.prod(1))]
    levels = np.arange(256)
    means, deviations = [], []
    for channel in range(images.channels):
        counts = np.bincount(pixels[:, channel], minlength=256)
        mean = float(counts @ levels) / len(pixels)
        variance = float(counts @ (levels - mean) ** 2) / len(pixels)
        means.append(mean / 255)
        deviations.append(variance**0.5 / 255 or 1.0)
    return means, deviations
