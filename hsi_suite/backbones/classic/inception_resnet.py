"""Inception-ResNet v1 and v2: residual Inception blocks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from ...errors import ConfigError
from ..branches import INCEPTION_NORM
from ..conv import ConvNormAct
from ..dimension import LayerChoice, Style
from ..heads import GlobalAverageHead
from ..inception_resnet import (
    inception_resnet_a,
    inception_resnet_b,
    inception_resnet_c,
    inception_resnet_reduction_b,
    inception_resnet_v1_stem,
)
from ..inception_v3 import inception_v3_a, inception_v3_stem
from ..inception_v4 import reduction_a
from ..residual import Residual
from .network import ClassicNetwork, Stem, is_small, scaled
from .small_stem import small_inception_stem


def inception_resnet_v1(
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.2,
    width: float = 1.0,
    stem: Stem = "imagenet",
    scale: float | None = None,
) -> ClassicNetwork:
    """Inception-ResNet v1, for images of 299×299.

    Szegedy et al. (AAAI 2017), figure 15, the cheaper of the two. Its authors released no weights.
    The scales of its residual blocks, which the paper leaves open, are those of the released v2.

    Args:
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the features dropped in training.
        width: factor of all widths.
        stem: `imagenet`, or `small` for images of 7×7 and more.
        scale: of what all residual blocks add, 0.1 to 0.3 in the paper; None: 0.17, 0.10 and 0.20
            in the three kinds.
    """
    small = is_small(stem)
    block_a, block_b, block_c = _blocks(scale)
    c256, c896, c1792 = (scaled(c, width) for c in (256, 896, 1792))
    make_stem = small_inception_stem if small else inception_resnet_v1_stem
    a = [block_a(c256, c256, version=1, dim=2) for _ in range(5)]
    b = [block_b(c896, c896, version=1, dim=2) for _ in range(10)]
    c = [block_c(c1792, c1792, version=1, dim=2) for _ in range(5)]
    stages: dict[str, nn.Module] = {
        "stem": make_stem(in_channels, c256, dim=2),
        "blocks_a": nn.Sequential(*a),
        "reduction_a": reduction_a(c256, c896, widths=(192, 192, 256, 384), dim=2),
        "blocks_b": nn.Sequential(*b),
        "reduction_b": inception_resnet_reduction_b(c896, c1792, version=1, dim=2),
        "blocks_c": nn.Sequential(*c),
    }
    return ClassicNetwork(
        "inception_resnet_v1",
        stages,
        GlobalAverageHead(c1792, num_classes, dropout=dropout),
        in_channels=in_channels,
        smallest=7 if small else 75,
        stem=stem,
    )


def inception_resnet_v2(
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    dropout: float = 0.2,
    width: float = 1.0,
    stem: Stem = "imagenet",
    attention: LayerChoice = None,
    scale: float | None = None,
) -> ClassicNetwork:
    """Inception-ResNet v2, for images of 299×299.

    Szegedy et al. (AAAI 2017), figure 15, with the stem, widths and numbers of blocks of the
    released network: 55,843,464 parameters. The paper's own has the stem of Inception v4, 5, 10
    and 5 blocks, and other widths. With `attention="se"` it is SE-Inception-ResNet v2 (Hu et al.,
    CVPR 2018): attention on the body of every residual block.

    Args:
        in_channels: channels of the images.
        num_classes: number of logits.
        dropout: share of the features dropped in training.
        width: factor of all widths.
        stem: `imagenet`, or `small` for images of 7×7 and more.
        attention: of the residual blocks.
        scale: of what the residual blocks add, 0.1 to 0.3 in the paper; None: 0.17, 0.10 and 0.20
            in the three kinds, as released. The last block of all adds unscaled.
    """
    small = is_small(stem)
    block_a, block_b, block_c = _blocks(scale)
    style: Style = {"dim": 2, "attention": attention}
    c192, c320, c1088, c2080, c1536 = (scaled(c, width) for c in (192, 320, 1088, 2080, 1536))
    first = (96, 48, 64, 64, 96, 64)
    make_stem = small_inception_stem if small else inception_v3_stem
    a = [block_a(c320, c320, **style) for _ in range(10)]
    b = [block_b(c1088, c1088, **style) for _ in range(20)]
    c = [block_c(c2080, c2080, **style) for _ in range(9)]
    c.append(inception_resnet_c(c2080, c2080, scale=1.0, activate=False, **style))
    stages: dict[str, nn.Module] = {
        "stem": make_stem(in_channels, c192, dim=2),
        "mixed_5b": inception_v3_a(c192, c320, widths=first, count_padding=False, dim=2),
        "blocks_a": nn.Sequential(*a),
        "reduction_a": reduction_a(c320, c1088, widths=(256, 256, 384, 384), dim=2),
        "blocks_b": nn.Sequential(*b),
        "reduction_b": inception_resnet_reduction_b(c1088, c2080, dim=2),
        "blocks_c": nn.Sequential(*c),
        "conv_7b": ConvNormAct(c2080, c1536, 1, dim=2, norm=INCEPTION_NORM),
    }
    return ClassicNetwork(
        "inception_resnet_v2" if attention is None else "se_inception_resnet_v2",
        stages,
        GlobalAverageHead(c1536, num_classes, dropout=dropout),
        in_channels=in_channels,
        smallest=7 if small else 75,
        stem=stem,
    )


def _blocks(scale: float | None) -> list[Callable[..., Residual]]:
    """The three kinds of residual blocks, with a scale in place of their own."""
    kinds: list[Callable[..., Residual]] = [
        inception_resnet_a,
        inception_resnet_b,
        inception_resnet_c,
    ]
    if scale is None:
        return kinds
    if not 0 < scale <= 1:
        raise ConfigError("scale", f"{scale:g}", "a number above 0 and at most 1")
    return [partial(kind, scale=scale) for kind in kinds]
