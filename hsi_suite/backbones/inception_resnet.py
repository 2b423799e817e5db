"""Inception-ResNet v1 and v2: Inception branches as the body of a residual block.

The branches are expanded by a linear 1×1 convolution to the channels of the input, scaled and
added (Szegedy et al., AAAI 2017, section 3.2 and 3.3). Widths of v2 are those of the released
network (320, 1088 and 2080 channels), which differ from the paper's figures.
"""

from __future__ import annotations

from typing import Literal, Unpack

from torch import nn

from .branches import INCEPTION_NORM, build_stem, inception
from .conv import ConvNormAct, linear_end, without_attention
from .dimension import Style
from .inception_tables import HALVING_MAXIMUM, Conv, Factorised, Table, own_width
from .inception_v1 import inception_v1_table
from .residual import Residual, projection_shortcut

Version = Literal[1, 2]


def inception_residual(
    table: Table,
    in_channels: int,
    out_channels: int,
    style: Style,
    *,
    published: int,
    scale: float,
    stride: int = 1,
    activate: bool = True,
) -> Residual:
    """Branches, linear 1×1 expansion, scaling, addition.

    Args:
        table: the branches, with the widths of the paper.
        in_channels: channels of the input.
        out_channels: channels of the output; the shortcut projects where they differ.
        style: `dim` and the choices of `Style`.
        published: channels of the paper's output, to which the table's widths belong.
        scale: factor of the body.
        stride: 1.
        activate: whether the activation follows the addition.
    """
    width = max(len(table), round(own_width(table) * out_channels / published))
    expand = ConvNormAct(
        width,
        out_channels,
        1,
        dim=style["dim"],
        **linear_end(style),
    )
    body = nn.Sequential(
        inception(table, in_channels, width, without_attention(style), stride=stride), expand
    )
    choices: Style = {"norm": INCEPTION_NORM, **style}
    shortcut = projection_shortcut(in_channels, out_channels, 1, choices)
    return Residual(body, shortcut, scale, style.get("activation", "relu") if activate else None)


def inception_resnet_a(
    in_channels: int,
    out_channels: int,
    *,
    version: Version = 2,
    scale: float = 0.17,
    stride: int = 1,
    **style: Unpack[Style],
) -> Residual:
    """1×1, 3×3 and double 3×3 branch, for the grid of 35×35.

    Szegedy et al. (AAAI 2017), figure 10 (v1, 256 channels) and 16 (v2, 320 as released).

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n, ...), n - 4 with valid padding.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; widths are in proportion to the published ones.
        version: 1 or 2, which is wider.
        scale: factor of the body.
        stride: 1.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_resnet_a(32, 32, dim=3)(torch.zeros(1, 32, 5, 5, 5)).shape
        torch.Size([1, 32, 5, 5, 5])
    """
    middle, end = (32, 32) if version == 1 else (48, 64)
    table = (
        (Conv(32),),
        (Conv(32), Conv(32, 3)),
        (Conv(32), Conv(middle, 3), Conv(end, 3)),
    )
    published = 256 if version == 1 else 320
    return inception_residual(
        table, in_channels, out_channels, style, published=published, scale=scale, stride=stride
    )


def inception_resnet_b(
    in_channels: int,
    out_channels: int,
    *,
    version: Version = 2,
    scale: float = 0.10,
    stride: int = 1,
    **style: Unpack[Style],
) -> Residual:
    """1×1 and factorised 7×7 branch, for the grid of 17×17.

    Szegedy et al. (AAAI 2017), figure 11 (v1, 896 channels) and 17 (v2, 1088 as released).

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n, ...), n - 6 with valid padding.

    Args: as `inception_resnet_a`.

    Example:
        >>> import torch
        >>> inception_resnet_b(32, 32, dim=2)(torch.zeros(1, 32, 5, 5)).shape
        torch.Size([1, 32, 5, 5])
    """
    one, middle = (128, 128) if version == 1 else (192, 160)
    table = ((Conv(one),), (Conv(128), Factorised(one, 7, middle)))
    published = 896 if version == 1 else 1088
    return inception_residual(
        table, in_channels, out_channels, style, published=published, scale=scale, stride=stride
    )


