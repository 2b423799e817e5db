"""Residual learning around any body, and the bodies of the ResNet family."""

from __future__ import annotations

from functools import partial
from typing import Unpack

from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ConfigError, ShapeError
from .conv import NormActConv, conv_unit, convolution, linear_end, without_attention
from .dimension import (
    LayerChoice,
    Size,
    Style,
    build_activation,
    build_norm,
    needs_bias,
    per_axis,
    spatial_axes,
)
from .squeeze_excitation import build_attention


class Residual(nn.Module):
    """activation(shortcut(x) + scale * body(x)).

    He et al. (CVPR 2016), equations 1-2; the scale of 0.1 to 0.3 that keeps wide Inception
    bodies stable is Szegedy et al. (AAAI 2017), section 3.3. Where the body loses positions at
    its borders (valid padding), the shortcut sees the centre of the input.

    Shapes: (N, C, n, ...) to the shape of `body(x)`.

    Args:
        body: any module.
        shortcut: what the input passes on its way round the body; None: nothing.
        scale: factor of the body's output.
        activation: after the addition; None for none.
        stride: of body and shortcut, one or one per axis.

    Example:
        >>> import torch
        >>> from hsi_suite.backbones import ConvNormAct
        >>> body = ConvNormAct(8, 8, 3, dim=2, padding="valid", activation=None)
        >>> Residual(body)(torch.zeros(1, 8, 7, 7)).shape
        torch.Size([1, 8, 5, 5])
    """

    def __init__(
        self,
        body: nn.Module,
        shortcut: nn.Module | None = None,
        scale: float = 1.0,
        activation: LayerChoice = "relu",
        stride: Size = 1,
    ) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut or nn.Identity()
        self.scale = scale
        self.activation = build_activation(activation) or nn.Identity()
        self.stride = stride

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"scale={self.scale}"

    def forward(self, x: Tensor) -> Tensor:
        """Add the shortcut to what the body makes of `x`.

        Raises:
            ShapeError: the two do not fit each other.
        """
        added = self.body(x)
        kept = self.shortcut(self._centre(x, added))
        if kept.shape != added.shape:
            found = f"a shortcut {tuple(kept.shape)} and a body {tuple(added.shape)}"
            raise ShapeError("residual", found, "equal shapes", "give a projecting shortcut")
        output: Tensor = self.activation(kept + (added if self.scale == 1 else self.scale * added))
        return output

    def _centre(self, x: Tensor, added: Tensor) -> Tensor:
        """The positions of `x` that the strided shortcut needs to meet `added`."""
        margins: list[int] = []
        for axis, stride in zip(spatial_axes(x), per_axis(self.stride, x.ndim - 2), strict=True):
            surplus = x.shape[axis] - ((added.shape[axis] - 1) * stride + 1)
            margins = [surplus // 2, surplus - surplus // 2, *margins]
        return F.pad(x, [-margin for margin in margins]) if any(margins) else x


def _identity_fits(in_channels: int, out_channels: int, stride: Size, dim: int) -> bool:
    return in_channels == out_channels and set(per_axis(stride, dim, "stride")) == {1}


def projection_shortcut(
    in_channels: int, out_channels: int, stride: Size, style: Style
) -> nn.Module | None:
    """None where the identity fits, else a 1×1 convolution with norm (He et al., option B)."""
    if _identity_fits(in_channels, out_channels, stride, style["dim"]):
        return None
    return conv_unit(style)(in_channels, out_channels, 1, stride=stride, activation=None)


def _residual(
    body: nn.Module,
    in_channels: int,
    out_channels: int,
    stride: Size,
    style: Style,
    scale: float,
    shortcut: nn.Module | None = None,
) -> Residual:
    shortcut = shortcut or projection_shortcut(in_channels, out_channels, stride, style)
    activation = style.get("activation", "relu")
    return Residual(body, shortcut, scale, activation, stride)


def _check_convolutions(convolutions: int) -> None:
    if convolutions not in (1, 2):
        raise ConfigError("convolutions", f"{convolutions!r}", "1 or 2")


def basic_residual(
    in_channels: int,
    out_channels: int,
    *,
    kernel_size: Size = 3,
    stride: Size = 1,
    convolutions: int = 2,
    project: bool = False,
    scale: float = 1.0,
    **style: Unpack[Style],
) -> Residual:
    """Two convolutions and a shortcut: ResNet-18 and -34.

    He et al. (CVPR 2016), figure 5 (left).

    Shapes: as `ConvNormAct`; valid padding loses a kernel for each convolution.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: of the convolutions.
        stride: of the first convolution.
        convolutions: 2, or 1 for a body of a single convolution.
        project: whether the shortcut is a convolution even where the identity would fit (He et
            al., option C).
        scale: factor of the body.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> block = basic_residual(8, 16, dim=2, stride=2)
        >>> block(torch.zeros(2, 8, 9, 9)).shape
        torch.Size([2, 16, 5, 5])
    """
    _check_convolutions(convolutions)
    unit, end = conv_unit(style), linear_end(style)
    body: nn.Module = (
        unit(in_channels, out_channels, kernel_size, stride=stride, **end)
        if convolutions == 1
        else nn.Sequential(
            unit(in_channels, out_channels, kernel_size, stride=stride),
            unit(out_channels, out_channels, kernel_size, **end),
        )
    )
    shortcut = (
        unit(in_channels, out_channels, 1, stride=stride, activation=None) if project else None
    )
    return _residual(body, in_channels, out_channels, stride, style, scale, shortcut)


def bottleneck_residual(
    in_channels: int,
    out_channels: int,
    *,
    width: int | None = None,
    groups: int = 1,
    kernel_size: Size = 3,
    stride: Size = 1,
    scale: float = 1.0,
    **style: Unpack[Style],
) -> Residual:
    """1×1 to fewer channels, a convolution, 1×1 back: ResNet-50 and deeper, ResNeXt.

    He et al. (CVPR 2016), figure 5 (right), with the stride on the middle convolution as
    torchvision has it; with groups Xie et al. (CVPR 2017), figure 3c.

    Shapes: as `ConvNormAct`.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        width: channels of the middle convolution; None: a quarter of `out_channels`.
        groups: groups (cardinality) of the middle convolution.
        kernel_size: of the middle convolution.
        stride: of the middle convolution.
        scale: factor of the body.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> block = bottleneck_residual(16, 32, dim=3, padding="valid", groups=2)
        >>> block(torch.zeros(1, 16, 5, 5, 5)).shape
        torch.Size([1, 32, 3, 3, 3])
    """
    width = width or max(1, out_channels // 4)
    unit = conv_unit(style)
    body = nn.Sequential(
        unit(in_channels, width, 1),
        unit(width, width, kernel_size, stride=stride, groups=groups),
        unit(width, out_channels, 1, **linear_end(style)),
    )
    return _residual(body, in_channels, out_channels, stride, style, scale)


def resnext_residual(
    in_channels: int,
    out_channels: int,
    *,
    width: int | None = None,
    groups: int = 32,
    kernel_size: Size = 3,
    stride: Size = 1,
    scale: float = 1.0,
    **style: Unpack[Style],
) -> Residual:
    """The bottleneck with a grouped middle of half the output's channels: ResNeXt 32×4d.

    Xie et al. (CVPR 2017), table 1 and figure 3c. `groups` is the cardinality; for shapes and
    the other arguments see `bottleneck_residual`.

    Example:
        >>> import torch
        >>> resnext_residual(16, 32, dim=1, groups=4)(torch.zeros(2, 16, 9)).shape
        torch.Size([2, 32, 9])
    """
    return bottleneck_residual(
        in_channels,
        out_channels,
        width=width or max(1, out_channels // 2),
        groups=groups,
        kernel_size=kernel_size,
        stride=stride,
        scale=scale,
        **style,
    )


def preactivation_residual(
    in_channels: int,
    out_channels: int,
    *,
    bottleneck: bool = False,
    kernel_size: Size = 3,
    stride: Size = 1,
    convolutions: int = 2,
    scale: float = 1.0,
    **style: Unpack[Style],
) -> nn.Sequential:
    """Norm and activation before each convolution, nothing after the addition.

    He et al. (ECCV 2016), figure 4e. Where the shortcut projects, the first norm and activation
    come before both ways, as in the authors' code.

    Shapes: as `ConvNormAct`.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        bottleneck: three convolutions, the inner ones a quarter as wide, instead of two.
        kernel_size: of the convolutions that are not 1×1.
        stride: of the first of those.
        convolutions: 2, or 1 for a body of a single convolution; of a bottleneck it says nothing.
        scale: factor of the body.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> block = preactivation_residual(8, 16, dim=2, bottleneck=True, stride=2)
        >>> block(torch.zeros(1, 8, 6, 6)).shape
        torch.Size([1, 16, 3, 3])
    """
    choices: Style = {"norm": "batch", "activation": "relu", **without_attention(style)}
    _check_convolutions(convolutions)
    attention = style.get("attention")
    unit, dim = partial(NormActConv, **choices), style["dim"]
    bare = partial(convolution, dim=dim, bias=needs_bias(choices["norm"]))
    padding = style.get("padding", "same")
    begin = [build_norm(choices["norm"], in_channels, dim), build_activation(choices["activation"])]
    ahead = [layer for layer in begin if layer is not None]
    if bottleneck:
        narrow = max(1, out_channels // 4)
        body = [
            bare(in_channels, narrow, 1),
            unit(narrow, narrow, kernel_size, stride=stride),
            unit(narrow, out_channels, 1, attention=attention),
        ]
    elif convolutions == 1:
        only = bare(in_channels, out_channels, kernel_size, stride=stride, padding=padding)
        end = build_attention(attention, out_channels)
        body = [only] if end is None else [only, end]
    else:
        body = [
            bare(in_channels, out_channels, kernel_size, stride=stride, padding=padding),
            unit(out_channels, out_channels, kernel_size, attention=attention),
        ]
    if _identity_fits(in_channels, out_channels, stride, dim):
        return nn.Sequential(Residual(nn.Sequential(*ahead, *body), None, scale, None))
    shortcut = bare(in_channels, out_channels, 1, stride=stride)
    residual = Residual(nn.Sequential(*body), shortcut, scale, None, stride)
    return nn.Sequential(*ahead, residual)
