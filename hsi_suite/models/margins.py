"""Images continued to the right and below until a network's cells divide them.

Both ways work for images smaller than the margin, and their backward passes are deterministic on
CUDA, which those of torch's own paddings are not.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..errors import ShapeError


def reflect_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """`x` (N, C, H, W) continued by its mirror image, which does not repeat the last pixel.

    Raises:
        ShapeError: no pixels.
    """

    def mirrored(index: Tensor, size: int) -> Tensor:
        index = index % max(1, 2 * size - 2)
        return torch.minimum(index, (2 * size - 2 - index).clamp(min=0))

    return _continued(x, multiple, mirrored)


def replicate_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """`x` (N, C, H, W) continued by its last pixels.

    Raises:
        ShapeError: no pixels.
    """
    return _continued(x, multiple, lambda index, size: index.clamp(max=size - 1))


def _continued(x: Tensor, multiple: int, place: Callable[[Tensor, int], Tensor]) -> Tensor:
    """`place` gives the pixel that is shown at an index beyond the size."""
    if 0 in x.shape[-2:]:
        raise ShapeError("image", f"{x.shape[-2]} × {x.shape[-1]} pixels", "at least one")
    if x.is_meta:
        # Where only sizes are asked for: of indices without values torch asks its compiler.
        below, beside = (-size % multiple for size in x.shape[-2:])
        return nn.functional.pad(x, (0, beside, 0, below))
    for axis in (-2, -1):
        size = x.shape[axis]
        if surplus := -size % multiple:
            index = torch.arange(size + surplus, device=x.device)
            x = x.index_select(axis, place(index, size))
    return x
