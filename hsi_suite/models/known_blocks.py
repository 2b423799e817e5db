"""The building blocks by name, known without loading any: what is none of them is refused at once.

`tests/test_models_description.py` holds the table against the blocks themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class KnownBlock:
    """What is said of a block.

    Attributes:
        summary: one line.
        preset: options that its name stands for.
    """

    summary: str
    preset: Mapping[str, Any] = field(default_factory=dict)


BLOCKS: Mapping[str, KnownBlock] = {
    "conv": KnownBlock(
        "Convolution, norm, activation, attention: the unit every network here is made of",
        {"kernel_size": 3, "norm": "batch"},
    ),
    "depthwise_separable": KnownBlock(
        "A convolution of each channel alone, then a 1×1 convolution across channels"
    ),
    "inverted_residual": KnownBlock(
        "1×1 to more channels, a depthwise convolution, linear 1×1 to few; added where that fits"
    ),
    "shuffle": KnownBlock(
        "Grouped 1×1, shuffle, depthwise convolution, grouped 1×1: the unit of ShuffleNet v1"
    ),
    "residual": KnownBlock("Two convolutions and a shortcut: ResNet-18 and -34"),
    "bottleneck": KnownBlock(
        "1×1 to fewer channels, a convolution, 1×1 back: ResNet-50 and deeper, ResNeXt"
    ),
    "resnext": KnownBlock(
        "The bottleneck with a grouped middle of half the output's channels: ResNeXt 32×4d"
    ),
    "preactivation": KnownBlock(
        "Norm and activation before each convolution, nothing after the addition"
    ),
    "preactivation_bottleneck": KnownBlock(
        "Norm and activation before each convolution, nothing after the addition",
        {"bottleneck": True},
    ),
    "se_residual": KnownBlock(
        "Two convolutions and a shortcut: ResNet-18 and -34", {"attention": "se"}
    ),
    "se_bottleneck": KnownBlock(
        "1×1 to fewer channels, a convolution, 1×1 back: ResNet-50 and deeper, ResNeXt",
        {"attention": "se"},
    ),
    "se_resnext": KnownBlock(
        "The bottleneck with a grouped middle of half the output's channels: ResNeXt 32×4d",
        {"attention": "se"},
    ),
    "inception_v1_naive": KnownBlock(
        "1×1, 3×3 and 5×5 convolutions beside a maximum, which passes the input's channels on"
    ),
    "inception_v1": KnownBlock("The module of GoogLeNet: 1×1 reductions before the wide kernels"),
    "inception_v1_stem": KnownBlock(
        "What comes before the first module of GoogLeNet and BN-Inception"
    ),
    "inception_v2": KnownBlock("The module of BN-Inception: two 3×3 kernels in place of the 5×5"),
    "inception_v3_a": KnownBlock("1×1, 5×5, double 3×3 and pooled branch, for the grid of 35×35"),
    "inception_v3_b": KnownBlock(
        "The reduction from 35×35 to 17×17: 3×3/2, double 3×3/2 and maximum"
    ),
    "inception_v3_c": KnownBlock(
        "1×1, factorised 7×7, twice factorised 7×7 and pooled branch, for the grid of 17×17"
    ),
    "inception_v3_d": KnownBlock(
        "The reduction from 17×17 to 8×8: 3×3/2, factorised 7×7 with 3×3/2, and maximum"
    ),
    "inception_v3_e": KnownBlock(
        "The expanded filter bank for the grid of 8×8: 1×3 and 3×1 side by side"
    ),
    "inception_v3_stem": KnownBlock(
        "What comes before the first module of Inception v3 and the released Inception-ResNet v2"
    ),
    "inception_v4_a": KnownBlock("1×1, 3×3, double 3×3 and pooled branch of equal widths"),
    "inception_v4_b": KnownBlock("1×1, factorised 7×7, twice factorised 7×7 and pooled branch"),
    "inception_v4_c": KnownBlock(
        "1×1, parallel 1×3 and 3×1, the same after a factorised 3×3, and pooled branch"
    ),
    "inception_v4_stem": KnownBlock(
        "What comes before the first module of Inception v4 and the published Inception-ResNet v2"
    ),
    "reduction_a": KnownBlock(
        "The reduction from 35×35 to 17×17: n at 3×3/2; k, l, m at 1×1, 3×3, 3×3/2; maximum"
    ),
    "reduction_b": KnownBlock(
        "The reduction from 17×17 to 8×8 of Inception v4: 3×3/2, factorised 7×7 with 3×3/2, maximum"
    ),
    "inception_resnet_a": KnownBlock("1×1, 3×3 and double 3×3 branch, for the grid of 35×35"),
    "inception_resnet_b": KnownBlock("1×1 and factorised 7×7 branch, for the grid of 17×17"),
    "inception_resnet_c": KnownBlock("1×1 and factorised 3×3 branch, for the grid of 8×8"),
    "inception_resnet_reduction_b": KnownBlock(
        "The reduction from 17×17 to 8×8: two 3×3/2, a double 3×3/2, maximum"
    ),
    "inception_resnet_v1_stem": KnownBlock(
        "What comes before the first block of Inception-ResNet v1"
    ),
    "residual_inception": KnownBlock("The module of GoogLeNet as a residual body"),
    "se_inception": KnownBlock(
        "The module of GoogLeNet: 1×1 reductions before the wide kernels", {"attention": "se"}
    ),
    "unshuffle_down": KnownBlock(
        "Pixel-unshuffle, then a convolution: downsampling that drops no sample"
    ),
    "shuffle_up": KnownBlock("A convolution, then pixel-shuffle: upsampling without interpolation"),
}
"""Those of `backbones.blocks`, in its order."""
