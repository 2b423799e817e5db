"""The project's default denoiser: a small residual U-Net on pixel-unshuffled input.

Composed of known parts: residual blocks without norm and a σ map as an extra input channel, as
in DRUNet (Zhang et al., TPAMI 2021, arXiv 2008.13751, section 3); pixel-unshuffled input, as in
FFDNet (Zhang et al., TIP 2018, arXiv 1710.04026, section III); no biases (Mohan et al., ICLR
2020, arXiv 1906.05478, section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ..backbones import ConvNormAct, PixelShuffle, PixelUnshuffle, Residual, build_block, shuffle_up
from ..errors import ConfigError, ShapeError


class ResidualUNet(nn.Module):
    """Predicts the noise of an image and takes it away.

    Without biases and norms every layer is homogeneous of degree one, so scaling image and σ map
    by α > 0 scales the result by α, exactly where α is a power of two and to rounding otherwise.
    A squeeze-and-excitation block gives this up: its gates are not homogeneous.

    A pixel depends on those within `receptive_radius` of it (91 with the default options), and
    its place within the cells of `multiple` (8) matters: tiles that begin at multiples of 8 with
    96 pixels around them give the whole image's values. The radius is None for other blocks than
    `plain`, which may look at the whole image.

    Shapes: (N, in_channels + 1, H, W), the last channel being σ in the units of the image, to
    (N, in_channels, H, W); any H and W. A blind network (`noise_map=False`) takes no σ.

    Args:
        in_channels: channels of the image.
        channels: width of each level; each is at half the resolution of the one before.
        blocks: residual blocks of a level, on the way down and again on the way up.
        unshuffle: factor by which the first level is smaller than the image.
        block: body of the residual blocks: `plain` (two convolutions with a ReLU between), `se`
            (the same with squeeze-and-excitation), or a name of `backbones.BLOCKS`.
        noise_map: whether σ is an input; a blind network judges the noise by itself.
    """

    def __init__(
        self,
        in_channels: int = 1,
        channels: Sequence[int] = (48, 96, 192),
        blocks: int = 2,
        unshuffle: int = 2,
        block: str = "plain",
        noise_map: bool = True,
    ) -> None:
        super().__init__()
        if not channels or min(*channels, blocks, unshuffle) < 1:
            raise ConfigError("model.options", "an empty level", "widths and counts of at least 1")
        cell = unshuffle**2
        self.multiple = unshuffle * 2 ** (len(channels) - 1)
        self.receptive_radius = (
            _plain_radius(len(channels), blocks, unshuffle) if block == "plain" else None
        )
        self.takes_noise_map = noise_map
        self.unshuffle = PixelUnshuffle(unshuffle, dim=2)
        self.head = _linear((in_channels + int(noise_map)) * cell, channels[0], 3)
        self.encoders = nn.ModuleList(_level(width, blocks, block) for width in channels[:-1])
        steps = list(pairwise(channels))
        self.downs = nn.ModuleList(_linear(fine, coarse, 2, stride=2) for fine, coarse in steps)
        self.bottom = _level(channels[-1], blocks, block)
        self.ups = nn.ModuleList(
            shuffle_up(coarse, fine, kernel_size=1, dim=2, norm=None, activation=None)
            for fine, coarse in reversed(steps)
        )
        self.decoders = nn.ModuleList(
            _level(width, blocks, block) for width in reversed(channels[:-1])
        )
        self.tail = _linear(channels[0], in_channels * cell, 3)
        self.shuffle = PixelShuffle(unshuffle, dim=2)
        _drop_biases(self)

    def forward(self, x: Tensor) -> Tensor:
        """The clean image in `x`.

        Raises:
            ShapeError: no pixels.
        """
        height, width = x.shape[-2:]
        padded = reflect_to_multiple(x, self.multiple)
        features = self.head(self.unshuffle(padded))
        kept = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            features = encoder(features)
            kept.append(features)
            features = down(features)
        features = self.bottom(features)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            features = decoder(up(features) + kept.pop())
        noise = self.shuffle(self.tail(features))
        image = x[:, :-1] if self.takes_noise_map else x
        clean: Tensor = image - noise[..., :height, :width]
        return clean


def reflect_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """`x` (N, C, H, W) continued by its mirror image to the right and below.

    Works for images smaller than the margin, and its backward is deterministic on CUDA, which
    that of torch's own reflection padding is not.

    Raises:
        ShapeError: no pixels.
    """
    if 0 in x.shape[-2:]:
        raise ShapeError("image", f"{x.shape[-2]} × {x.shape[-1]} pixels", "at least one")
    for axis in (-2, -1):
        size = x.shape[axis]
        if surplus := -size % multiple:
            index = torch.arange(size + surplus, device=x.device) % max(1, 2 * size - 2)
            x = x.index_select(axis, torch.minimum(index, (2 * size - 2 - index).clamp(min=0)))
    return x


def _linear(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> ConvNormAct:
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


def _level(width: int, blocks: int, block: str) -> nn.Sequential:
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


def _plain_radius(levels: int, blocks: int, unshuffle: int) -> int:
    """How far a pixel of a network with plain blocks sees, wherever it lies in its cell.

    Each 3×3 convolution looks one position further, and a position of level k is `unshuffle` · 2ᵏ
    pixels wide; a level's blocks come twice, except those at the bottom; head and tail are two
    more convolutions at level 0. The cell itself adds the rest of its width.
    """
    widths = [unshuffle << level for level in range(levels)]
    convolutions = [4 * blocks] * (levels - 1) + [2 * blocks]
    seen = sum(count * width for count, width in zip(convolutions, widths, strict=True))
    return seen + 2 * unshuffle + widths[-1] - 1


def _drop_biases(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_parameter("bias", None)
