"""Channel shuffling between grouped convolutions."""

from __future__ import annotations

from typing import Unpack

from torch import Tensor, nn

from ..errors import ConfigError, ShapeError
from .branches import Branches
from .conv import conv_unit, linear_end
from .dimension import Size, Style, build_activation, per_axis
from .pooling import AveragePool
from .residual import Residual, projection_shortcut


class ChannelShuffle(nn.Module):
    """Deal the channels of each group out to all groups.

    Zhang et al. (CVPR 2018), figure 1c: channels as a table of `groups` rows, read by columns.

    Shapes: (N, C, ...) to the same.

    Args:
        groups: divides C.

    Example:
        >>> import torch
        >>> ChannelShuffle(2)(torch.arange(6.0).reshape(1, 6, 1)).flatten().tolist()
        [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]
    """

    keeps_window_equivariance = True

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"groups={self.groups}"

    def forward(self, x: Tensor) -> Tensor:
        """Reorder the channels of `x`.

        Raises:
            ShapeError: `groups` does not divide them.
        """
        if x.shape[1] % self.groups:
            raise ShapeError("channel shuffle", f"{x.shape[1]} channels", f"{self.groups} groups")
        rows = x.reshape(x.shape[0], self.groups, -1, *x.shape[2:])
        return rows.transpose(1, 2).flatten(1, 2)


def shuffle_unit(
    in_channels: int,
    out_channels: int,
    *,
    groups: int = 2,
    first_groups: int | None = None,
    kernel_size: Size = 3,
    stride: Size = 1,
    scale: float = 1.0,
    **style: Unpack[Style],
) -> nn.Module:
    """Grouped 1×1, shuffle, depthwise convolution, grouped 1×1: the unit of ShuffleNet v1.

    Zhang et al. (CVPR 2018), figure 2b with stride 1 (added to the input) and 2c with a larger
    one (beside the averaged input). The bottleneck is a quarter of `out_channels`.

    Shapes: as `ConvNormAct`.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; with a stride more than `in_channels`.
        groups: of the 1×1 convolutions.
        first_groups: of the first of them; None: `groups`. The network's first unit has 1.
        kernel_size: of the depthwise convolution.
        stride: of the depthwise convolution.
        scale: factor of what is added with stride 1.
        style: `dim` and the choices of `Style`.

    Raises:
        ConfigError: with a stride, `out_channels` leaves nothing to compute.

    Example:
        >>> import torch
        >>> unit = shuffle_unit(24, 240, dim=2, groups=3, first_groups=1, stride=2)
        >>> unit(torch.zeros(1, 24, 8, 8)).shape
        torch.Size([1, 240, 4, 4])
    """
    dim, unit = style["dim"], conv_unit(style)
    strided = set(per_axis(stride, dim, "stride")) != {1}
    end = out_channels - in_channels if strided else out_channels
    if end < 1:
        raise ConfigError("out_channels", f"{out_channels}", f"more than {in_channels}")
    inner = max(1, out_channels // 4)
    body = nn.Sequential(
        unit(in_channels, inner, 1, groups=first_groups or groups),
        ChannelShuffle(groups),
        unit(inner, inner, kernel_size, stride=stride, groups=inner, activation=None),
        unit(inner, end, 1, groups=groups, **linear_end(style)),
    )
    activation = style.get("activation", "relu")
    if not strided:
        shortcut = projection_shortcut(in_channels, out_channels, stride, style)
        return Residual(body, shortcut, scale, activation)
    padding = style.get("padding", "same")
    pool = AveragePool(kernel_size, dim=dim, stride=stride, padding=padding)
    return nn.Sequential(Branches(pool, body), build_activation(activation) or nn.Identity())
