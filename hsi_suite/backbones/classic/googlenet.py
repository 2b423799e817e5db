"""GoogLeNet: Inception v1 modules with two side classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from torch import nn

from ...errors import ConfigError
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
    pool_4: Literal[2, 3] = 2,
    auxiliary_pooling: Literal["grid", "cells"] = "grid",
) -> ClassicNetwork:
    """GoogLeNet, for images of 224×224.

    Szegedy et al. (CVPR 2015), table 1 and figure 3. By default it is torchvision's: batch norm,
    3×3 kernels in the 5×5 branches, a maximum over 2×2 before module 5a, auxiliary heads that pool
    to a grid; 6,624,904 parameters, 13,004,888 with auxiliary heads. The options norm=lrn,
    five_by_five=true, pool_4=3 and auxiliary_pooling=cells undo this one by one; with all four it
    is the network of the paper, 6,998,552 and 13,378,280. What the paper leaves open is ours: the
    constants of the response normalisation, which are Krizhevsky's, and how maxima treat borders.

    Args:
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the features dropped in training.
        width: factor of all widths.
        stem: `imagenet`, or `small` for images of 2×2 and more.
        auxiliary: whether it has auxiliary heads, after modules 4a and 4d.
        auxiliary_dropout: share of the units of their hidden layers dropped in training.
        five_by_five: whether the 5×5 branches have such kernels.
        norm: of the convolutions; `lrn` stands for the two response normalisations of the
            published stem, none at the convolutions.
        pool_4: side of the maximum before module 5a, of stride 2; 3 as published.
        auxiliary_pooling: how the auxiliary heads come to their 4×4 places: `grid` for images of
            any size, `cells` of 5×5 in steps of 3 as published, for images of 223 to 270 pixels
            (28 to 33 with the small stem).
    """
    small = is_small(stem)
    if pool_4 not in (2, 3):
        raise ConfigError("pool_4", repr(pool_4), "2 or 3")
    if auxiliary_pooling not in ("grid", "cells"):
        raise ConfigError("auxiliary_pooling", repr(auxiliary_pooling), "grid or cells")
    cells = auxiliary_pooling == "cells"
    name = norm.get("name") if isinstance(norm, Mapping) else norm
    response_norm, norm = (norm, None) if name == "lrn" else (None, norm)
    style: Style = {"dim": 2, "norm": norm}
    make_stem = small_inception_stem if small else inception_v1_stem
    channels = scaled(192, width)
    stages: dict[str, nn.Module] = {
        "stem": make_stem(in_channels, channels, response_norm=response_norm, **style)
    }
    sides: dict[str, nn.Module] = {}
    for name, widths in {**_MODULES, "pool_4": pool_4}.items():
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
                cells=cells,
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
        smallest_in_training=(28 if small else 223) if sides and cells else None,
    )
