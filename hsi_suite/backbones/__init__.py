"""The shared building blocks, each for spectra (1-D), images (2-D) and cubes (3-D).

Every network of the project is composed from these. `BLOCKS` has them by name.
"""

from .blocks import BLOCKS, build_block
from .branches import Branches, SummedBranches
from .conv import ConvNormAct, DepthwiseSeparableConv, NormActConv
from .dimension import ChannelLayerNorm, Crop, LayerChoice, Padding, Size, Style
from .equivariance import breaks_equivariance
from .heads import GlobalAverageHead, auxiliary_head_v1, auxiliary_head_v3
from .inception_resnet import (
    inception_resnet_a,
    inception_resnet_b,
    inception_resnet_c,
    inception_resnet_reduction_b,
    inception_resnet_v1_stem,
    residual_inception_v1,
)
from .inception_v1 import inception_v1, inception_v1_naive, inception_v1_stem, inception_v2
from .inception_v3 import (
    inception_v3_a,
    inception_v3_b,
    inception_v3_c,
    inception_v3_d,
    inception_v3_e,
    inception_v3_stem,
)
from .inception_v4 import (
    inception_v4_a,
    inception_v4_b,
    inception_v4_c,
    inception_v4_stem,
    reduction_a,
    reduction_b,
)
from .initialisation import (
    begin_silent,
    initialise,
    initialise_glorot,
    initialise_kaiming,
    predicts_difference,
)
from .inverted_residual import inverted_residual
from .pooling import AdaptiveMeanPool, AveragePool, GlobalMean, max_pool
from .resampling import PixelShuffle, PixelUnshuffle, shuffle_up, unshuffle_down
from .residual import (
    Residual,
    basic_residual,
    bottleneck_residual,
    preactivation_residual,
    resnext_residual,
)
from .shuffle import ChannelShuffle, shuffle_unit
from .squeeze_excitation import SqueezeExcitation
from .transformer import (
    MatrixProduct,
    PositionedTokens,
    SelfAttention,
    TokenFusion,
    transformer_block,
)

__all__ = [
    "BLOCKS",
    "AdaptiveMeanPool",
    "AveragePool",
    "Branches",
    "ChannelLayerNorm",
    "ChannelShuffle",
    "ConvNormAct",
    "Crop",
    "DepthwiseSeparableConv",
    "GlobalAverageHead",
    "GlobalMean",
    "LayerChoice",
    "MatrixProduct",
    "NormActConv",
    "Padding",
    "PixelShuffle",
    "PixelUnshuffle",
    "PositionedTokens",
    "Residual",
    "SelfAttention",
    "Size",
    "SqueezeExcitation",
    "Style",
    "SummedBranches",
    "TokenFusion",
    "auxiliary_head_v1",
    "auxiliary_head_v3",
    "basic_residual",
    "begin_silent",
    "bottleneck_residual",
    "breaks_equivariance",
    "build_block",
    "inception_resnet_a",
    "inception_resnet_b",
    "inception_resnet_c",
    "inception_resnet_reduction_b",
    "inception_resnet_v1_stem",
    "inception_v1",
    "inception_v1_naive",
    "inception_v1_stem",
    "inception_v2",
    "inception_v3_a",
    "inception_v3_b",
    "inception_v3_c",
    "inception_v3_d",
    "inception_v3_e",
    "inception_v3_stem",
    "inception_v4_a",
    "inception_v4_b",
    "inception_v4_c",
    "inception_v4_stem",
    "initialise",
    "initialise_glorot",
    "initialise_kaiming",
    "inverted_residual",
    "max_pool",
    "preactivation_residual",
    "predicts_difference",
    "reduction_a",
    "reduction_b",
    "residual_inception_v1",
    "resnext_residual",
    "shuffle_unit",
    "shuffle_up",
    "transformer_block",
    "unshuffle_down",
]
