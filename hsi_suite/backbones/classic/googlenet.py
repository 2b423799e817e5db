"""GoogLeNet: Inception v1 modules with two side classifiers."""

from __future__ import annotations

from torch import nn

from ..branches import INCEPTION_NORM
from ..dimension import LayerChoice, Style
from ..heads import GlobalAverageHead, auxiliary_head_v1
from ..inception_v1 import inception_v1, inception_v1_stem
from ..pooling import max_pool
from .network import ClassicNetwork, Stem, is_small, scaled
from .small_stem import small_inception_stem

# Table 1 of the paper: 1×1; 3×3 reduction, 3×3; 5×5 reduction, 5×5; pool projection. An entry of
# one number is a maximum over so many pixels, stride 2.
_MODULES: dict[str, tuple[int, int, int, int, int, int] | int] = {
    "inception_3a": (64, 96, 128, 16, 32, 32),
    "inception_3b": (128, 128, 192, 32, 96, 64),
    "pool_3": 3,
    "inception_4a": (192, 96, 208, 16, 48, 64),
    "inception_4b": (160, 112, 224, 24, 64, 64),
    "inception_4c": (128, 128, 256, 24, 64, 64),
    "inception_4d": (112, 144, 288, 32, 64, 64),
    "inception_4e": (256, 160, 320, 32, 128, 128),
    "pool_4": 2,
    "inception_5a": (256, 160, 320, 32, 128, 128),
    "inception_5b": (384, 192, 384, 48, 128, 128),
}
_SIDES = ("inception_4a", "inception_4d")


def googlenet(
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.4,
    width: float = 1.0,
    stem: Stem = "imagenet",
    auxiliary: bool = True,
    auxiliary_dropout: float = 0.7,
    five_by_five: bool = False,
    norm: LayerChoice = INCEPTION_NORM,
) -> ClassicNetwork:
    """GoogLeNet, for images of 224×224.

    Szegedy et al. (CVPR 2015), table 1 and figure 3. As in torchvision with batch norm and, in
    the 5×5 branches, 3×3 kernels: 6,624,904 parameters, 13,004,888 with auxiliary heads. With
    `five_by_five` and without norm it is the paper's network but for the two response
    normalisations of its stem: 6,998,552 and 13,378,280.

    Args:
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the features dropped in training.
        width: factor of all widths.
        stem: `imagenet`, or `small` for images of 2×2 and more.
        auxiliary: whether it has auxiliary heads, after modules 4a and 4d.
        auxiliary_dropout: share of the units of their hidden layers dropped in training.
        five_by_five: whether the 5×5 branches have such kernels.
        norm: of the convolutions.
    """
    small = is_small(stem)
    style: Style = {"dim": 2, "norm": norm}
    make_stem = small_inception_stem if small else inception_v1_stem
    channels = scaled(192, width)
    stages: dict[str, nn.Module] = {"stem": make_stem(in_channels, channels, **style)}
    sides: dict[str, nn.Module] = {}
    for name, widths in _MODULES.items():
        if isinstance(widths, int):
            stages[name] = max_pool(widths, dim=2, stride=2, padding="valid", ceil_mode=True)
            continue
        end = scaled(widths[0] + widths[2] + widths[4] + widths[5], width)
        stages[name] = inception_v1(
            channels, end, widths=widths, five_by_five=five_by_five, **style
        )
        channels = end
        if auxiliary and name in _SIDES:
            sides[name] = auxiliary_head_v1(
                channels,
                num_classes,
                hidden=scaled(1024, width),
                dropout=auxiliary_dropout,
                **style,
            )
    return ClassicNetwork(
        "googlenet",
        stages,
        GlobalAverageHead(channels, num_classes, dropout=dropout),
        in_channels=in_channels,
        smallest=2 if small else 15,
        stem=stem,
        auxiliary=sides,
    )
