"""The project's default denoiser: a small residual U-Net on pixel-unshuffled input.

Composed of known parts: residual blocks without norm and a σ map as an extra input channel, as
in DRUNet (Zhang et al., TPAMI 2021, arXiv 2008.13751, section 3); pixel-unshuffled input, as in
FFDNet (Zhang et al., TIP 2018, arXiv 1710.04026, section III); no biases (Mohan et al., ICLR
2020, arXiv 1906.05478, section 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from ..backbones import (
    LayerChoice,
    PixelShuffle,
    PixelUnshuffle,
    predicts_difference,
    shuffle_up,
)
from ..backbones.denoising_network import DenoisingNetwork
from ..backbones.footprint import footprint
from ..backbones.stages import StageStyle
from .known_values import require_levels
from .margins import reflect_to_multiple
from .stage_options import StageOptions
from .unet_parts import drop_biases, linear_unit, seen_radius, unet_level


class ResidualUNet(DenoisingNetwork):
    """Predicts the noise of an image and takes it away.

    Without biases and norms every layer is homogeneous of degree one, so scaling image and σ map
    by α > 0 scales the result by α, exactly where α is a power of two and to rounding otherwise.
    A squeeze-and-excitation block gives this up: its gates are not homogeneous.

    A pixel depends on those within `receptive_radius` of it (91 with the default options), and
    its place within the cells of `multiple` (8) matters: tiles that begin at multiples of 8 with
    96 pixels around them give the whole image's values. The radius is None where a block looks at
    the whole image (attention, group norm): then images are not cut.

    Shapes: (N, in_channels + 1, H, W), the last channel being σ in the units of the image, to
    (N, in_channels, H, W); any H and W. A blind network (`noise_map=False`) takes no σ.

    Args:
        in_channels: channels of the image.
        channels: width of each level; each is at half the resolution of the one before.
        blocks: residual blocks of a level, on the way down and again on the way up.
        unshuffle: factor by which the first level is smaller than the image.
        block: body of the residual blocks: `plain` (two convolutions with a ReLU between), `se`
            (the same with squeeze-and-excitation), or another word of `StageStyle`; so are
            `attention` and the three after `offset`.
        noise_map: whether σ is an input; a blind network judges the noise by itself.
        offset: whether the first layer has biases after all: what a σ map of one value would add.
            Results then no longer scale with the image.
        attention: of each block; it gives up scaling too.
        scale: of what the residual blocks add.
        norm: of the blocks' convolutions; none unless said otherwise. It gives up scaling too.
        activation: of the blocks; ReLU unless said otherwise.
        stages: block, attention, scale, norm and activation of some levels alone: `level_1` (the
            finest), `level_2`, …
    """

    def __init__(
        self,
        in_channels: int = 1,
        channels: Sequence[int] = (48, 96, 192),
        blocks: int = 2,
        unshuffle: int = 2,
        block: LayerChoice = "plain",
        noise_map: bool = True,
        offset: bool = False,
        attention: LayerChoice = None,
        scale: float | None = None,
        norm: LayerChoice = None,
        activation: LayerChoice = None,
        stages: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        require_levels(channels, blocks)
        cell = unshuffle**2
        self.multiple = unshuffle * 2 ** (len(channels) - 1)
        names = [f"level_{number}" for number in range(1, len(channels) + 1)]
        style = StageStyle(block, attention, scale, norm, activation)
        options = StageOptions(style, stages, dict.fromkeys(names, ""))
        styles = [options.of(name) for name in names]
        levels = [(width, blocks, each) for width, each in zip(channels, styles, strict=True)]
        self.takes_noise_map = noise_map
        self.unshuffle = PixelUnshuffle(unshuffle, dim=2)
        self.head = linear_unit((in_channels + int(noise_map)) * cell, channels[0], 3)
        self.encoders = nn.ModuleList(unet_level(*level) for level in levels[:-1])
        steps = list(pairwise(channels))
        self.downs = nn.ModuleList(linear_unit(fine, coarse, 2, stride=2) for fine, coarse in steps)
        self.bottom = unet_level(*levels[-1])
        self.ups = nn.ModuleList(
            shuffle_up(coarse, fine, kernel_size=1, dim=2, norm=None, activation=None)
            for fine, coarse in reversed(steps)
        )
        self.decoders = nn.ModuleList(unet_level(*level) for level in reversed(levels[:-1]))
        self.tail = predicts_difference(linear_unit(channels[0], in_channels * cell, 3))
        self.shuffle = PixelShuffle(unshuffle, dim=2)
        ways = [*self.encoders, self.bottom]
        reaches = [footprint(way[0], 2).radius for way in ways]
        self.receptive_radius = seen_radius(reaches, blocks, unshuffle)
        drop_biases(self)
        if offset:
            bias = nn.Parameter(torch.zeros(channels[0]))
            self.head.conv.register_parameter("bias", bias)  # type: ignore[union-attr]

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


def blind_colour_start(
    grey: Mapping[str, Tensor], sigma: float, luma: Sequence[float]
) -> dict[str, Tensor]:
    """What a blind network for colour begins as, from a grey one with a σ map of the same body.

    It takes the noise of luma for noise of one σ and leaves that of colour: the first layer sees
    luma, its biases are what a map of σ would add (but at the border, where maps end), and what
    the last layer finds is taken from red, green and blue alike.

    Args:
        grey: weights of a `ResidualUNet` of one channel with a noise map.
        sigma: in the units of the image.
        luma: shares of red, green and blue in luma, of sum 1.

    Returns:
        Weights of one of three channels without a noise map, with an offset.
    """
    head, tail = grey["head.conv.weight"], grey["tail.conv.weight"]
    image, noise_map = head.chunk(2, 1)
    return {
        **grey,
        "head.conv.weight": torch.cat([share * image for share in luma], 1),
        "head.conv.bias": sigma * noise_map.sum((1, 2, 3)),
        "tail.conv.weight": torch.cat([tail] * len(luma)),
    }
