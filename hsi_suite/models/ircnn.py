"""IRCNN: the denoisers with dilated convolutions of Zhang et al., CVPR 2017, arXiv 1704.03264."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..backbones import ConvNormAct, LayerChoice, predicts_difference
from ..backbones.denoising_network import DenoisingNetwork
from ..errors import ConfigError

_DILATIONS = (1, 2, 3, 4, 3, 2, 1)
#: The number of convolutions of an IRCNN.
IRCNN_DEPTH = len(_DILATIONS)
# σ of neighbouring networks differ by as much, on the scale 0 to 255.
_STEP = 2
# A σ that rounding has lifted over an even number still belongs below it.
_ROUNDING = 1e-3


class IRCNN(DenoisingNetwork):
    """Predicts the noise of an image and takes it away, by the network for its σ.

    Section III-B: seven 3×3 convolutions dilated by 1, 2, 3, 4, 3, 2, 1, zero padded, the five
    inner ones with batch norm, ReLU behind all but the last. The published weights have their
    batch norms folded in.

    One network is for one known σ and takes no map. Of several, as the authors' 25, number k,
    counted from 1, is for σ above 2 (k - 1) up to 2 k on the scale 0 to 255; the last one is also
    for all σ above.

    Shapes: (N, in_channels, H, W), values 0 to 1, to the same; of several networks
    (N, in_channels + 1, H, W), the last channel being σ on that scale, the same everywhere in an
    image (of several, the largest counts). A pixel depends on those within `receptive_radius`, 16,
    of it.

    Args:
        in_channels: 1 for grey, 3 for RGB.
        width: channels between the convolutions.
        norm: of the inner layers; None for weights into which the batch norm is folded.
        networks: how many.
    """

    multiple = 1
    receptive_radius = sum(_DILATIONS)

    def __init__(
        self,
        in_channels: int = 1,
        width: int = 64,
        norm: LayerChoice = "batch",
        networks: int = 1,
    ) -> None:
        super().__init__()
        if min(width, networks) < 1:
            found = f"width {width}, {networks} networks"
            raise ConfigError("model.options", found, "at least 1 of both")
        self.in_channels, self.width = in_channels, width
        self.takes_noise_map = networks > 1
        self.networks = nn.ModuleList(
            _dilated_row(in_channels, width, norm) for _ in range(networks)
        )

    @property
    def highest_sigma(self) -> float:
        """σ of the last of several networks, on the scale 0 to 255."""
        return float(_STEP * len(self.networks))

    def number_for(self, sigma: float) -> int:
        """Which of several networks, counted from 1, is for a σ on the scale 0 to 1."""
        number = math.ceil(sigma * 255 / _STEP - _ROUNDING)
        return min(max(number, 1), len(self.networks))

    def choice_text(self, sigma: float) -> str:
        """The network chosen for a σ on the scale 0 to 1, in words."""
        number = self.number_for(sigma)
        return f"network {number} of {len(self.networks)}, for σ {_STEP * number}"

    def forward(self, x: Tensor) -> Tensor:
        """The clean image in `x`."""
        if not self.takes_noise_map:
            noise: Tensor = self.networks[0](x)
            return x - noise
        return torch.cat([self._one(image[None]) for image in x])

    def _one(self, x: Tensor) -> Tensor:
        # Where only shapes are asked for there is no σ, and all networks are alike.
        number = 1 if x.is_meta else self.number_for(float(x[:, -1].amax()))
        image = x[:, :-1]
        noise: Tensor = self.networks[number - 1](image)
        return image - noise


def _dilated_row(in_channels: int, width: int, norm: LayerChoice) -> nn.Sequential:
    first, *inner, last = _DILATIONS
    noise = ConvNormAct(width, in_channels, 3, dim=2, dilation=last, activation=None)
    return nn.Sequential(
        ConvNormAct(in_channels, width, 3, dim=2, dilation=first),
        *(ConvNormAct(width, width, 3, dim=2, dilation=d, norm=norm) for d in inner),
        predicts_difference(noise),
    )
