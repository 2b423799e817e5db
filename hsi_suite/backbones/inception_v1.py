"""Inception v1 (GoogLeNet) and v2 (BN-Inception)."""

from __future__ import annotations

from typing import Literal, Unpack

from torch import nn

from .branches import build_stem, inception
from .dimension import LayerChoice, Style
from .inception_tables import Conv, Normed, Pool, Table

MODULE_3A = (64, 96, 128, 16, 32, 32)


def inception_v1_naive(
    in_channels: int,
    out_channels: int,
    *,
    widths: tuple[int, int, int] = (64, 128, 32),
    stride: int = 1,
    **style: Unpack[Style],
) -> nn.Sequential:
    """1×1, 3×3 and 5×5 convolutions beside a maximum, which passes the input's channels on.

    Szegedy et al. (CVPR 2015), figure 2a.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n, ...), n - 4 with valid padding.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, more than `in_channels`.
        widths: of the 1×1, 3×3 and 5×5 branch; scaled so that the output fits.
        stride: 1.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_v1_naive(16, 64, dim=2)(torch.zeros(2, 16, 7, 7)).shape
        torch.Size([2, 64, 7, 7])
    """
    one, three, five = widths
    table = ((Conv(one),), (Conv(three, 3),), (Conv(five, 5),), (Pool("max"),))
    return inception(table, in_channels, out_channels, style, stride=stride)


def inception_v1_table(
    widths: tuple[int, int, int, int, int, int] = MODULE_3A, five_by_five: bool = True
) -> Table:
    """The branches of `inception_v1`, whose arguments these are."""
    one, reduce3, three, reduce5, five, project = widths
    return (
        (Conv(one),),
        (Conv(reduce3), Conv(three, 3)),
        (Conv(reduce5), Conv(five, 5 if five_by_five else 3)),
        (Pool("max"), Conv(project)),
    )


def inception_v1(
    in_channels: int,
    out_channels: int,
    *,
    widths: tuple[int, int, int, int, int, int] = MODULE_3A,
    five_by_five: bool = True,
    stride: int = 1,
    **style: Unpack[Style],
) -> nn.Sequential:
    """The module of GoogLeNet: 1×1 reductions before the wide kernels.

    Szegedy et al. (CVPR 2015), figure 2b; the default widths are module 3a of table 1.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n, ...), n - 4 with valid padding.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        widths: 1×1; 3×3 reduction, 3×3; 5×5 reduction, 5×5; pool projection. Scaled where they
            do not add up to `out_channels`.
        five_by_five: False puts a 3×3 kernel in the 5×5 branch, as torchvision does.
        stride: 1.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_v1(192, 256, dim=2)(torch.zeros(1, 192, 7, 7)).shape
        torch.Size([1, 256, 7, 7])
    """
    table = inception_v1_table(widths, five_by_five)
    return inception(table, in_channels, out_channels, style, stride=stride)


def inception_v2(
    in_channels: int,
    out_channels: int,
    *,
    widths: tuple[int, int, int, int, int, int] = (64, 64, 64, 64, 96, 32),
    pool: Literal["max", "average"] = "average",
    stride: int = 1,
    **style: Unpack[Style],
) -> nn.Sequential:
    """The module of BN-Inception: two 3×3 kernels in place of the 5×5.

    Ioffe and Szegedy (ICML 2015), appendix, figure 5. With stride 2 it is the module that
    passes its input through: no 1×1 branch, and a maximum without projection.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, ceil(n / stride), ...).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; with stride 2 more than `in_channels`.
        widths: 1×1; 3×3 reduction, 3×3; double 3×3 reduction, double 3×3; pool projection; the
            first and the last count with stride 1 only. Scaled where they do not add up.
        pool: `average`, or `max` as in the last module (5b).
        stride: 1 or 2.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> block = inception_v2(320, 576, widths=(0, 128, 160, 64, 96, 0), stride=2, dim=2)
        >>> block(torch.zeros(1, 320, 8, 8)).shape
        torch.Size([1, 576, 4, 4])
    """
    one, reduce3, three, reduce_double, double, project = widths
    convolved = (
        (Conv(reduce3), Conv(three, 3, stride)),
        (Conv(reduce_double), Conv(double, 3), Conv(double, 3, stride)),
    )
    if stride > 1:
        reduction = (*convolved, (Pool("max", stride=stride),))
        return inception(reduction, in_channels, out_channels, style, stride=stride)
    table = ((Conv(one),), *convolved, (Pool(pool), Conv(project)))
    return inception(table, in_channels, out_channels, style)


def inception_v1_stem(
    in_channels: int,
    out_channels: int = 192,
    *,
    response_norm: LayerChoice = None,
    stride: int = 8,
    **style: Unpack[Style],
) -> nn.Sequential:
    """What comes before the first module of GoogLeNet and BN-Inception.

    Szegedy et al. (CVPR 2015), table 1: convolution 7×7/2, maximum /2, 1×1, 3×3, maximum /2.
    With `response_norm` the published local response normalisations stand where figure 3 has them:
    behind the first maximum, and before the second.

    Shapes: (N, in_channels, 224, 224) to (N, out_channels, 28, 28).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; the other widths follow in proportion.
        response_norm: lrn, or None to leave both out, as torchvision does.
        stride: 8.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_v1_stem(3, 24, dim=2)(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 24, 8, 8])
    """
    pool = Pool("max", stride=2, padding="valid", ceil_mode=True)
    norms = () if response_norm is None else (Normed(response_norm),)
    chain = (Conv(64, 7, 2), pool, *norms, Conv(64), Conv(192, 3), *norms, pool)
    return build_stem(chain, in_channels, out_channels, style, stride=stride)
