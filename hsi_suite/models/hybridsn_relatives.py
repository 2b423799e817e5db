"""HybridSN with squeeze-and-excitation, Inception, residual or separable stages."""

from __future__ import annotations

from typing import Any

from torch import nn

from ..backbones.conv import ConvNormAct, DepthwiseSeparableConv
from ..backbones.inception_v1 import inception_v1
from ..backbones.residual import Residual
from ..backbones.squeeze_excitation import SqueezeExcitation
from .hybridsn import HybridSN, connected_head


class HybridSNSE(HybridSN):
    """HybridSN with squeeze-and-excitation before its fully connected layers.

    The 64 feature maps of a window are weighed by gates computed from their means over the window
    (Hu et al., CVPR 2018). Not a published network. Dense-exact up to the gates, in training and
    for maps: they see each window's features apart, and the convolutions before them, nearly all
    of the cost, the whole scene.

    Shapes, arguments and errors: as `HybridSN`, and

    Args:
        in_channels: principal components, at least 13.
        num_classes: classes.
        window: side of the window in pixels, odd and at least 9.
        dropout: share of units dropped after the first two fully connected layers.
        reduction: the gates are computed through 64 // reduction units, at least 4.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        window: int = 25,
        dropout: float = 0.4,
        reduction: int = 4,
    ) -> None:
        super().__init__(in_channels, num_classes, window, dropout)
        self.head.insert(0, SqueezeExcitation(self.depth, reduction))


class HybridSNInception(HybridSN):
    """HybridSN with an Inception module in place of its 2-D convolution.

    Kernels of 1×1, 3×3 and 5×5 and a maximum over 3×3 side by side, after 1×1 reductions (Szegedy
    et al., CVPR 2015, figure 2b), with the proportions of module 3a scaled to 64 channels, valid
    and without norms. Not a published network. Dense-exact, in training and for maps.

    Shapes, arguments and errors: as `HybridSN`, with windows of at least 11.
    """

    least_window = 11

    def _stage(
        self, in_channels: int, out_channels: int, kernel: tuple[int, ...], dim: int
    ) -> nn.Module:
        if dim == 3:
            return super()._stage(in_channels, out_channels, kernel, dim)
        return inception_v1(in_channels, out_channels, dim=dim, padding="valid", norm=None)


class HybridSNResidual(HybridSN):
    """HybridSN whose four convolutional stages each learn what to add to their input.

    Around each convolution leads a 1×1 projection of the centre of its input; ReLU follows the
    sum (He et al., CVPR 2016, option B). The stages keep their sizes. Not a published network.
    Dense-exact, in training and for maps.

    Shapes, arguments and errors: as `HybridSN`.
    """

    def _stage(
        self, in_channels: int, out_channels: int, kernel: tuple[int, ...], dim: int
    ) -> nn.Module:
        convolution: Any = {"dim": dim, "padding": "valid", "activation": None}
        body = ConvNormAct(in_channels, out_channels, kernel, **convolution)
        return Residual(body, ConvNormAct(in_channels, out_channels, 1, **convolution))


class HybridSNSEResidual(HybridSNSE, HybridSNResidual):
    """HybridSN with the residual stages of `HybridSNResidual` and the gates of `HybridSNSE`.

    Not a published network; the gates come once, before the fully connected layers, where
    SE-ResNet has them in every block: there nothing would be dense. Dense-exact up to the gates,
    in training and for maps.

    Shapes, arguments and errors: as `HybridSNSE`.
    """


class HybridSNSeparable(HybridSN):
    """A light HybridSN: separable convolutions, and a depthwise one over the rest of the window.

    All stages but the first, which has one channel, are a depthwise convolution and a 1×1 one
    (Howard et al., 2017), without norms. Of the 17×17 places of a 25×25 window's features each
    feature map then keeps one weighed sum (a depthwise convolution of that size, as in
    MobileFaceNet, Chen et al., 2018) instead of 256 in the fully connected layer. Not a published
    network. Dense-exact, in training and for maps.

    Shapes, arguments and errors: as `HybridSN`.
    """

    def __init__(
        self, in_channels: int, num_classes: int, window: int = 25, dropout: float = 0.4
    ) -> None:
        super().__init__(in_channels, num_classes, window, dropout)
        places = (window - self.margin, window - self.margin)
        whole: Any = {"dim": 2, "padding": "valid", "groups": self.depth}
        self.spatial.append(ConvNormAct(self.depth, self.depth, places, **whole))
        self.margin = window - 1
        self.head = connected_head(self.depth, num_classes, dropout)

    def _stage(
        self, in_channels: int, out_channels: int, kernel: tuple[int, ...], dim: int
    ) -> nn.Module:
        if in_channels == 1:
            return super()._stage(in_channels, out_channels, kernel, dim)
        return DepthwiseSeparableConv(
            in_channels, out_channels, kernel_size=kernel, dim=dim, padding="valid", norm=None
        )
