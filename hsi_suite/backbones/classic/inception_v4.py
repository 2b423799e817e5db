"""Inception v4: uniform modules, as many as fit."""

from __future__ import annotations

from torch import nn

from ..heads import GlobalAverageHead
from ..inception_v4 import (
    inception_v4_a,
    inception_v4_b,
    inception_v4_c,
    inception_v4_stem,
    reduction_a,
    reduction_b,
)
from .network import ClassicNetwork, Stem, is_small, scaled
from .small_stem import small_inception_stem


def inception_v4(
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.2,
    width: float = 1.0,
    stem: Stem = "imagenet",
) -> ClassicNetwork:
    """Inception v4, for images of 299×299.

    Szegedy et al. (AAAI 2017), figure 9; 42,679,816 parameters.

    Args:
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the features dropped in training.
        width: factor of all widths.
        stem: `imagenet`, or `small` for images of 7×7 and more.
    """
    small = is_small(stem)
    c384, c1024, c1536 = (scaled(c, width) for c in (384, 1024, 1536))
    make_stem = small_inception_stem if small else inception_v4_stem
    stages: dict[str, nn.Module] = {
        "stem": make_stem(in_channels, c384, dim=2),
        "inception_a": nn.Sequential(*(inception_v4_a(c384, c384, dim=2) for _ in range(4))),
        "reduction_a": reduction_a(c384, c1024, dim=2),
        "inception_b": nn.Sequential(*(inception_v4_b(c1024, c1024, dim=2) for _ in range(7))),
        "reduction_b": reduction_b(c1024, c1536, dim=2),
        "inception_c": nn.Sequential(*(inception_v4_c(c1536, c1536, dim=2) for _ in range(3))),
    }
    return ClassicNetwork(
        "inception_v4",
        stages,
        GlobalAverageHead(c1536, num_classes, dropout=dropout),
        in_channels=in_channels,
        smallest=7 if small else 75,
        stem=stem,
    )
