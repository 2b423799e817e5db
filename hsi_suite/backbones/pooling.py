"""Pooling in 1-D, 2-D and 3-D whose backward pass is deterministic on CUDA too.

Torch's own adaptive pooling and 3-D average pooling are not: here they are means, products with
a constant matrix, and a constant grouped convolution. Its 3-D maximum pooling is in newer versions
alone: here the maxima of planes come first, on CUDA.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ShapeError
from .dimension import Padding, Size, per_axis, resolve_padding, spatial_axes

_AS_ON_CUDA = ContextVar("_AS_ON_CUDA", default=False)


@contextmanager
def as_on_cuda() -> Iterator[None]:
    """Let processors compute inside the block by the operations that are called on CUDA."""
    before = _AS_ON_CUDA.set(True)
    try:
        yield
    finally:
        _AS_ON_CUDA.reset(before)


class MaxPool3d(nn.MaxPool3d):
    """Torch's own; on CUDA the maxima of each plane, then those of the planes: the same values.

    Gradients are those of torch's but for the order of sums where cells overlap.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Pool `x`, N × C × depth × lines × samples."""
        if not (x.is_cuda or _AS_ON_CUDA.get()) or x.ndim != 5 or self.return_indices:
            pooled: Tensor = super().forward(x)
            return pooled
        of_planes, of_depth = self._along((1, 2)), self._along((0,))
        planes = F.max_pool2d(x.flatten(1, 2), **of_planes).unflatten(1, x.shape[1:3])
        maxima: Tensor = F.max_pool2d(planes.flatten(3), **of_depth)
        return maxima.reshape(planes.shape[0], planes.shape[1], -1, *planes.shape[3:])

    def _along(self, axes: tuple[int, ...]) -> dict[str, Any]:
        """Arguments of a 2-D pooling along two axes, or along the first and nothing else."""
        given = {
            "kernel_size": self.kernel_size,
            "stride": self.kernel_size if self.stride is None else self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
        }
        still = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
        sizes = {
            key: [*(per_axis(value, 3, key)[axis] for axis in axes), still[key]][:2]
            for key, value in given.items()
        }
        return sizes | {"ceil_mode": self.ceil_mode}


MAX_POOLS: dict[int, Callable[..., nn.Module]] = {
    1: nn.MaxPool1d,
    2: nn.MaxPool2d,
    3: MaxPool3d,
}
_AVERAGE: dict[int, Callable[..., Tensor]] = {1: F.avg_pool1d, 2: F.avg_pool2d}


def max_pool(
    size: Size, *, dim: int, stride: Size, padding: Padding = "same", ceil_mode: bool = False
) -> nn.Module:
    """Maximum pooling over `dim` axes; `padding` as in `resolve_padding`."""
    zeros = resolve_padding(padding, size, dim)
    return MAX_POOLS[dim](size, stride=stride, padding=zeros, ceil_mode=ceil_mode)


class AveragePool(nn.Module):
    """Mean over a moving cell of each channel.

    Shapes: (N, C, n, ...) to (N, C, m, ...), sizes as for a convolution.

    Args:
        size: of the cell, one or one per axis.
        dim: 1, 2 or 3.
        stride: step of the cell.
        padding: as in `resolve_padding`.
        count_padding: whether padded zeros count in the mean at the border.

    Example:
        >>> import torch
        >>> AveragePool(3, dim=1, stride=1, count_padding=False)(torch.ones(1, 1, 4))
        tensor([[[1., 1., 1., 1.]]])
    """

    def __init__(
        self,
        size: Size,
        *,
        dim: int,
        stride: Size,
        padding: Padding = "same",
        count_padding: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = per_axis(size, dim, "size")
        self.stride = per_axis(stride, dim, "stride")
        self.padding = resolve_padding(padding, size, dim)
        self.count_padding = count_padding

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"{self.kernel_size}, stride={self.stride}, padding={self.padding}"

    def forward(self, x: Tensor) -> Tensor:
        """Average `x`."""
        if len(self.kernel_size) in _AVERAGE:
            average = _AVERAGE[len(self.kernel_size)]
            return average(
                x, self.kernel_size, self.stride, self.padding, False, self.count_padding
            )
        if self.count_padding:
            return self._sums(x) / math.prod(self.kernel_size)
        return self._sums(x) / self._sums(x.new_ones(1, 1, *x.shape[2:]))

    def _sums(self, x: Tensor) -> Tensor:
        # A constant grouped convolution, because avg_pool3d has no deterministic backward on CUDA.
        ones = x.new_ones(x.shape[1], 1, *self.kernel_size)
        return F.conv3d(x, ones, stride=self.stride, padding=self.padding, groups=x.shape[1])


class FixedGrid(nn.Sequential):
    """Pooling that has to come to a number of cells per axis, for a connected layer behind it.

    Shapes: those of the pooling.

    Args:
        pool: the pooling.
        cells: per axis.

    Raises:
        ShapeError: when called with features that come to another grid.
    """

    def __init__(self, pool: nn.Module, cells: int) -> None:
        super().__init__(pool)
        self.cells = cells

    def forward(self, x: Tensor) -> Tensor:
        """Pool `x`."""
        pooled: Tensor = self[0](x)
        if set(pooled.shape[2:]) != {self.cells}:
            size = "×".join(map(str, x.shape[2:]))
            expected = f"a size that {self[0]} brings to {self.cells} on each side"
            remedy = "take images of the published size, or pool to a grid"
            raise ShapeError("pooling", f"features of {size}", expected, remedy)
        return pooled


class AdaptiveMeanPool(nn.Module):
    """Mean over a fixed number of cells per axis, whatever the input's size.

    The same cells as torch's adaptive average pooling: cell i of m covers the positions from
    floor(i n / m) to ceil((i + 1) n / m).

    Shapes: (N, C, n, ...) to (N, C, m, ...).

    Args:
        size: m, one or one per axis.
        dim: 1, 2 or 3.

    Example:
        >>> import torch
        >>> AdaptiveMeanPool(2, dim=1)(torch.tensor([[[1.0, 2.0, 3.0, 5.0]]]))
        tensor([[[1.5000, 4.0000]]])
    """

    keeps_window_equivariance = False

    def __init__(self, size: Size, *, dim: int) -> None:
        super().__init__()
        self.size = per_axis(size, dim)

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"{self.size}"

    def forward(self, x: Tensor) -> Tensor:
        """Average `x` axis by axis."""
        for axis, cells in zip(spatial_axes(x), self.size, strict=True):
            if x.shape[axis] == cells:
                continue
            weights = _cell_weights(x.shape[axis], cells).to(x)
            x = (x.movedim(axis, -1) @ weights).movedim(-1, axis)
        return x


def _cell_weights(length: int, cells: int) -> Tensor:
    """Matrix (length, cells) whose columns average one cell each."""
    weights = torch.zeros(length, cells, dtype=torch.float64)
    for cell in range(cells):
        first, last = cell * length // cells, -(-(cell + 1) * length // cells)
        weights[first:last, cell] = 1.0 / (last - first)
    return weights


class GlobalMean(nn.Module):
    """Mean over all positions (Lin et al., 2014, section 3.2).

    Shapes: (N, C, ...) to (N, C).
    """

    keeps_window_equivariance = False

    def forward(self, x: Tensor) -> Tensor:
        """Average `x` over everything behind the channels."""
        return x.mean(dim=spatial_axes(x))
