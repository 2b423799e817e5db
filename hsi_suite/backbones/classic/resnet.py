"""ResNet and what followed: ResNeXt, their squeeze-and-excitation forms, pre-activation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from ...errors import ConfigError
from ..conv import ConvNormAct, convolution
from ..dimension import LayerChoice, build_activation, build_norm
from ..heads import GlobalAverageHead
from ..pooling import max_pool
from ..residual import basic_residual, bottleneck_residual, preactivation_residual
from .network import ClassicNetwork, Stem, is_small, scaled

_BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
# He et al. (CVPR 2016), section 4.2: the networks of 6n + 2 layers for CIFAR-10.
_CIFAR_BLOCKS = {20: 3, 32: 5, 44: 7, 56: 9, 110: 18}
_MakeBlock = Callable[[int, int, int], nn.Module]


def resnet(
    *,
    depth: int = 50,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.0,
    width: float = 1.0,
    stem: Stem = "imagenet",
    attention: LayerChoice = None,
) -> ClassicNetwork:
    """ResNet-18, -34, -50, -101 and -152, for images of 224×224.

    He et al. (CVPR 2016), table 1, with the stride of a bottleneck on its 3×3 convolution as in
    torchvision; 11,689,512, 21,797,672, 25,557,032, 44,549,160 and 60,192,808 parameters. With
    `attention="se"` SE-ResNet (Hu et al., CVPR 2018, table 1): 28,088,024 for 50 layers.

    Args:
        depth: layers with weights.
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the features dropped in training.
        width: factor of all widths.
        stem: `imagenet`, or `small`: one 3×3 convolution of stride 1, for any size.
        attention: on the body of every block.

    Raises:
        ConfigError: another depth.
    """
    blocks = _blocks(depth)
    make = basic_residual if depth < 50 else bottleneck_residual
    widths = _widths(64 if depth < 50 else 256, width)

    def block(channels: int, out_channels: int, stride: int) -> nn.Module:
        return make(channels, out_channels, stride=stride, dim=2, attention=attention)

    stages, channels = _stem(in_channels, scaled(64, width), stem)
    stages |= _stages(block, channels, widths, blocks)
    name = f"resnet_{depth}" if attention is None else f"se_resnet_{depth}"
    return _network(name, stages, widths[-1], in_channels, num_classes, dropout, stem)


def cifar_resnet(
    *,
    depth: int = 20,
    in_channels: int = 3,
    num_classes: int = 10,
    dropout: float = 0.0,
    width: float = 1.0,
) -> ClassicNetwork:
    """ResNet-20, -32, -44, -56 and -110, for images of 32×32 or any other size.

    He et al. (CVPR 2016), section 4.2: three stages of 16, 32 and 64 channels. Where the paper
    pads the shortcut with zeros there is a projection, hence 272,474 instead of 269,722
    parameters for 20 layers.

    Args: as `resnet`.

    Raises:
        ConfigError: another depth.
    """
    if depth not in _CIFAR_BLOCKS:
        raise ConfigError("depth", str(depth), f"one of {', '.join(map(str, _CIFAR_BLOCKS))}")
    first, *_ = widths = [scaled(channels, width) for channels in (16, 32, 64)]

    def block(channels: int, out_channels: int, stride: int) -> nn.Module:
        return basic_residual(channels, out_channels, stride=stride, dim=2)

    stages, channels = _stem(in_channels, first, "small")
    stages |= _stages(block, channels, widths, (_CIFAR_BLOCKS[depth],) * 3)
    name = f"resnet_{depth}"
    return _network(name, stages, widths[-1], in_channels, num_classes, dropout, "small")


def resnext(
    *,
    depth: int = 50,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.0,
    width: float = 1.0,
    stem: Stem = "imagenet",
    attention: LayerChoice = None,
    groups: int = 32,
    group_width: int = 4,
) -> ClassicNetwork:
    """ResNeXt-50 and -101, for images of 224×224: ResNet with grouped bottlenecks.

    Xie et al. (CVPR 2017), table 1. 25,028,904 parameters for 50 layers and 44,177,704 for 101
    (32×4d); 88,791,336 for 101 with a `group_width` of 8, as torchvision has it. With
    `attention="se"` SE-ResNeXt-50: 27,559,896.

    Args:
        depth: 50, 101 or 152.
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the features dropped in training.
        width: factor of all widths; those of bottlenecks stay multiples of `groups`.
        stem: as in `resnet`.
        attention: on the body of every block.
        groups: of every bottleneck (the paper's cardinality).
        group_width: channels of a group in the first stage.

    Raises:
        ConfigError: another depth.
    """
    blocks = _blocks(depth, least=50)
    widths = _widths(256, width)
    inner = {
        out_channels: scaled(groups * group_width * 2**stage, width, groups)
        for stage, out_channels in enumerate(widths)
    }

    def block(channels: int, out_channels: int, stride: int) -> nn.Module:
        return bottleneck_residual(
            channels,
            out_channels,
            width=inner[out_channels],
            groups=groups,
            stride=stride,
            dim=2,
            attention=attention,
        )

    stages, channels = _stem(in_channels, scaled(64, width), stem)
    stages |= _stages(block, channels, widths, blocks)
    name = f"resnext_{depth}" if attention is None else f"se_resnext_{depth}"
    return _network(name, stages, widths[-1], in_channels, num_classes, dropout, stem)


def preactivation_resnet(
    *,
    depth: int = 50,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.0,
    width: float = 1.0,
    stem: Stem = "imagenet",
) -> ClassicNetwork:
    """ResNet with norm and activation before the convolutions, for images of 224×224.

    He et al. (ECCV 2016), figure 4e, with one more norm and activation after the last block. The
    first convolution has none: the first block brings them. Networks that have them at both
    places count 128 parameters more; here 25,549,352 for 50 layers.

    Args: as `resnet`.

    Raises:
        ConfigError: another depth.
    """
    blocks = _blocks(depth)
    bottleneck = depth >= 50
    widths = _widths(256 if bottleneck else 64, width)

    def block(channels: int, out_channels: int, stride: int) -> nn.Module:
        return preactivation_residual(
            channels, out_channels, bottleneck=bottleneck, stride=stride, dim=2
        )

    stages, channels = _stem(in_channels, scaled(64, width), stem, bare=True)
    stages |= _stages(block, channels, widths, blocks)
    ends = (build_norm("batch", widths[-1], 2), build_activation("relu"))
    stages["end"] = nn.Sequential(*(layer for layer in ends if layer is not None))
    name = f"preactivation_resnet_{depth}"
    return _network(name, stages, widths[-1], in_channels, num_classes, dropout, stem)


def _blocks(depth: int, least: int = 18) -> tuple[int, ...]:
    """Blocks of the four stages."""
    if depth not in _BLOCKS or depth < least:
        known = ", ".join(str(each) for each in _BLOCKS if each >= least)
        raise ConfigError("depth", str(depth), f"one of {known}")
    return _BLOCKS[depth]


def _widths(first: int, width: float) -> list[int]:
    return [scaled(first * 2**stage, width) for stage in range(4)]


def _stem(
    in_channels: int, channels: int, stem: Stem, bare: bool = False
) -> tuple[dict[str, nn.Module], int]:
    """The layers before the first stage, and the channels they give."""
    kernel, stride = (3, 1) if is_small(stem) else (7, 2)
    unit = partial(convolution, bias=False) if bare else partial(ConvNormAct, norm="batch")
    stages: dict[str, nn.Module] = {
        "stem": unit(in_channels, channels, kernel, dim=2, stride=stride)
    }
    if not is_small(stem):
        stages["pool"] = max_pool(3, dim=2, stride=2)
    return stages, channels


def _stages(
    block: _MakeBlock, channels: int, widths: list[int], blocks: tuple[int, ...]
) -> dict[str, nn.Module]:
    stages: dict[str, nn.Module] = {}
    for number, (out_channels, count) in enumerate(zip(widths, blocks, strict=True), 1):
        stage = nn.Sequential()
        for place in range(count):
            stage.append(block(channels, out_channels, 2 if number > 1 and not place else 1))
            channels = out_channels
        stages[f"stage_{number}"] = stage
    return stages


def _network(
    name: str,
    stages: dict[str, nn.Module],
    channels: int,
    in_channels: int,
    num_classes: int,
    dropout: float,
    stem: Stem,
) -> ClassicNetwork:
    head = GlobalAverageHead(channels, num_classes, dropout=dropout)
    return ClassicNetwork(name, stages, head, in_channels=in_channels, smallest=1, stem=stem)
