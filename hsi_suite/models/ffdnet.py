"""FFDNet: the fast denoiser with a σ map of Zhang et al., TIP 2018, arXiv 1710.04026."""

from __future__ import annotations

import torch
from torch import Tensor

from ..backbones import LayerChoice, PixelShuffle, PixelUnshuffle
from ..backbones.denoising_network import DenoisingNetwork
from ..backbones.footprint import footprint
from ..backbones.stages import StageStyle
from .dncnn import block_row
from .margins import replicate_to_multiple

_CELL = 2


class FFDNet(DenoisingNetwork):
    """Predicts the clean image from its four half-size images and a map of the noise level.

    Section III: cells of 2 × 2 pixels become channels, the σ map at half the size is one more, a
    row of 3×3 convolutions with ReLU follows, and its output is spread over the cells again. Grey
    images take 15 convolutions of 64 channels, colour images 12 of 96. The published weights have
    their batch norms folded in. Odd sizes are continued by their last pixels. A cell's σ is that
    of its first pixel. The inner layers may be other blocks, as those of `DnCNN`.

    Shapes: (N, in_channels + 1, H, W), values 0 to 1, the last channel being σ on that scale, to
    (N, in_channels, H, W); any H and W. A pixel depends on those within `receptive_radius` of it
    (31 with 15 convolutions, 25 with 12; None with attention, which looks at all of them), and its
    place within the cell matters: tiles begin at even lines and samples.

    Args:
        in_channels: 1 for grey, 3 for RGB.
        depth: number of layers, as of `DnCNN`.
        width: channels between them.
        norm: of the inner layers; None for weights into which the batch norm is folded.
        block: of the inner layers, as `StageStyle` has it; so are the three that follow.
        attention: of each block.
        scale: of residual blocks.
        activation: of all layers but the last; ReLU unless said otherwise.
    """

    takes_noise_map = True
    multiple = _CELL

    def __init__(
        self,
        in_channels: int = 1,
        depth: int = 15,
        width: int = 64,
        norm: LayerChoice = None,
        block: LayerChoice = None,
        attention: LayerChoice = None,
        scale: float | None = None,
        activation: LayerChoice = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.width = in_channels, width
        self.unshuffle = PixelUnshuffle(_CELL, dim=2)
        cells = _CELL**2 * in_channels
        style = StageStyle(block, attention, scale, norm, activation)
        self.layers = block_row(cells + 1, cells, depth, width, style)
        radius = footprint(self.layers, 2).radius
        self.receptive_radius = None if radius is None else _CELL * radius + _CELL - 1
        self.shuffle = PixelShuffle(_CELL, dim=2)

    def forward(self, x: Tensor) -> Tensor:
        """The clean image in `x`.

        Raises:
            ShapeError: no pixels.
        """
        height, width = x.shape[-2:]
        padded = replicate_to_multiple(x, _CELL)
        image, sigma = padded[:, :-1], padded[:, -1:, ::_CELL, ::_CELL]
        features = torch.cat([self.unshuffle(image), sigma], 1)
        clean: Tensor = self.shuffle(self.layers(features))[..., :height, :width]
        return clean
