"""Network in Network: 1×1 convolutions, and class scores as means of feature maps."""

from __future__ import annotations

from torch import nn

from ..conv import ConvNormAct
from ..dimension import Padding
from ..pooling import AveragePool, GlobalMean, max_pool
from .network import ClassicNetwork, Stem, is_small, scaled


def network_in_network(
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.5,
    width: float = 1.0,
    stem: Stem = "imagenet",
) -> ClassicNetwork:
    """Network in Network, for images of 224×224 or, with `stem="small"`, of 32×32.

    Lin et al. (ICLR 2014), section 3 and figure 2: a convolution and two 1×1 convolutions make
    one layer; the last 1×1 gives one map per class, whose mean is the score. The widths are
    those of the authors' networks for ImageNet (7,595,176 parameters) and CIFAR-10 (966,986 with
    10 classes). The ReLU that the authors have on the scores is left out.

    Args:
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the values dropped before later layers in training.
        width: factor of all widths.
        stem: `imagenet`, or `small` for the authors' network for 32×32, which takes any size.
    """
    make = _for_small_images if is_small(stem) else _for_imagenet
    stages = make(in_channels, num_classes, dropout, width)
    return ClassicNetwork(
        "network_in_network",
        stages,
        nn.Sequential(GlobalMean()),
        in_channels=in_channels,
        smallest=1 if is_small(stem) else 39,
        stem=stem,
    )


def _for_imagenet(
    in_channels: int, num_classes: int, dropout: float, width: float
) -> dict[str, nn.Module]:
    c96, c256, c384, c1024 = (scaled(c, width) for c in (96, 256, 384, 1024))
    return {
        "mlpconv_1": _mlpconv(in_channels, (c96, c96, c96), 11, stride=4, padding="valid"),
        "pool_1": max_pool(3, dim=2, stride=2, padding="valid", ceil_mode=True),
        "mlpconv_2": _mlpconv(c96, (c256, c256, c256), 5),
        "pool_2": max_pool(3, dim=2, stride=2, padding="valid", ceil_mode=True),
        "mlpconv_3": _mlpconv(c256, (c384, c384, c384), 3),
        "pool_3": max_pool(3, dim=2, stride=2, padding="valid", ceil_mode=True),
        "dropout_3": nn.Dropout(dropout),
        "mlpconv_4": _mlpconv(c384, (c1024, c1024, num_classes), 3, last=True),
    }


def _for_small_images(
    in_channels: int, num_classes: int, dropout: float, width: float
) -> dict[str, nn.Module]:
    c96, c160, c192 = (scaled(c, width) for c in (96, 160, 192))
    return {
        "mlpconv_1": _mlpconv(in_channels, (c192, c160, c96), 5),
        "pool_1": max_pool(3, dim=2, stride=2),
        "dropout_1": nn.Dropout(dropout),
        "mlpconv_2": _mlpconv(c96, (c192, c192, c192), 5),
        "pool_2": AveragePool(3, dim=2, stride=2, count_padding=False),
        "dropout_2": nn.Dropout(dropout),
        "mlpconv_3": _mlpconv(c192, (c192, c192, num_classes), 3, last=True),
    }


def _mlpconv(
    in_channels: int,
    widths: tuple[int, int, int],
    kernel_size: int,
    *,
    stride: int = 1,
    padding: Padding = "same",
    last: bool = False,
) -> nn.Sequential:
    first, second, third = widths
    return nn.Sequential(
        ConvNormAct(in_channels, first, kernel_size, dim=2, stride=stride, padding=padding),
        ConvNormAct(first, second, 1, dim=2),
        ConvNormAct(second, third, 1, dim=2, activation=None if last else "relu"),
    )
