"""What the U-Nets for photographs are put together from."""

from __future__ import annotations

from torch import nn

from ..backbones import ConvNormAct, Residual, build_block


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


def unet_level(width: int, blocks: int, block: str) -> nn.Sequential:
    """The residual blocks of one level; `block` as of `ResidualUNet`."""
    return nn.Sequential(*(_residual(width, block) for _ in range(blocks)))


def _residual(width: int, block: str) -> Residual:
    if block not in ("plain", "se"):
        body = build_block(block, width, width, dim=2, norm=None)
        return body if isinstance(body, Residual) else Residual(body, activation=None)
    attention = "se" if block == "se" else None
    body = nn.Sequential(
        ConvNormAct(width, width, 3, dim=2),
        ConvNormAct(width, width, 3, dim=2, activation=None, attention=attention),
    )
    return Residual(body, activation=None)


def plain_radius(levels: int, blocks: int, unshuffle: int) -> int:
    """How far a pixel of a network with plain blocks sees, wherever it lies in its cell.

    Each 3×3 convolution looks one position further, and a position of level k is `unshuffle` · 2ᵏ
    pixels wide; a level's blocks come twice, except those at the bottom; head and tail are two
    more convolutions at level 0. The cell itself adds the rest of its width.
    """
    widths = [unshuffle << level for level in range(levels)]
    convolutions = [4 * blocks] * (levels - 1) + [2 * blocks]
    seen = sum(count * width for count, width in zip(convolutions, widths, strict=True))
    return seen + 2 * unshuffle + widths[-1] - 1


def drop_biases(module: nn.Module) -> None:
    """Take away what keeps a network of ReLUs from being homogeneous of degree one."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_parameter("bias", None)
