"""Down- and upsampling without loss: positions into channels and back."""

from __future__ import annotations

import math
from typing import Unpack

import torch
from torch import Tensor, nn

from ..errors import ShapeError
from .conv import conv_unit
from .dimension import Size, Style, per_axis, spatial_axes


class PixelUnshuffle(nn.Module):
    """Move each cell of factor × factor × ... positions into the channels.

    The inverse of `PixelShuffle` (Shi et al., CVPR 2016, equation 4), in any number of axes; in
    2-D the same as torch's.

    Shapes: (N, C, n, ...) to (N, C factor^dim, n / factor, ...).

    Args:
        factor: one, or one per axis; divides the input's sizes.
        dim: 1, 2 or 3.

    Example:
        >>> import torch
        >>> PixelUnshuffle(2, dim=3)(torch.zeros(1, 3, 4, 6, 8)).shape
        torch.Size([1, 24, 2, 3, 4])
    """

    keeps_window_equivariance = False

    def __init__(self, factor: Size, *, dim: int) -> None:
        super().__init__()
        self.factor = per_axis(factor, dim, "factor")

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"{self.factor}"

    def forward(self, x: Tensor) -> Tensor:
        """Fold positions of `x` into channels.

        Raises:
            ShapeError: a size that the factor does not divide.
        """
        dim = len(self.factor)
        sizes = x.shape[2:]
        if any(n % f for n, f in zip(sizes, self.factor, strict=True)):
            raise ShapeError("unshuffle", f"sizes {tuple(sizes)}", f"multiples of {self.factor}")
        cells = [part for n, f in zip(sizes, self.factor, strict=True) for part in (n // f, f)]
        split = x.reshape(*x.shape[:2], *cells)
        inside, outside = range(3, 3 + 2 * dim, 2), range(2, 2 + 2 * dim, 2)
        return split.permute(0, 1, *inside, *outside).flatten(1, 1 + dim)


class PixelShuffle(nn.Module):
    """Spread groups of factor^dim channels over cells of positions.

    Shi et al. (CVPR 2016), equation 4, in any number of axes; in 2-D the same as torch's.

    Shapes: (N, C factor^dim, n, ...) to (N, C, n factor, ...).

    Args:
        factor: one, or one per axis.
        dim: 1, 2 or 3.

    Example:
        >>> import torch
        >>> PixelShuffle(2, dim=1)(torch.zeros(1, 6, 5)).shape
        torch.Size([1, 3, 10])
    """

    keeps_window_equivariance = False

    def __init__(self, factor: Size, *, dim: int) -> None:
        super().__init__()
        self.factor = per_axis(factor, dim, "factor")

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"{self.factor}"

    def forward(self, x: Tensor) -> Tensor:
        """Unfold channels of `x` into positions.

        Raises:
            ShapeError: channels that the cells do not divide.
        """
        dim = len(self.factor)
        cell = math.prod(self.factor)
        if x.shape[1] % cell:
            raise ShapeError("shuffle", f"{x.shape[1]} channels", f"a multiple of {cell}")
        if dim == 2 and x.is_contiguous(memory_format=torch.channels_last):
            return self._channels_last(x)
        split = x.reshape(x.shape[0], -1, *self.factor, *x.shape[2:])
        pairs = [axis for a in range(dim) for axis in (2 + dim + a, 2 + a)]
        joined = split.permute(0, 1, *pairs)
        for axis in spatial_axes(x):
            joined = joined.flatten(axis, axis + 1)
        return joined

    def _channels_last(self, x: Tensor) -> Tensor:
        """The same numbers in the order in memory that `x` has.

        Otherwise every sum and convolution after it would turn one order into the other.
        """
        count, _, lines, samples = x.shape
        split = x.permute(0, 2, 3, 1).reshape(count, lines, samples, -1, *self.factor)
        joined = split.permute(0, 1, 4, 2, 5, 3)
        down, across = self.factor
        return joined.reshape(count, lines * down, samples * across, -1).permute(0, 3, 1, 2)


def unshuffle_down(
    in_channels: int,
    out_channels: int,
    *,
    kernel_size: Size = 3,
    stride: Size = 2,
    **style: Unpack[Style],
) -> nn.Sequential:
    """Pixel-unshuffle, then a convolution: downsampling that drops no sample.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n / stride, ...).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: of the convolution.
        stride: the factor of the unshuffling.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> unshuffle_down(3, 16, dim=2)(torch.zeros(1, 3, 8, 8)).shape
        torch.Size([1, 16, 4, 4])
    """
    factor = per_axis(stride, style["dim"], "stride")
    unit = conv_unit(style)(
        in_channels * math.prod(factor),
        out_channels,
        kernel_size,
        attention=style.get("attention"),
    )
    return nn.Sequential(PixelUnshuffle(factor, dim=style["dim"]), unit)


def shuffle_up(
    in_channels: int,
    out_channels: int,
    *,
    kernel_size: Size = 3,
    stride: Size = 2,
    **style: Unpack[Style],
) -> nn.Sequential:
    """A convolution, then pixel-shuffle: upsampling without interpolation.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n stride, ...).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: of the convolution.
        stride: the factor of the shuffling.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> shuffle_up(16, 3, dim=2)(torch.zeros(1, 16, 4, 4)).shape
        torch.Size([1, 3, 8, 8])
    """
    factor = per_axis(stride, style["dim"], "stride")
    unit = conv_unit(style)(
        in_channels,
        out_channels * math.prod(factor),
        kernel_size,
        attention=style.get("attention"),
    )
    return nn.Sequential(unit, PixelShuffle(factor, dim=style["dim"]))
