"""A denoiser of colour photographs: brightness first, then colour with its guidance.

Brightness shows the most structure and, as a mean of three colours, the least noise; the two colour
differences have edges where it has them. So a network for grey images cleans brightness, and a
second one sees the clean brightness beside what is noisy, finds the noise of the colour
differences, and what the first has left. Both are `ResidualUNet`s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..backbones import LayerChoice
from ..backbones.denoising_network import DenoisingNetwork
from ..restoration.colour import NOISE_GAIN
from .opponent_planes import colours_of, opponent_planes
from .residual_unet import ResidualUNet
from .two_passes import COLOURS, TwoPasses, require_colour


class GuidedUNet(TwoPasses, DenoisingNetwork):
    """Predicts the noise of an image in colour and takes it away.

    Without biases and norms, scaling image and σ map by α > 0 scales the result by α, as in
    `ResidualUNet`. A pixel depends on those within `receptive_radius` of it (175 with the
    default options); tiles begin at multiples of `multiple`.

    Shapes: (N, 4, H, W), red, green, blue and σ of the noise of each in the same units, to
    (N, 3, H, W); any H and W.

    Args:
        in_channels: 3.
        channels: width of each level of both networks, see `ResidualUNet`.
        blocks: residual blocks of a level.
        unshuffle: factor by which the first level is smaller than the image.
        block: body of the residual blocks.

    Raises:
        ConfigError: another number of channels.
    """

    takes_noise_map = True
    kept = 1

    def __init__(
        self,
        in_channels: int = COLOURS,
        channels: Sequence[int] = (48, 96, 192),
        blocks: int = 2,
        unshuffle: int = 2,
        block: LayerChoice = "plain",
    ) -> None:
        super().__init__()
        require_colour("guided_unet", in_channels)
        self.brightness = ResidualUNet(1, channels, blocks, unshuffle, block)
        # Sees clean brightness, two colour differences and noisy brightness.
        self.colour = ResidualUNet(COLOURS + 1, channels, blocks, unshuffle, block)
        self.see_as(self.brightness)

    def first_pass(self, x: Tensor) -> Tensor:
        """Clean brightness, N × 1 × H × W."""
        brightness, _, _ = opponent_planes(x)
        clean: Tensor = self.brightness(torch.cat([brightness, NOISE_GAIN[0] * x[:, COLOURS:]], 1))
        return clean

    def second_pass(self, x: Tensor, first: Tensor) -> Tensor:
        """The clean image, of the noisy one with its σ and of clean brightness."""
        noisy, red_blue, green = opponent_planes(x)
        return colours_of(
            self.colour(torch.cat([first, red_blue, green, noisy, x[:, COLOURS:]], 1))
        )


def guided_start(grey: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a `GuidedUNet` begins as, from a grey network with a σ map of the same body.

    That network cleans brightness, whose result the second one leaves as it is; of the colour
    differences it takes the noise of their sum for what it knows from grey images.

    Args:
        grey: weights of a `ResidualUNet` of one channel with a noise map.
    """
    head, tail = grey["head.conv.weight"], grey["tail.conv.weight"]
    image, noise_map = head.chunk(2, 1)
    share = math.sqrt(0.5)
    noise_of_sum = share * math.hypot(*NOISE_GAIN[1:])
    none = torch.zeros_like(image)
    seen = [none, share * image, share * image, none, noise_of_sum * noise_map]
    silent = torch.zeros_like(tail)
    colour = {
        **grey,
        "head.conv.weight": torch.cat(seen, 1),
        "tail.conv.weight": torch.cat([silent, share * tail, share * tail, silent]),
    }
    return {f"brightness.{name}": value for name, value in grey.items()} | {
        f"colour.{name}": value for name, value in colour.items()
    }
