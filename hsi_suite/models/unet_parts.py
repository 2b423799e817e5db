"""What the U-Nets for photographs are put together from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from ..backbones import ConvNormAct, Residual
from ..backbones.stages import NOTHING, StageStyle, adds, build_stage


def linear_unit(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1
) -> ConvNormAct:
    """A convolution alone, of the same size (odd kernels) or without margin (even ones)."""
    padding = "same" if kernel_size % 2 else "valid"
    return ConvNormAct(
        in_channels,
        out_channels,
        kernel_size,
        dim=2,
        stride=stride,
        padding=padding,
        activation=None,
    )


def unet_level(width: int, blocks: int, style: StageStyle) -> nn.Sequential:
    """The residual blocks of one level, without norm unless the style names one.

    Each is what the style names if that is residual itself, else a residual around it; plain is
    two convolutions with an activation between.
    """
    return nn.Sequential(*(_residual(width, style) for _ in range(blocks)))


def _residual(width: int, style: StageStyle) -> Residual:
    scale = 1.0 if style.scale is None else style.scale
    if style.block in (None, "plain", "se"):
        bare = replace(style, block=None, attention=NOTHING, scale=None)
        last = replace(style, block=style.block, activation=NOTHING, scale=None)
        first, second = (build_stage(each, width, width, dim=2) for each in (bare, last))
        return Residual(nn.Sequential(first, second), None, scale, None)
    if not adds(style):
        block = build_stage(replace(style, scale=None), width, width, dim=2)
        return Residual(block, None, scale, None)
    block = build_stage(style, width, width, dim=2)
    return block if isinstance(block, Residual) else Residual(block, activation=None)


def seen_radius(reaches: Sequence[int | None], blocks: int, unshuffle: int) -> int | None:
    """How far a pixel of a U-Net sees, wherever it lies in its cell; None: everywhere.

    A position of level k is `unshuffle` · 2ᵏ pixels wide; a level's blocks come twice, except
    those at the bottom; head and tail are two more 3×3 convolutions at level 0. The cell itself
    adds the rest of its width.

    Args:
        reaches: of a block of each level, in its positions, see `Footprint`; 2 for two 3×3
            convolutions.
        blocks: of a level, on either way.
        unshuffle: pixels of a position of level 0.
    """
    widths = [unshuffle << level for level in range(len(reaches))]
    seen = 2 * unshuffle + widths[-1] - 1
    for level, (reach, width) in enumerate(zip(reaches, widths, strict=True)):
        if reach is None:
            return None
        seen += reach * width * blocks * (1 if level == len(reaches) - 1 else 2)
    return seen


def drop_biases(module: nn.Module) -> None:
    """Take away what keeps a network of ReLUs from being homogeneous of degree one."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_parameter("bias", None)
