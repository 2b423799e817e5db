"""HybridSN's relatives: configurations of its stages with a name of their own."""

from __future__ import annotations

from typing import Any

from .hybridsn import HybridSN

_RESIDUAL = {"name": "residual", "project": True}


class HybridSNSE(HybridSN):
    """HybridSN with squeeze-and-excitation before its fully connected layers.

    `stages: {head: {attention: se}}`. The 64 feature maps of a window are weighed by gates
    computed from their means over the window (Hu et al., CVPR 2018). Not a published network.
    Dense-exact up to the gates, in training and for maps: they see each window's features apart,
    and the convolutions before them, nearly all of the cost, the whole scene.

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
        super().__init__(in_channels, num_classes, window, dropout, stages=_gated(reduction))


class HybridSNInception(HybridSN):
    """HybridSN with an Inception module in place of its 2-D convolution.

    `stages: {2d: {block: inception}}`. Kernels of 1×1, 3×3 and 5×5 and a maximum over 3×3 side by
    side, after 1×1 reductions (Szegedy et al., CVPR 2015, figure 2b), with the proportions of
    module 3a scaled to 64 channels, valid and without norms. Not a published network.
    Dense-exact, in training and for maps.

    Shapes, arguments and errors: as `HybridSN`, with windows of at least 11.
    """

    least_window = 11

    def __init__(
        self, in_channels: int, num_classes: int, window: int = 25, dropout: float = 0.4
    ) -> None:
        stages = {"2d": {"block": "inception"}}
        super().__init__(in_channels, num_classes, window, dropout, stages=stages)


class HybridSNResidual(HybridSN):
    """HybridSN whose four convolutional stages each learn what to add to their input.

    `block: residual`. Around each convolution leads a 1×1 projection of the centre of its input;
    ReLU follows the sum (He et al., CVPR 2016, option C). The stages keep their sizes. Not a
    published network. Dense-exact, in training and for maps.

    Shapes, arguments and errors: as `HybridSN`.
    """

    def __init__(
        self, in_channels: int, num_classes: int, window: int = 25, dropout: float = 0.4
    ) -> None:
        super().__init__(in_channels, num_classes, window, dropout, block=_RESIDUAL)


class HybridSNSEResidual(HybridSN):
    """HybridSN with the residual stages of `HybridSNResidual` and the gates of `HybridSNSE`.

    `block: residual, stages: {head: {attention: se}}`. Not a published network; the gates come
    once, before the fully connected layers, where SE-ResNet has them in every block (`block:
    residual, attention: se`): there nothing would be dense. Dense-exact up to the gates, in
    training and for maps.

    Shapes, arguments and errors: as `HybridSNSE`.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        window: int = 25,
        dropout: float = 0.4,
        reduction: int = 4,
    ) -> None:
        gates = _gated(reduction)
        super().__init__(in_channels, num_classes, window, dropout, _RESIDUAL, stages=gates)


class HybridSNSeparable(HybridSN):
    """A light HybridSN: separable convolutions, and a depthwise one over the rest of the window.

    `block: separable, gather: weighted`. All stages but the first, which has one channel, are a
    depthwise convolution and a 1×1 one (Howard et al., 2017), without norms. Of the 17×17 places
    of a 25×25 window's features each feature map then keeps one weighted sum (a depthwise
    convolution of that size, as in MobileFaceNet, Chen et al., 2018) instead of 256 in the fully
    connected layer. Not a published network. Dense-exact, in training and for maps.

    Shapes, arguments and errors: as `HybridSN`.
    """

    def __init__(
        self, in_channels: int, num_classes: int, window: int = 25, dropout: float = 0.4
    ) -> None:
        choice: Any = {"block": "separable", "gather": "weighted"}
        super().__init__(in_channels, num_classes, window, dropout, **choice)


def _gated(reduction: int) -> dict[str, dict[str, Any]]:
    return {"head": {"attention": {"name": "se", "reduction": reduction}}}
