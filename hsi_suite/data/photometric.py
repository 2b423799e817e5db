"""Changes of brightness, contrast and saturation, a batch of images at a time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..restoration.colour import LUMA


def distort(
    images: Tensor,
    brightness: float,
    contrast: float,
    saturation: float,
    generator: np.random.Generator,
) -> Tensor:
    """Scale brightness, contrast and saturation of each image by factors of its own.

    After Howard (2013, arXiv 1312.5402), section 2.2, in this order: brightness scales all
    values, contrast their distance from the image's mean grey, saturation their distance from
    the pixel's own grey. A factor is drawn evenly from 1 − a to 1 + a.

    Args:
        images: values of 0 to 1, N × channels × H × W; one channel has no saturation.
        brightness: the a of brightness, below 1; 0 leaves it alone.
        contrast: the a of contrast.
        saturation: the a of saturation.
        generator: source of chance.

    Returns:
        Values of 0 to 1 of the same shape.
    """
    amounts = np.array([[brightness], [contrast], [saturation]])
    drawn = 1 + amounts * generator.uniform(-1, 1, (3, len(images)))
    factors = torch.from_numpy(drawn.astype(np.float32)).to(images.device)[..., None, None, None]
    images = images * factors[0]
    images = torch.lerp(grey(images).mean((1, 2, 3), keepdim=True), images, factors[1])
    if images.shape[1] == 3:
        images = torch.lerp(grey(images), images, factors[2])
    return images.clamp(0, 1)


def grey(images: Tensor) -> Tensor:
    """Luma of N × 3 × H × W as N × 1 × H × W; one channel as it is."""
    if images.shape[1] == 1:
        return images
    weights = torch.tensor(LUMA, device=images.device).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)
