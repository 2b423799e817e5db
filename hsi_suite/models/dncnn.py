"""DnCNN: the plain residual denoiser of Zhang et al., TIP 2017, arXiv 1608.03981."""

from __future__ import annotations

from torch import Tensor, nn

from ..backbones import ConvNormAct, LayerChoice, predicts_difference
from ..backbones.denoising_network import DenoisingNetwork
from ..backbones.footprint import footprint
from ..backbones.stages import NOTHING, StageStyle, build_stage, stage_end
from ..errors import ConfigError


class DnCNN(DenoisingNetwork):
    """Predicts the noise of an image and takes it away.

    Section III-A: a convolution with ReLU, `depth` - 2 convolutions with batch norm and ReLU, a
    convolution; all 3×3, zero padded. DnCNN-S (one known σ) has 17 layers, DnCNN-B (σ unknown,
    0 to 55) and CDnCNN-B (colour) have 20. The layers before a norm have no bias, as the norm
    brings one. Its trainings let the last layer begin as zero (`begin_silent`).

    The inner layers may be other blocks, by the words of `StageStyle`; the network still predicts
    the noise. A residual block has two convolutions, so a body of as many layers is twice as deep.
    Attention gates channels by their means over the whole image (in training over a patch): then
    no tile knows what the image gives, `receptive_radius` is None and images are not cut.

    Shapes: (N, in_channels, H, W), values 0 to 1, to the same. A pixel depends on those within
    `receptive_radius` of it.

    Args:
        in_channels: 1 for grey, 3 for RGB.
        depth: number of layers: the first convolution, `depth` - 2 blocks, the last convolution.
        width: channels between them.
        norm: of the inner layers; None for weights into which the batch norm is folded.
        block: of the inner layers, as `StageStyle` has it; so are the three that follow.
        attention: of each block.
        scale: of residual blocks.
        activation: of all layers but the last; ReLU unless said otherwise.
    """

    takes_noise_map = False
    multiple = 1

    def __init__(
        self,
        in_channels: int = 1,
        depth: int = 17,
        width: int = 64,
        norm: LayerChoice = "batch",
        block: LayerChoice = None,
        attention: LayerChoice = None,
        scale: float | None = None,
        activation: LayerChoice = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.width = in_channels, width
        norm = NOTHING if norm is None else norm
        style = StageStyle(block, attention, scale, norm, activation)
        self.layers = block_row(in_channels, in_channels, depth, width, style)
        predicts_difference(self.layers[-1])
        self.receptive_radius = footprint(self.layers, 2).radius

    def forward(self, x: Tensor) -> Tensor:
        """The clean image in `x`."""
        noise: Tensor = self.layers(x)
        return x - noise


class FDnCNN(DenoisingNetwork):
    """Predicts the clean image itself from an image and a map of its noise level.

    The authors' later variant of DnCNN: one network for every σ, which is an input. No batch norm
    unless one is asked for; the inner layers may be other blocks, as those of `DnCNN`.

    Shapes: (N, in_channels + 1, H, W), the last channel being σ on the scale 0 to 1, to
    (N, in_channels, H, W).

    Args:
        in_channels: 1 for grey, 3 for RGB.
        depth: number of layers, as of `DnCNN`.
        width: channels between them.
        norm: of the inner layers; none unless said otherwise.
        block: of the inner layers, as `StageStyle` has it; so are the three that follow.
        attention: of each block.
        scale: of residual blocks.
        activation: of all layers but the last; ReLU unless said otherwise.
    """

    takes_noise_map = True
    multiple = 1

    def __init__(
        self,
        in_channels: int = 1,
        depth: int = 20,
        width: int = 64,
        norm: LayerChoice = None,
        block: LayerChoice = None,
        attention: LayerChoice = None,
        scale: float | None = None,
        activation: LayerChoice = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.width = in_channels, width
        style = StageStyle(block, attention, scale, norm, activation)
        self.layers = block_row(in_channels + 1, in_channels, depth, width, style)
        self.receptive_radius = footprint(self.layers, 2).radius

    def forward(self, x: Tensor) -> Tensor:
        """The clean image in `x`."""
        clean: Tensor = self.layers(x)
        return clean


def block_row(
    in_channels: int, out_channels: int, depth: int, width: int, style: StageStyle
) -> nn.Sequential:
    """A 3×3 convolution, `depth` - 2 blocks of one style, a 3×3 convolution.

    Raises:
        ConfigError: fewer than two layers, or no channels; a block that cannot be.
    """
    if depth < 2 or width < 1:
        raise ConfigError(
            "model.options", f"depth {depth}, width {width}", "at least 2 layers of 1 channel"
        )
    first = StageStyle(norm=NOTHING, activation=style.activation)
    row = nn.Sequential(build_stage(first, in_channels, width, dim=2))
    for _ in range(depth - 2):
        row.append(build_stage(style, width, width, dim=2))
    end = stage_end(style, width, dim=2)
    if end is not None:
        row.append(end)
    return row.append(ConvNormAct(width, out_channels, 3, dim=2, activation=None))
