"""The blocks by name, so that a configuration can say `block: se_residual`.

Every entry is called as `factory(in_channels, out_channels, dim=..., stride=..., padding=...,
norm=..., activation=..., attention=..., **options)`; what is left out has the default of the
block.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Unpack

from torch import nn

from ..errors import ConfigError
from ..registry import Registry
from .conv import ConvNormAct, DepthwiseSeparableConv
from .dimension import LayerChoice, Style, build_choice
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
from .inverted_residual import inverted_residual
from .resampling import shuffle_up, unshuffle_down
from .residual import (
    basic_residual,
    bottleneck_residual,
    preactivation_residual,
    resnext_residual,
)
from .shuffle import shuffle_unit

BLOCKS: Registry[Callable[..., nn.Module]] = Registry("block")


_FACTORIES: dict[str, Callable[..., nn.Module]] = {
    "conv": partial(ConvNormAct, kernel_size=3, norm="batch"),
    "depthwise_separable": DepthwiseSeparableConv,
    "inverted_residual": inverted_residual,
    "shuffle": shuffle_unit,
    "residual": basic_residual,
    "bottleneck": bottleneck_residual,
    "resnext": resnext_residual,
    "preactivation": preactivation_residual,
    "preactivation_bottleneck": partial(preactivation_residual, bottleneck=True),
    "se_residual": partial(basic_residual, attention="se"),
    "se_bottleneck": partial(bottleneck_residual, attention="se"),
    "se_resnext": partial(resnext_residual, attention="se"),
    "inception_v1_naive": inception_v1_naive,
    "inception_v1": inception_v1,
    "inception_v1_stem": inception_v1_stem,
    "inception_v2": inception_v2,
    "inception_v3_a": inception_v3_a,
    "inception_v3_b": inception_v3_b,
    "inception_v3_c": inception_v3_c,
    "inception_v3_d": inception_v3_d,
    "inception_v3_e": inception_v3_e,
    "inception_v3_stem": inception_v3_stem,
    "inception_v4_a": inception_v4_a,
    "inception_v4_b": inception_v4_b,
    "inception_v4_c": inception_v4_c,
    "inception_v4_stem": inception_v4_stem,
    "reduction_a": reduction_a,
    "reduction_b": reduction_b,
    "inception_resnet_a": inception_resnet_a,
    "inception_resnet_b": inception_resnet_b,
    "inception_resnet_c": inception_resnet_c,
    "inception_resnet_reduction_b": inception_resnet_reduction_b,
    "inception_resnet_v1_stem": inception_resnet_v1_stem,
    "residual_inception": residual_inception_v1,
    "se_inception": partial(inception_v1, attention="se"),
    "unshuffle_down": unshuffle_down,
    "shuffle_up": shuffle_up,
}
for _name, _factory in _FACTORIES.items():
    BLOCKS.add(_name, _factory)


def build_block(
    choice: LayerChoice, in_channels: int, out_channels: int, **style: Unpack[Style]
) -> nn.Module:
    """The block a configuration names.

    Args:
        choice: a name of `BLOCKS`, or a mapping with the name under `name` and the block's
            options beside it.
        in_channels: channels of the input.
        out_channels: channels of the output.
        style: `dim` and the choices of `Style`; options in `choice` go before.

    Raises:
        UnknownNameError: no block has the name.
        ConfigError: no choice, an option the block does not take, or one that does not fit.

    Example:
        >>> import torch
        >>> block = build_block({"name": "se_residual", "stride": 2}, 8, 16, dim=2)
        >>> block(torch.zeros(1, 8, 8, 8)).shape
        torch.Size([1, 16, 4, 4])
    """
    block = build_choice(BLOCKS, choice, in_channels, out_channels, **style)
    if block is None:
        raise ConfigError("block", "none", f"one of {', '.join(sorted(BLOCKS))}")
    return block
