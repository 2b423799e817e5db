"""Inception v4, and the reductions it shares with Inception-ResNet."""

from __future__ import annotations

from typing import Unpack

from torch import nn

from .branches import build_stem, check_stride, inception
from .conv import without_attention
from .dimension import Style
from .inception_tables import HALVING_MAXIMUM, Conv, Factorised, Parallel, Pool, Table

_AVERAGE = Pool("average", count_padding=False)


def inception_v4_a(
    in_channels: int, out_channels: int, *, stride: int = 1, **style: Unpack[Style]
) -> nn.Sequential:
    """1×1, 3×3, double 3×3 and pooled branch of equal widths.

    Szegedy et al. (AAAI 2017), figure 4.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n, ...), n - 4 with valid padding.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, 384 as published.
        stride: 1.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_v4_a(384, 384, dim=2)(torch.zeros(1, 384, 5, 5)).shape
        torch.Size([1, 384, 5, 5])
    """
    table = (
        (Conv(96),),
        (Conv(64), Conv(96, 3)),
        (Conv(64), Conv(96, 3), Conv(96, 3)),
        (_AVERAGE, Conv(96)),
    )
    return inception(table, in_channels, out_channels, style, stride=stride)


def inception_v4_b(
    in_channels: int, out_channels: int, *, stride: int = 1, **style: Unpack[Style]
) -> nn.Sequential:
    """1×1, factorised 7×7, twice factorised 7×7 and pooled branch.

    Szegedy et al. (AAAI 2017), figure 5.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n, ...), n - 12 with valid padding.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, 1024 as published.
        stride: 1.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_v4_b(16, 32, dim=2, padding="valid")(torch.zeros(1, 16, 14, 14)).shape
        torch.Size([1, 32, 2, 2])
    """
    table = (
        (Conv(384),),
        (Conv(192), Factorised(256, 7, 224)),
        (
            Conv(192),
            Factorised(224, 7, 192, reverse=True),
            Factorised(256, 7, 224, reverse=True),
        ),
        (_AVERAGE, Conv(128)),
    )
    return inception(table, in_channels, out_channels, style, stride=stride)


def inception_v4_c(
    in_channels: int, out_channels: int, *, stride: int = 1, **style: Unpack[Style]
) -> nn.Sequential:
    """1×1, parallel 1×3 and 3×1, the same after a factorised 3×3, and pooled branch.

    Szegedy et al. (AAAI 2017), figure 6.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n, ...), n - 4 with valid padding.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, 1536 as published.
        stride: 1.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_v4_c(16, 32, dim=3)(torch.zeros(1, 16, 3, 3, 3)).shape
        torch.Size([1, 32, 3, 3, 3])
    """
    table = (
        (Conv(256),),
        (Conv(384), Parallel(512, 3)),
        (Conv(384), Factorised(512, 3, 448, reverse=True), Parallel(512, 3)),
        (_AVERAGE, Conv(256)),
    )
    return inception(table, in_channels, out_channels, style, stride=stride)


def reduction_a(
    in_channels: int,
    out_channels: int,
    *,
    widths: tuple[int, int, int, int] = (192, 224, 256, 384),
    stride: int = 2,
    **style: Unpack[Style],
) -> nn.Sequential:
    """The reduction from 35×35 to 17×17: n at 3×3/2; k, l, m at 1×1, 3×3, 3×3/2; maximum.

    Szegedy et al. (AAAI 2017), figure 7 and table 1: (k, l, m, n) is (192, 224, 256, 384) in
    Inception v4, (192, 192, 256, 384) in Inception-ResNet v1, (256, 256, 384, 384) in v2.

    Shapes: (N, in_channels, i, ...) to (N, out_channels, floor((i - 1) / 2), ...).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output: in_channels + m + n as published, else the widths
            are scaled.
        widths: k, l, m, n of the paper.
        stride: 2.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> reduction_a(384, 1024, dim=2)(torch.zeros(1, 384, 9, 9)).shape
        torch.Size([1, 1024, 4, 4])
    """
    reduced, middle, double, single = widths
    table = (
        (Conv(single, 3, 2, "valid"),),
        (Conv(reduced), Conv(middle, 3), Conv(double, 3, 2, "valid")),
        (HALVING_MAXIMUM,),
    )
    return inception(table, in_channels, out_channels, style, stride=stride)


def reduction_b(
    in_channels: int, out_channels: int, *, stride: int = 2, **style: Unpack[Style]
) -> nn.Sequential:
    """The reduction from 17×17 to 8×8 of Inception v4: 3×3/2, factorised 7×7 with 3×3/2, maximum.

    Szegedy et al. (AAAI 2017), figure 8.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, floor((n - 1) / 2), ...).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, in_channels + 512 as published.
        stride: 2.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> reduction_b(1024, 1536, dim=2)(torch.zeros(1, 1024, 7, 7)).shape
        torch.Size([1, 1536, 3, 3])
    """
    table = (
        (Conv(192), Conv(192, 3, 2, "valid")),
        (Conv(256), Factorised(320, 7, 256), Conv(320, 3, 2, "valid")),
        (HALVING_MAXIMUM,),
    )
    return inception(table, in_channels, out_channels, style, stride=stride)


def inception_v4_stem(
    in_channels: int, out_channels: int = 384, *, stride: int = 8, **style: Unpack[Style]
) -> nn.Sequential:
    """What comes before the first module of Inception v4 and the published Inception-ResNet v2.

    Szegedy et al. (AAAI 2017), figure 3: three convolutions, then three pairs of branches.

    Shapes: (N, in_channels, 299, 299) to (N, out_channels, 35, 35).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; the other widths follow in proportion.
        stride: 8.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_v4_stem(3, 48, dim=2)(torch.zeros(1, 3, 75, 75)).shape
        torch.Size([1, 48, 7, 7])
    """
    check_stride(stride, 8)
    mixed: list[Table] = [
        ((HALVING_MAXIMUM,), (Conv(96, 3, 2, "valid"),)),
        (
            (Conv(64), Conv(96, 3, padding="valid")),
            (Conv(64), Factorised(64, 7, 64), Conv(96, 3, padding="valid")),
        ),
        ((Conv(192, 3, 2, "valid"),), (HALVING_MAXIMUM,)),
    ]
    first, second, third = (max(2, round(out_channels * part / 384)) for part in (64, 160, 192))
    plain = without_attention(style)
    begin = (Conv(32, 3, 2, "valid"), Conv(32, 3, padding="valid"), Conv(64, 3))
    return nn.Sequential(
        build_stem(begin, in_channels, first, plain, stride=2),
        inception(mixed[0], first, second, plain, stride=2),
        inception(mixed[1], second, third, plain),
        inception(mixed[2], third, out_channels, style, stride=2),
    )
