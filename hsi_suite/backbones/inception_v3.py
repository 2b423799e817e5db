"""Inception v3: factorised kernels.

The modules are called A to E in the order of the network, as torchvision calls them. In 2-D a
kernel of n is factorised into 1×n and n×1; in 3-D into 1×1×n, 1×n×1 and n×1×1; in 1-D there is
nothing to factorise and it stays a plain n.
"""

from __future__ import annotations

from typing import Unpack

from torch import nn

from .branches import build_stem, inception
from .dimension import Style
from .inception_tables import HALVING_MAXIMUM, Conv, Factorised, Parallel, Pool


def inception_v3_a(
    in_channels: int,
    out_channels: int,
    *,
    widths: tuple[int, int, int, int, int, int] = (64, 48, 64, 64, 96, 32),
    count_padding: bool = True,
    stride: int = 1,
    **style: Unpack[Style],
) -> nn.Sequential:
    """1×1, 5×5, double 3×3 and pooled branch, for the grid of 35×35.

    Szegedy et al. (CVPR 2016), figure 5.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n, ...), n - 4 with valid padding.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        widths: 1×1; 5×5 reduction, 5×5; double 3×3 reduction, double 3×3; pool projection (32
            in the network's first module, then 64). Scaled where they do not add up.
        count_padding: whether the average counts padded zeros.
        stride: 1.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_v3_a(192, 256, dim=2)(torch.zeros(1, 192, 7, 7)).shape
        torch.Size([1, 256, 7, 7])
    """
    one, reduce5, five, reduce3, three, project = widths
    table = (
        (Conv(one),),
        (Conv(reduce5), Conv(five, 5)),
        (Conv(reduce3), Conv(three, 3), Conv(three, 3)),
        (Pool("average", count_padding=count_padding), Conv(project)),
    )
    return inception(table, in_channels, out_channels, style, stride=stride)


def inception_v3_b(
    in_channels: int, out_channels: int, *, stride: int = 2, **style: Unpack[Style]
) -> nn.Sequential:
    """The reduction from 35×35 to 17×17: 3×3/2, double 3×3/2 and maximum.

    Szegedy et al. (CVPR 2016), figure 10.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, floor((n - 1) / 2), ...).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, more than `in_channels`.
        stride: 2.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_v3_b(288, 768, dim=2)(torch.zeros(1, 288, 9, 9)).shape
        torch.Size([1, 768, 4, 4])
    """
    table = (
        (Conv(384, 3, 2, "valid"),),
        (Conv(64), Conv(96, 3), Conv(96, 3, 2, "valid")),
        (HALVING_MAXIMUM,),
    )
    return inception(table, in_channels, out_channels, style, stride=stride)


def inception_v3_c(
    in_channels: int,
    out_channels: int,
    *,
    inner: int = 128,
    stride: int = 1,
    **style: Unpack[Style],
) -> nn.Sequential:
    """1×1, factorised 7×7, twice factorised 7×7 and pooled branch, for the grid of 17×17.

    Szegedy et al. (CVPR 2016), figure 6.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n, ...), n - 12 with valid padding.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, 768 as published.
        inner: channels inside the factorised branches (128, 160, 160, 192 in the network).
        stride: 1.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_v3_c(24, 24, dim=3)(torch.zeros(1, 24, 7, 7, 7)).shape
        torch.Size([1, 24, 7, 7, 7])
    """
    table = (
        (Conv(192),),
        (Conv(inner), Factorised(192, 7, inner)),
        (
            Conv(inner),
            Factorised(inner, 7, inner, reverse=True),
            Factorised(192, 7, inner, reverse=True),
        ),
        (Pool("average"), Conv(192)),
    )
    return inception(table, in_channels, out_channels, style, stride=stride)


def inception_v3_d(
    in_channels: int, out_channels: int, *, stride: int = 2, **style: Unpack[Style]
) -> nn.Sequential:
    """The reduction from 17×17 to 8×8: 3×3/2, factorised 7×7 with 3×3/2, and maximum.

    Szegedy et al. (CVPR 2016), section 5, with the widths of the released network.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, floor((n - 1) / 2), ...).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, more than `in_channels`.
        stride: 2.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_v3_d(768, 1280, dim=1)(torch.zeros(1, 768, 17)).shape
        torch.Size([1, 1280, 8])
    """
    table = (
        (Conv(192), Conv(320, 3, 2, "valid")),
        (Conv(192), Factorised(192, 7, 192), Conv(192, 3, 2, "valid")),
        (HALVING_MAXIMUM,),
    )
    return inception(table, in_channels, out_channels, style, stride=stride)


def inception_v3_e(
    in_channels: int, out_channels: int, *, stride: int = 1, **style: Unpack[Style]
) -> nn.Sequential:
    """The expanded filter bank for the grid of 8×8: 1×3 and 3×1 side by side.

    Szegedy et al. (CVPR 2016), figure 7.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n, ...), n - 4 with valid padding.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, 2048 as published.
        stride: 1.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_v3_e(32, 64, dim=2)(torch.zeros(1, 32, 8, 8)).shape
        torch.Size([1, 64, 8, 8])
    """
    table = (
        (Conv(320),),
        (Conv(384), Parallel(768, 3)),
        (Conv(448), Conv(384, 3), Parallel(768, 3)),
        (Pool("average"), Conv(192)),
    )
    return inception(table, in_channels, out_channels, style, stride=stride)


def inception_v3_stem(
    in_channels: int, out_channels: int = 192, *, stride: int = 8, **style: Unpack[Style]
) -> nn.Sequential:
    """What comes before the first module of Inception v3 and the released Inception-ResNet v2.

    Szegedy et al. (CVPR 2016), table 1, with the 80- and 192-channel end of the released
    network.

    Shapes: (N, in_channels, 299, 299) to (N, out_channels, 35, 35).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; the other widths follow in proportion.
        stride: 8.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_v3_stem(3, 24, dim=2)(torch.zeros(1, 3, 75, 75)).shape
        torch.Size([1, 24, 7, 7])
    """
    chain = (
        Conv(32, 3, 2, "valid"),
        Conv(32, 3, padding="valid"),
        Conv(64, 3),
        HALVING_MAXIMUM,
        Conv(80),
        Conv(192, 3, padding="valid"),
        HALVING_MAXIMUM,
    )
    return build_stem(chain, in_channels, out_channels, style, stride=stride)
