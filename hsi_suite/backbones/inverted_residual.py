"""The inverted residual with a linear bottleneck."""

from __future__ import annotations

from typing import Unpack

from torch import nn

from .conv import conv_unit, linear_end
from .dimension import Size, Style, per_axis
from .residual import Residual


def inverted_residual(
    in_channels: int,
    out_channels: int,
    *,
    expansion: float = 6,
    kernel_size: Size = 3,
    stride: Size = 1,
    scale: float = 1.0,
    **style: Unpack[Style],
) -> nn.Module:
    """1×1 to more channels, a depthwise convolution, linear 1×1 to few; added where that fits.

    MobileNetV2: Sandler et al. (CVPR 2018), table 1 and figure 4d. The activation is ReLU6
    unless chosen otherwise. There is a shortcut exactly when the stride is 1 and the channels
    stay.

    Shapes: as `ConvNormAct`.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        expansion: t, the factor from input to inner channels; 1 leaves the first 1×1 out.
        kernel_size: of the depthwise convolution.
        stride: of the depthwise convolution.
        scale: factor of the body where there is a shortcut.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> inverted_residual(16, 24, dim=2, stride=2)(torch.zeros(1, 16, 8, 8)).shape
        torch.Size([1, 24, 4, 4])
    """
    unit = conv_unit({"activation": "relu6", **style})
    inner = round(in_channels * expansion)
    body = nn.Sequential(
        *([unit(in_channels, inner, 1)] if expansion != 1 else []),
        unit(inner, inner, kernel_size, stride=stride, groups=inner),
        unit(inner, out_channels, 1, **linear_end(style)),
    )
    if in_channels == out_channels and set(per_axis(stride, style["dim"], "stride")) == {1}:
        return Residual(body, None, scale, None)
    return body