def inception_resnet_c(
    in_channels: int,
    out_channels: int,
    *,
    version: Version = 2,
    scale: float = 0.20,
    activate: bool = True,
    stride: int = 1,
    **style: Unpack[Style],
) -> Residual:
    """1×1 and factorised 3×3 branch, for the grid of 8×8.

    Szegedy et al. (AAAI 2017), figure 13 (v1, 1792 channels) and 19 (v2, 2080 as released).

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n, ...), n - 2 with valid padding.

    Args: as `inception_resnet_a`, and `activate`: whether the activation follows the addition;
        it does not in the network's last block, whose scale is 1.

    Example:
        >>> import torch
        >>> inception_resnet_c(32, 32, dim=1)(torch.zeros(1, 32, 5)).shape
        torch.Size([1, 32, 5])
    """
    middle, end = (192, 192) if version == 1 else (224, 256)
    table = ((Conv(192),), (Conv(192), Factorised(end, 3, middle)))
    published = 1792 if version == 1 else 2080
    return inception_residual(
        table,
        in_channels,
        out_channels,
        style,
        published=published,
        scale=scale,
        stride=stride,
        activate=activate,
    )


def inception_resnet_reduction_b(
    in_channels: int,
    out_channels: int,
    *,
    version: Version = 2,
    stride: int = 2,
    **style: Unpack[Style],
) -> nn.Sequential:
    """The reduction from 17×17 to 8×8: two 3×3/2, a double 3×3/2, maximum.

    Szegedy et al. (AAAI 2017), figure 12 (v1) and 18 (v2). The reduction from 35×35 is
    `reduction_a`.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, floor((n - 1) / 2), ...).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output: in_channels + 896 (v1) or 992 (v2) as published.
        version: 1 or 2, which is wider.
        stride: 2.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> block = inception_resnet_reduction_b(1088, 2080, dim=2)
        >>> block(torch.zeros(1, 1088, 7, 7)).shape
        torch.Size([1, 2080, 3, 3])
    """
    middle, end = (256, 256) if version == 1 else (288, 320)
    table = (
        (Conv(256), Conv(384, 3, 2, "valid")),
        (Conv(256), Conv(middle, 3, 2, "valid")),
        (Conv(256), Conv(middle, 3), Conv(end, 3, 2, "valid")),
        (HALVING_MAXIMUM,),
    )
    return inception(table, in_channels, out_channels, style, stride=stride)


def inception_resnet_v1_stem(
    in_channels: int, out_channels: int = 256, *, stride: int = 8, **style: Unpack[Style]
) -> nn.Sequential:
    """What comes before the first block of Inception-ResNet v1.

    Szegedy et al. (AAAI 2017), figure 14.

    Shapes: (N, in_channels, 299, 299) to (N, out_channels, 35, 35).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; the other widths follow in proportion.
        stride: 8.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inception_resnet_v1_stem(3, 32, dim=2)(torch.zeros(1, 3, 75, 75)).shape
        torch.Size([1, 32, 7, 7])
    """
    chain = (
        Conv(32, 3, 2, "valid"),
        Conv(32, 3, padding="valid"),
        Conv(64, 3),
        HALVING_MAXIMUM,
        Conv(80),
        Conv(192, 3, padding="valid"),
        Conv(256, 3, 2, "valid"),
    )
    return build_stem(chain, in_channels, out_channels, style, stride=stride)


def residual_inception_v1(
    in_channels: int,
    out_channels: int,
    *,
    scale: float = 0.2,
    stride: int = 1,
    **style: Unpack[Style],
) -> Residual:
    """The module of GoogLeNet as a residual body.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n, ...), n - 4 with valid padding.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; the branches add up to as many.
        scale: factor of the body.
        stride: 1.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> residual_inception_v1(32, 32, dim=2)(torch.zeros(1, 32, 5, 5)).shape
        torch.Size([1, 32, 5, 5])
    """
    return inception_residual(
        inception_v1_table(),
        in_channels,
        out_channels,
        style,
        published=256,
        scale=scale,
        stride=stride,
    )
