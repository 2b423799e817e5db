"""The options of blocks and layers with their types, known without loading any of them.

`tests/test_known_values.py` holds the tables against the blocks and layers themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

Choice = str | Mapping[str, Any] | Callable[..., Any] | None
"""A layer within a layer, as `backbones.dimension.LayerChoice`."""

_HINTS: Mapping[str, Any] = {
    "kernel_size": int | tuple[int, ...],
    "stride": int | tuple[int, ...],
    "padding": str | int | tuple[int, ...],
    "dilation": int | tuple[int, ...],
    **dict.fromkeys(
        ("groups", "convolutions", "inner", "size", "reduction", "minimum"), int
    ),
    **dict.fromkeys(("first_groups", "width"), int | None),
    **dict.fromkeys(
        ("expansion", "scale", "eps", "momentum", "alpha", "beta", "k", "negative_slope"), float
    ),
    **dict.fromkeys(("project", "bottleneck", "five_by_five", "count_padding", "activate"), bool),
    **dict.fromkeys(("norm", "response_norm", "activation", "attention", "gate"), Choice),
    "bias": bool | None,
    "pool": Literal["max", "average"],
    "version": Literal[1, 2],
    "approximate": str,
}  # fmt: skip
# Widths of the branches of an Inception module, by how many it has.
_WIDTHS: Mapping[str, Any] = {
    "inception_v1_naive": tuple[int, int, int],
    "reduction_a": tuple[int, int, int, int],
}
_OTHER_WIDTHS = tuple[int, int, int, int, int, int]
_EVERYWHERE = "padding norm activation attention"
_OF_BLOCKS = {
    "conv": "kernel_size stride padding groups dilation norm activation bias attention",
    "depthwise_separable unshuffle_down shuffle_up": f"kernel_size stride {_EVERYWHERE}",
    "inverted_residual": f"expansion kernel_size stride scale {_EVERYWHERE}",
    "shuffle": f"groups first_groups kernel_size stride scale {_EVERYWHERE}",
    "residual se_residual": f"kernel_size stride convolutions project scale {_EVERYWHERE}",
    "bottleneck resnext se_bottleneck se_resnext":
        f"width groups kernel_size stride scale {_EVERYWHERE}",
    "preactivation preactivation_bottleneck":
        f"bottleneck kernel_size stride convolutions scale {_EVERYWHERE}",
    "inception_v1_naive reduction_a": f"widths stride {_EVERYWHERE}",
    "inception_v1 se_inception": f"widths five_by_five stride {_EVERYWHERE}",
    "inception_v1_stem": f"response_norm stride {_EVERYWHERE}",
    "inception_v2": f"widths pool stride {_EVERYWHERE}",
    "inception_v3_a": f"widths count_padding stride {_EVERYWHERE}",
    "inception_v3_b inception_v3_d inception_v3_e inception_v3_stem": f"stride {_EVERYWHERE}",
    "inception_v4_a inception_v4_b inception_v4_c inception_v4_stem": f"stride {_EVERYWHERE}",
    "reduction_b inception_resnet_v1_stem": f"stride {_EVERYWHERE}",
    "inception_v3_c": f"inner stride {_EVERYWHERE}",
    "inception_resnet_a inception_resnet_b": f"version scale stride {_EVERYWHERE}",
    "inception_resnet_c": f"version scale activate stride {_EVERYWHERE}",
    "inception_resnet_reduction_b": f"version stride {_EVERYWHERE}",
    "residual_inception": f"scale stride {_EVERYWHERE}",
}  # fmt: skip
_OF_LAYERS = {
    "batch": "eps momentum",
    "group": "groups eps",
    "lrn": "size alpha beta k",
    "layer": "eps",
    "leaky_relu": "negative_slope",
    "elu": "alpha",
    "gelu": "approximate",
    "se": "reduction minimum gate activation",
}
LAYERS_WITHIN = {
    "norm": "norm",
    "response_norm": "norm",
    "activation": "activation",
    "gate": "activation",
    "attention": "attention",
}
"""Options that choose a layer, and what kind of layer that is."""


def block_hints(name: str) -> dict[str, Any]:
    """The options of a block with their types, in the block's order."""
    own = next(options for names, options in _OF_BLOCKS.items() if name in names.split())
    hints = {key: _HINTS.get(key) for key in own.split()}
    return {**hints, "widths": _WIDTHS.get(name, _OTHER_WIDTHS)} if "widths" in hints else hints


def layer_hints(name: str) -> dict[str, Any]:
    """The same of a norm, an activation or an attention."""
    return {key: _HINTS[key] for key in _OF_LAYERS.get(name, "").split()}
