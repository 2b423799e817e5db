"""BN-Inception: GoogLeNet with batch norm and two 3×3 kernels in place of each 5×5."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import nn

from ..dimension import LayerChoice, Style
from ..heads import GlobalAverageHead
from ..inception_v1 import inception_v1_stem, inception_v2
from .network import ClassicNetwork, Stem, is_small, scaled
from .small_stem import small_inception_stem


class _Module(NamedTuple):
    """1×1; 3×3 reduction, 3×3; double 3×3 reduction, double 3×3; pool projection."""

    out_channels: int
    widths: tuple[int, int, int, int, int, int]
    stride: int = 1
    pool: Literal["max", "average"] = "average"


_MODULES = {
    "inception_3a": _Module(256, (64, 64, 64, 64, 96, 32)),
    "inception_3b": _Module(320, (64, 64, 96, 64, 96, 64)),
    "inception_3c": _Module(576, (0, 128, 160, 64, 96, 0), stride=2),
    "inception_4a": _Module(576, (224, 64, 96, 96, 128, 128)),
    "inception_4b": _Module(576, (192, 96, 128, 96, 128, 128)),
    "inception_4c": _Module(608, (160, 128, 160, 128, 160, 128)),
    "inception_4d": _Module(608, (96, 128, 192, 160, 192, 128)),
    "inception_4e": _Module(1056, (0, 128, 192, 192, 256, 0), stride=2),
    "inception_5a": _Module(1024, (352, 192, 320, 160, 224, 128)),
    "inception_5b": _Module(1024, (352, 192, 320, 192, 224, 128), pool="max"),
}


def bn_inception(
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.0,
    width: float = 1.0,
    stem: Stem = "imagenet",
    attention: LayerChoice = None,
) -> ClassicNetwork:
    """BN-Inception, for images of 224×224.

    Ioffe and Szegedy (ICML 2015), figure 5. The paper gives modules 4c and 4d 576 channels,
    which its own branches do not add up to; here the branches count (608), as in the released
    networks. Those have 11,295,240 parameters, 10,016 of them biases of convolutions, which the
    norms behind them cancel: without these there are 11,285,224 here. With `attention="se"` it is
    SE-BN-Inception (Hu et al., CVPR 2018, figure 2), each module followed by one.

    Args:
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the features dropped in training.
        width: factor of all widths.
        stem: `imagenet`, or `small` for any size.
        attention: at the end of every module.
    """
    small = is_small(stem)
    style: Style = {"dim": 2, "attention": attention}
    make_stem = small_inception_stem if small else inception_v1_stem
    channels = scaled(192, width)
    stages: dict[str, nn.Module] = {"stem": make_stem(in_channels, channels, dim=2)}
    for name, module in _MODULES.items():
        end = scaled(module.out_channels, width)
        stages[name] = inception_v2(
            channels, end, widths=module.widths, stride=module.stride, pool=module.pool, **style
        )
        channels = end
    return ClassicNetwork(
        "bn_inception" if attention is None else "se_bn_inception",
        stages,
        GlobalAverageHead(channels, num_classes, dropout=dropout),
        in_channels=in_channels,
        smallest=1 if small else 7,
        stem=stem,
    )
