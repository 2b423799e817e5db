"""Inception v3: factorised kernels, three grids and one side classifier."""

from __future__ import annotations

from torch import nn

from ..heads import GlobalAverageHead, auxiliary_head_v3
from ..inception_v3 import (
    inception_v3_a,
    inception_v3_b,
    inception_v3_c,
    inception_v3_d,
    inception_v3_e,
    inception_v3_stem,
)
from .network import ClassicNetwork, Stem, is_small, scaled
from .small_stem import small_inception_stem

_WIDER = (64, 48, 64, 64, 96, 64)


def inception_v3(
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.2,
    width: float = 1.0,
    stem: Stem = "imagenet",
    auxiliary: bool = True,
) -> ClassicNetwork:
    """Inception v3, for images of 299×299.

    Szegedy et al. (CVPR 2016), table 1, with the widths of the released network: 23,834,568
    parameters, 27,161,264 with its auxiliary head. The modules are called as in the release.

    Args:
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the features dropped in training.
        width: factor of all widths.
        stem: `imagenet`, or `small` for images of 7×7 and more, in training with the auxiliary
            head of 35×35 and more.
        auxiliary: whether it has an auxiliary head, after the last module of 17×17.
    """
    small = is_small(stem)
    c192, c256, c288, c768, c1280, c2048 = (
        scaled(c, width) for c in (192, 256, 288, 768, 1280, 2048)
    )
    make_stem = small_inception_stem if small else inception_v3_stem
    stages: dict[str, nn.Module] = {
        "stem": make_stem(in_channels, c192, dim=2),
        "mixed_5b": inception_v3_a(c192, c256, dim=2),
        "mixed_5c": inception_v3_a(c256, c288, widths=_WIDER, dim=2),
        "mixed_5d": inception_v3_a(c288, c288, widths=_WIDER, dim=2),
        "mixed_6a": inception_v3_b(c288, c768, dim=2),
        "mixed_6b": inception_v3_c(c768, c768, inner=128, dim=2),
        "mixed_6c": inception_v3_c(c768, c768, inner=160, dim=2),
        "mixed_6d": inception_v3_c(c768, c768, inner=160, dim=2),
        "mixed_6e": inception_v3_c(c768, c768, inner=192, dim=2),
        "mixed_7a": inception_v3_d(c768, c1280, dim=2),
        "mixed_7b": inception_v3_e(c1280, c2048, dim=2),
        "mixed_7c": inception_v3_e(c2048, c2048, dim=2),
    }
    side = auxiliary_head_v3(c768, num_classes, hidden=c768, dim=2) if auxiliary else None
    return ClassicNetwork(
        "inception_v3",
        stages,
        GlobalAverageHead(c2048, num_classes, dropout=dropout),
        in_channels=in_channels,
        smallest=7 if small else 75,
        stem=stem,
        auxiliary={"mixed_6e": side} if side is not None else None,
        smallest_in_training=None if side is None else 35 if small else 299,
    )
