"""MobileNet v1 and v2: depthwise convolutions between 1×1 convolutions."""

from __future__ import annotations

from torch import nn

from ..conv import ConvNormAct, DepthwiseSeparableConv
from ..dimension import Style
from ..heads import GlobalAverageHead
from ..inverted_residual import inverted_residual
from .network import ClassicNetwork, Stem, is_small, scaled

# Channels and stride of each block: table 1 of the paper on v1.
_V1 = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)
# Expansion, channels, blocks, stride of the first: table 2 of the paper on v2.
_V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def mobilenet_v1(
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.001,
    width: float = 1.0,
    stem: Stem = "imagenet",
) -> ClassicNetwork:
    """MobileNet v1, for images of 224×224.

    Howard et al. (2017, arXiv 1704.04861), table 1. At width 1, 0.75, 0.5 and 0.25 there are
    4,231,976, 2,585,560, 1,331,592 and 470,072 parameters.

    Args:
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the features dropped in training.
        width: the paper's width multiplier.
        stem: `imagenet`, or `small`: the first two strides are 1. Both take any size.
    """
    small = is_small(stem)
    channels = scaled(32, width)
    first = ConvNormAct(in_channels, channels, 3, dim=2, stride=_first(small), norm="batch")
    stages: dict[str, nn.Module] = {"stem": first}
    for number, (published, stride) in enumerate(_V1, 1):
        out_channels = scaled(published, width)
        kept = small and published == 128
        stages[f"block_{number}"] = DepthwiseSeparableConv(
            channels, out_channels, dim=2, stride=1 if kept else stride
        )
        channels = out_channels
    head = GlobalAverageHead(channels, num_classes, dropout=dropout)
    return ClassicNetwork(
        "mobilenet_v1", stages, head, in_channels=in_channels, smallest=1, stem=stem
    )


def mobilenet_v2(
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.2,
    width: float = 1.0,
    stem: Stem = "imagenet",
) -> ClassicNetwork:
    """MobileNet v2, for images of 224×224; 3,504,872 parameters.

    Sandler et al. (CVPR 2018), table 2. At width 1.4, 0.75, 0.5 and 0.35 there are 6,108,776,
    2,636,424, 1,968,680 and 1,677,128 parameters.

    Args:
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the features dropped in training.
        width: the paper's width multiplier; channels stay multiples of 8, and below 1, as in
            the paper, the last convolution keeps its 1280 channels.
        stem: `imagenet`, or `small`: the first two strides are 1. Both take any size.
    """
    small = is_small(stem)
    style: Style = {"dim": 2, "norm": "batch", "activation": "relu6"}
    channels = _multiple_of_8(32, width)
    first = ConvNormAct(in_channels, channels, 3, stride=_first(small), **style)
    stages: dict[str, nn.Module] = {"stem": first}
    number = 0
    for expansion, published, count, stride in _V2:
        out_channels = _multiple_of_8(published, width)
        for place in range(count):
            kept = place or (small and published == 24)
            number += 1
            stages[f"block_{number}"] = inverted_residual(
                channels,
                out_channels,
                expansion=expansion,
                stride=1 if kept else stride,
                **style,
            )
            channels = out_channels
    last = _multiple_of_8(1280, max(1.0, width))
    stages["last"] = ConvNormAct(channels, last, 1, **style)
    head = GlobalAverageHead(last, num_classes, dropout=dropout)
    return ClassicNetwork(
        "mobilenet_v2", stages, head, in_channels=in_channels, smallest=1, stem=stem
    )


def _first(small: bool) -> int:
    return 1 if small else 2


def _multiple_of_8(channels: int, width: float) -> int:
    """The nearest multiple of 8 that loses no more than a tenth, as in the authors' code."""
    nearest = scaled(channels, width, 8)
    return nearest if nearest >= 0.9 * channels * width else nearest + 8
