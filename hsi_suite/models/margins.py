"""Images continued to the right and below until a network's cells divide them.

Both ways work for images smaller than the margin, and their backward passes are deterministic on
CUDA, which those of torch's own paddings are not.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import ShapeError


def reflect_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """`x` (N, C, H, W) continued by its mirror image, which does not repeat the last pixel.

    Raises:
        ShapeError: no pixels.
    """
    _require_pixels(x)
    for axis in (-2, -1):
        size = x.shape[axis]
        if surplus := -size % multiple:
            index = torch.arange(size + surplus, device=x.device) % max(1, 2 * size - 2)
            x = x.index_select(axis, torch.minimum(index, (2 * size - 2 - index).clamp(min=0)))
    return x


def replicate_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """`x` (N, C, H, W) continued by its last pixels.

    Raises:
        ShapeError: no pixels.
    """
    _require_pixels(x)
    for axis in (-2, -1):
        size = x.shape[axis]
        if surplus := -size % multiple:
            index = torch.arange(size + surplus, device=x.device).clamp(max=size - 1)
            x = x.index_select(axis, index)
    return x


def _require_pixels(x: Tensor) -> None:
    if 0 in x.shape[-2:]:
        raise ShapeError("image", f"{x.shape[-2]} × {x.shape[-1]} pixels", "at least one")
