"""AlexNet and its successor ZFNet: a few wide convolutions and two large connected layers."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import nn

from ...errors import ConfigError
from ..conv import ConvNormAct
from ..dimension import Padding
from ..heads import fully_connected_head
from ..pooling import max_pool
from ..response_norm import LocalResponseNorm
from .network import ClassicNetwork, Stem, is_small, scaled


class _Layer(NamedTuple):
    """A convolution with ReLU; then perhaps response normalisation and a 3×3/2 maximum."""

    width: int
    kernel: int = 3
    stride: int = 1
    padding: Padding = "same"
    groups: int = 1
    norm: bool = False
    pool: Padding | None = None


_ALEXNET = (
    _Layer(64, 11, 4, 2, pool="valid"),
    _Layer(192, 5, pool="valid"),
    _Layer(384),
    _Layer(256),
    _Layer(256, pool="valid"),
)
_ALEXNET_TWO_TOWERS = (
    _Layer(96, 11, 4, 2, norm=True, pool="valid"),
    _Layer(256, 5, groups=2, norm=True, pool="valid"),
    _Layer(384),
    _Layer(384, groups=2),
    _Layer(256, groups=2, pool="valid"),
)
# The paddings that give the grids of the paper's figure 3: 110, 55, 26, 13, 6.
_ZFNET = (
    _Layer(96, 7, 2, 1, norm=True, pool="same"),
    _Layer(256, 5, 2, "valid", norm=True, pool="same"),
    _Layer(384),
    _Layer(384),
    _Layer(256, pool="valid"),
)


def alexnet(
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.5,
    width: float = 1.0,
    stem: Stem = "imagenet",
    towers: Literal[1, 2] = 1,
) -> ClassicNetwork:
    """AlexNet, for images of 224×224.

    One tower: Krizhevsky (2014, arXiv 1404.5997) with the widths of torchvision, 61,100,840
    parameters. Two towers: Krizhevsky et al. (NIPS 2012), figure 2, with grouped convolutions
    and local response normalisation, 60,965,224 parameters.

    Args:
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the units of both hidden layers dropped in training.
        width: factor of all widths.
        stem: `imagenet`, or `small`: no strides, padded pooling and connected layers of 512 over
            the mean of all positions, for any size.
        towers: 1 or 2.
    """
    if towers not in (1, 2):
        raise ConfigError("towers", str(towers), "1 or 2")
    layers = _ALEXNET if towers == 1 else _ALEXNET_TWO_TOWERS
    return _plain("alexnet", layers, in_channels, num_classes, dropout, width, stem, smallest=63)


def zfnet(
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.5,
    width: float = 1.0,
    stem: Stem = "imagenet",
) -> ClassicNetwork:
    """ZFNet, for images of 224×224: AlexNet with a finer beginning.

    Zeiler and Fergus (ECCV 2014), figure 3; 62,357,608 parameters. Its contrast normalisation
    across feature maps is local response normalisation here.

    Args: as `alexnet`.
    """
    return _plain("zfnet", _ZFNET, in_channels, num_classes, dropout, width, stem, smallest=53)


def _plain(
    name: str,
    layers: tuple[_Layer, ...],
    in_channels: int,
    num_classes: int,
    dropout: float,
    width: float,
    stem: Stem,
    *,
    smallest: int,
) -> ClassicNetwork:
    small = is_small(stem)
    stages: dict[str, nn.Module] = {}
    channels = in_channels
    for number, layer in enumerate(layers, 1):
        out_channels = scaled(layer.width, width, layer.groups)
        strided = layer.stride > 1
        stages[f"conv_{number}"] = ConvNormAct(
            channels,
            out_channels,
            3 if small and strided else layer.kernel,
            dim=2,
            stride=1 if small else layer.stride,
            padding="same" if small else layer.padding,
            groups=layer.groups,
        )
        if layer.norm:
            stages[f"norm_{number}"] = LocalResponseNorm()
        if layer.pool is not None:
            padding = "same" if small else layer.pool
            stages[f"pool_{number}"] = max_pool(3, dim=2, stride=2, padding=padding)
        channels = out_channels
    grid, hidden = (1, 512) if small else (6, 4096)
    head = fully_connected_head(
        channels, num_classes, dim=2, grid=grid, hidden=scaled(hidden, width), dropout=dropout
    )
    least = 1 if small else smallest
    return ClassicNetwork(name, stages, head, in_channels=in_channels, smallest=least, stem=stem)
