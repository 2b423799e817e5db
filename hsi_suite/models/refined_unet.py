"""A blind denoiser of colour photographs in two passes: all three colours, then what is left.

A blind network of few channels leaves noise in the colour differences. A second one, which begins
as one that knows colour differences beside clean brightness (`GuidedUNet`), sees the result of the
first and the photograph itself, and takes it out. Both are `ResidualUNet`s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..backbones import LayerChoice
from ..backbones.denoising_network import DenoisingNetwork
from .opponent_planes import colours_of, opponent_planes
from .residual_unet import ResidualUNet
from .two_passes import COLOURS, TwoPasses, require_colour


class RefinedUNet(TwoPasses, DenoisingNetwork):
    """Predicts the noise of a photograph in colour, looks at what is left, and takes both away.

    It takes no σ; the first layers of both parts have biases, so that results do not scale with
    the image. A pixel depends on those within `receptive_radius` of it (175 with the default
    options); tiles begin at multiples of `multiple`.

    Shapes: (N, 3, H, W), red, green and blue, to the same; any H and W.

    Args:
        in_channels: 3.
        channels: width of each level of both networks, see `ResidualUNet`.
        blocks: residual blocks of a level.
        unshuffle: factor by which the first level is smaller than the image.
        block: body of the residual blocks.

    Raises:
        ConfigError: another number of channels.
    """

    takes_noise_map = False
    kept = COLOURS

    def __init__(
        self,
        in_channels: int = COLOURS,
        channels: Sequence[int] = (48, 96, 192),
        blocks: int = 2,
        unshuffle: int = 2,
        block: LayerChoice = "plain",
    ) -> None:
        super().__init__()
        require_colour("refined_unet", in_channels)
        body: dict[str, Any] = {
            "channels": channels, "blocks": blocks, "unshuffle": unshuffle, "block": block,
            "noise_map": False, "offset": True,
        }  # fmt: skip
        self.first = ResidualUNet(COLOURS, **body)
        # Sees the planes of the first one's result, then those of the photograph.
        self.second = ResidualUNet(2 * COLOURS, **body)
        self.see_as(self.first)

    def first_pass(self, x: Tensor) -> Tensor:
        """The photograph as the first part leaves it, N × 3 × H × W."""
        clean: Tensor = self.first(x)
        return clean

    def second_pass(self, x: Tensor, first: Tensor) -> Tensor:
        """The clean photograph, of the noisy one and of what the first part has made of it."""
        return colours_of(self.second(torch.cat([*opponent_planes(first), *opponent_planes(x)], 1)))


def refined_start(
    blind: Mapping[str, Tensor], guided: Mapping[str, Tensor], sigma: float
) -> dict[str, Tensor]:
    """What a `RefinedUNet` begins as.

    Of the first network's result it keeps brightness, and takes out of the colour differences
    what the second part of a `GuidedUNet` finds there, told that the noise of red, green and blue
    has one σ. Its first layer has biases that are what a map of σ would add (but at the border,
    where maps end).

    Args:
        blind: weights of a `ResidualUNet` for three colours without a noise map, with an offset.
        guided: weights of a `GuidedUNet` of the same body.
        sigma: in the units of the image.
    """
    part = "colour."
    colour = {
        name.removeprefix(part): value for name, value in guided.items() if name.startswith(part)
    }
    head, tail = colour["head.conv.weight"], colour["tail.conv.weight"]
    # Clean brightness, two colour differences, noisy brightness, σ.
    *planes, noise_map = head.chunk(5, 1)
    _, red_blue, green, _ = tail.chunk(4)
    silent = torch.zeros_like(red_blue)
    unseen = torch.zeros_like(noise_map)
    second = {
        **colour,
        "head.conv.weight": torch.cat([*planes, unseen, unseen], 1),
        "head.conv.bias": sigma * noise_map.sum((1, 2, 3)),
        "tail.conv.weight": torch.cat([silent, red_blue, green, silent, silent, silent]),
    }
    return {f"first.{name}": value for name, value in blind.items()} | {
        f"second.{name}": value for name, value in second.items()
    }
