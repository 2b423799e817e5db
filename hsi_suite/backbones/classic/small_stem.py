"""How Inception networks begin on images of about 32×32."""

from __future__ import annotations

from typing import Unpack

from torch import nn

from ..branches import build_stem
from ..dimension import LayerChoice, Style
from ..inception_tables import Conv, Normed


def small_inception_stem(
    in_channels: int,
    out_channels: int,
    *,
    response_norm: LayerChoice = None,
    **style: Unpack[Style],
) -> nn.Sequential:
    """Three 3×3 convolutions that keep the size, in place of the published stem.

    The papers have no such variant: this is their stem without its strides, pooling and 1×1
    convolutions.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, n, ...).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; the others are a quarter and a half of them.
        response_norm: lrn behind the first convolution and the last, or None.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> small_inception_stem(3, 24, dim=2)(torch.zeros(1, 3, 9, 9)).shape
        torch.Size([1, 24, 9, 9])
    """
    norms = () if response_norm is None else (Normed(response_norm),)
    chain = (Conv(64, 3), *norms, Conv(128, 3), Conv(256, 3), *norms)
    return build_stem(chain, in_channels, out_channels, style, stride=1)
