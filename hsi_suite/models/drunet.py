"""DRUNet: the denoiser prior of Zhang et al., TPAMI 2021, arXiv 2008.13751, section 3."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from ..backbones import shuffle_up
from ..backbones.denoising_network import DenoisingNetwork
from ..backbones.stages import PLAIN
from .known_values import require_levels
from .margins import replicate_to_multiple
from .unet_parts import drop_biases, linear_unit, seen_radius, unet_level


class DRUNet(DenoisingNetwork):
    """Predicts the clean image from an image and a map of its noise level, by a large U-Net.

    Four levels of residual blocks without norm; 2×2 convolutions of stride 2 lead down, transposed
    ones up (here a 1×1 convolution whose channels are spread over the cells, which is the same);
    what led down to a level is added before the step up from it. No biases: scaling image and σ
    map scales the result. Sizes that 8 does not divide are continued by their last pixels.

    Shapes: (N, in_channels + 1, H, W), the last channel being σ in the units of the image, to
    (N, in_channels, H, W); any H and W. A pixel depends on those within `receptive_radius` (185
    with the default options) of it, and its place within the cells of `multiple` (8) matters.

    Args:
        in_channels: channels of the image.
        channels: width of each level; each is at half the resolution of the one before.
        blocks: residual blocks of a level, on the way down and again on the way up.
    """

    takes_noise_map = True

    def __init__(
        self,
        in_channels: int = 1,
        channels: Sequence[int] = (64, 128, 256, 512),
        blocks: int = 4,
    ) -> None:
        super().__init__()
        require_levels(channels, blocks)
        self.in_channels = in_channels
        self.channels, self.blocks = tuple(channels), blocks
        self.multiple = 2 ** (len(channels) - 1)
        self.receptive_radius = seen_radius([2] * len(channels), blocks, 1)
        steps = list(pairwise(channels))
        self.head = linear_unit(in_channels + 1, channels[0], 3)
        self.downs = nn.ModuleList(
            nn.Sequential(unet_level(fine, blocks, PLAIN), linear_unit(fine, coarse, 2, stride=2))
            for fine, coarse in steps
        )
        self.body = unet_level(channels[-1], blocks, PLAIN)
        self.ups = nn.ModuleList(
            nn.Sequential(
                shuffle_up(coarse, fine, kernel_size=1, dim=2, norm=None, activation=None),
                unet_level(fine, blocks, PLAIN),
            )
            for fine, coarse in reversed(steps)
        )
        self.tail = linear_unit(channels[0], in_channels, 3)
        drop_biases(self)

    def forward(self, x: Tensor) -> Tensor:
        """The clean image in `x`.

        Raises:
            ShapeError: no pixels.
        """
        height, width = x.shape[-2:]
        features = self.head(replicate_to_multiple(x, self.multiple))
        kept = [features]
        for down in self.downs:
            features = down(features)
            kept.append(features)
        features = self.body(features)
        for up in self.ups:
            features = up(features + kept.pop())
        clean: Tensor = self.tail(features + kept.pop())[..., :height, :width]
        return clean
