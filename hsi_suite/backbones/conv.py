"""Convolution with what follows it, and the depthwise-separable convolution."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TypedDict, Unpack

from torch import nn

from ..errors import ConfigError
from .dimension import (
    CONVOLUTIONS,
    LayerChoice,
    Padding,
    Size,
    Style,
    build_activation,
    build_norm,
    needs_bias,
    per_axis,
    resolve_padding,
)
from .squeeze_excitation import build_attention


def convolution(
    in_channels: int,
    out_channels: int,
    kernel_size: Size,
    *,
    dim: int,
    stride: Size = 1,
    padding: Padding = "same",
    groups: int = 1,
    dilation: Size = 1,
    bias: bool = True,
) -> nn.Module:
    """A bare convolution of `dim` axes; `padding` as in `resolve_padding`.

    Raises:
        ConfigError: `dim` is not 1, 2 or 3, there are no channels, `groups` does not divide
            them, or a kernel, stride or dilation is below 1.
    """
    if dim not in CONVOLUTIONS:
        raise ConfigError("dim", str(dim), "1, 2 or 3")
    if in_channels < 1 or out_channels < 1:
        raise ConfigError("channels", f"{in_channels} in and {out_channels} out", "at least 1")
    # The meta device, on which networks are first built, lets a dilation of 0 pass.
    sizes = {"kernel_size": kernel_size, "stride": stride, "dilation": dilation, "groups": groups}
    for name, size in sizes.items():
        if min(per_axis(size, dim, name)) < 1:
            raise ConfigError(name, f"{size}", "at least 1")
    if in_channels % groups or out_channels % groups:
        found = f"{groups} do not divide {in_channels} channels in and {out_channels} out"
        raise ConfigError("groups", found, "a divisor of both")
    return CONVOLUTIONS[dim](
        in_channels,
        out_channels,
        kernel_size,
        stride=stride,
        padding=resolve_padding(padding, kernel_size, dim, dilation),
        groups=groups,
        dilation=dilation,
        bias=bias,
    )


def named_layers(**layers: nn.Module | None) -> OrderedDict[str, nn.Module]:
    """The layers that are there, in order, for a named `nn.Sequential`."""
    return OrderedDict((name, layer) for name, layer in layers.items() if layer is not None)


class ConvNormAct(nn.Sequential):
    """Convolution, norm, activation, attention: the unit every network here is made of.

    The children are called `conv`, `norm`, `activation` and `attention`; those not asked for
    are absent.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, m, ...) with m = ceil(n / stride) for
    `same` and floor((n - kernel_size) / stride) + 1 for `valid` padding.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: one size, or one per axis.
        dim: 1 for spectra, 2 for images, 3 for cubes.
        stride: one stride, or one per axis.
        padding: `same` (zeros), `valid` (none), or the zeros on both sides.
        groups: groups of channels that are convolved apart.
        dilation: spacing of the kernel's samples.
        norm: `batch`, `layer` (over channels), `group`, `lrn` or None; see `dimension`.
        activation: `relu` and others; None for a linear unit.
        bias: whether the convolution has one; None: exactly when no norm with shifts follows.
        attention: `se` or None.

    Example:
        >>> import torch
        >>> block = ConvNormAct(1, 8, (7, 3, 3), dim=3, padding="valid")
        >>> block(torch.zeros(2, 1, 30, 25, 25)).shape
        torch.Size([2, 8, 24, 23, 23])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        *,
        dim: int,
        stride: Size = 1,
        padding: Padding = "same",
        groups: int = 1,
        dilation: Size = 1,
        norm: LayerChoice = None,
        activation: LayerChoice = "relu",
        bias: bool | None = None,
        attention: LayerChoice = None,
    ) -> None:
        conv = convolution(
            in_channels,
            out_channels,
            kernel_size,
            dim=dim,
            stride=stride,
            padding=padding,
            groups=groups,
            dilation=dilation,
            bias=needs_bias(norm) if bias is None else bias,
        )
        layers = named_layers(
            conv=conv,
            norm=build_norm(norm, out_channels, dim),
            activation=build_activation(activation),
            attention=build_attention(attention, out_channels),
        )
        super().__init__(layers)


class NormActConv(nn.Sequential):
    """Norm, activation, convolution, attention: the pre-activated unit.

    He et al. (ECCV 2016), figure 4e. The children are called as in `ConvNormAct`.

    Shapes and arguments: as `ConvNormAct`; the norm has `in_channels` channels and the
    convolution has a bias exactly when the norm has no shifts.

    Example:
        >>> import torch
        >>> block = NormActConv(16, 8, 3, dim=1, norm="batch")
        >>> block(torch.zeros(2, 16, 20)).shape, list(dict(block.named_children()))
        (torch.Size([2, 8, 20]), ['norm', 'activation', 'conv'])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        *,
        dim: int,
        stride: Size = 1,
        padding: Padding = "same",
        groups: int = 1,
        norm: LayerChoice = None,
        activation: LayerChoice = "relu",
        attention: LayerChoice = None,
    ) -> None:
        conv = convolution(
            in_channels,
            out_channels,
            kernel_size,
            dim=dim,
            stride=stride,
            padding=padding,
            groups=groups,
            bias=needs_bias(norm),
        )
        layers = named_layers(
            norm=build_norm(norm, in_channels, dim),
            activation=build_activation(activation),
            conv=conv,
            attention=build_attention(attention, out_channels),
        )
        super().__init__(layers)


def without_attention(style: Style) -> Style:
    """The choices for the inner layers of a block: attention comes once, at its end."""
    inner = style.copy()
    inner.pop("attention", None)
    return inner


def conv_unit(style: Style) -> Callable[..., ConvNormAct]:
    """`ConvNormAct` with the choices of `style`, except the attention, already made."""
    choices: Style = {"norm": "batch", **without_attention(style)}
    return partial(ConvNormAct, **choices)


class LinearEnd(TypedDict):
    """The choices in which the last unit of a residual body differs from the others."""

    activation: LayerChoice
    attention: LayerChoice


def linear_end(style: Style) -> LinearEnd:
    """How the last unit before an addition differs: no activation, but the attention."""
    return {"activation": None, "attention": style.get("attention")}


class DepthwiseSeparableConv(nn.Sequential):
    """A convolution of each channel alone, then a 1×1 convolution across channels.

    MobileNetV1: Howard et al. (2017), section 3.1 and figure 3 (right); norm and activation
    follow both. Children: `depthwise`, `pointwise`.

    Shapes: as `ConvNormAct`.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: of the depthwise convolution.
        stride: of the depthwise convolution.
        style: `dim` and the choices of `Style`.

    Example:
        >>> import torch
        >>> block = DepthwiseSeparableConv(32, 64, dim=2, stride=2)
        >>> block(torch.zeros(2, 32, 9, 9)).shape
        torch.Size([2, 64, 5, 5])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: Size = 3,
        stride: Size = 1,
        **style: Unpack[Style],
    ) -> None:
        unit = conv_unit(style)
        layers = named_layers(
            depthwise=unit(
                in_channels, in_channels, kernel_size, stride=stride, groups=in_channels
            ),
            pointwise=unit(in_channels, out_channels, 1, attention=style.get("attention")),
        )
        super().__init__(layers)
