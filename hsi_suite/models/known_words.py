"""The words that options of networks take for their stages, known without loading any.

`tests/test_models.py` holds the lists against the layers themselves, and the messages against those
of what builds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ConfigError, UnknownNameError
from ..registry import did_you_mean, listed
from .known_blocks import BLOCKS

NOTHING = "none"
# Words of stages that stand for a block, and blocks that are for other places: they change sizes.
ALIASES = {
    "plain": "conv",
    "inception": "inception_v1",
    "separable": "depthwise_separable",
    "se": "se_conv",
}
CHANGE_SIZES = frozenset(
    name
    for name in BLOCKS
    if name.endswith(("_stem", "_reduction_b", "_v3_b", "_v3_d"))
    or name.startswith("reduction_")
    or name in ("unshuffle_down", "shuffle_up")
)
LAYERS: Mapping[str, tuple[str, ...]] = {
    "norm": ("batch", "group", "lrn", "layer"),
    "activation": (
        "relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "hard_sigmoid",
        "hard_swish",
    ),
    "attention": ("se",),
}  # fmt: skip
"""Layers of stages by the option that names them."""

ENCODERS = (
    "mlp", "conv_1d", "residual_1d", "inception_1d", "conv_2d", "residual_2d", "se_residual_2d",
    "inception_2d",
)  # fmt: skip
"""Of retrievers, of one modality."""

_ENCODER_OPTIONS = ("first_encoder", "second_encoder")
_WITH_ATTENTION = "se_"


def stage_words() -> list[str]:
    """The words that `block` knows: aliases, and the blocks that keep sizes."""
    return [*ALIASES, *(name for name in BLOCKS if name not in CHANGE_SIZES and name != "conv")]


def require_words(options: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse names of blocks, layers and encoders that there are not.

    Values of other kinds, and options of a block, are judged when the network is built.

    Args:
        options: of a network of this package, by name.
        known: the options that it has.

    Raises:
        UnknownNameError: no norm, activation or attention of a name.
        ConfigError: no block or encoder of a name, or a block for other places.
    """
    own = set(known)
    _require_style({key: options[key] for key in own & set(options)}, "model.options")
    stages = options.get("stages") if "stages" in own else None
    for stage, said in stages.items() if isinstance(stages, Mapping) else ():
        if isinstance(said, Mapping):
            _require_style(said, f"model.options.stages.{stage}")
    for key in own & set(_ENCODER_OPTIONS) & set(options):
        name = options[key]
        if isinstance(name, str) and name not in ENCODERS:
            hint = did_you_mean(name, ENCODERS)
            raise ConfigError("encoder", f"unknown name {name!r}", listed(ENCODERS), hint)


def _require_style(said: Mapping[str, Any], subject: str) -> None:
    for key, names in LAYERS.items():
        name = _named(said.get(key))
        if name is not None and name not in (*names, NOTHING):
            hint = did_you_mean(name, names)
            raise UnknownNameError(
                f"{subject}.{key}", f"unknown name {name!r}", listed(names), hint
            )
    name = _named(said.get("block"))
    if name is not None:
        _require_block(name, f"{subject}.block")


def _require_block(said: str, subject: str) -> None:
    name = ALIASES.get(said, said)
    if name.startswith(_WITH_ATTENTION):
        name = name.removeprefix(_WITH_ATTENTION)
        name = ALIASES.get(name, name)
    if name in BLOCKS and name not in CHANGE_SIZES:
        return
    known = stage_words()
    expected = f"one of {', '.join(sorted(known))}"
    if said == NOTHING:
        raise ConfigError(subject, said, expected)
    if name in BLOCKS:
        raise ConfigError(subject, f"{said}, which changes sizes", expected)
    raise ConfigError(subject, f"unknown name {said!r}", expected, did_you_mean(said, known))


def _named(choice: object) -> str | None:
    """The name that a choice says, by itself or with options; None of everything else."""
    name = choice.get("name") if isinstance(choice, Mapping) else choice
    return name if isinstance(name, str) else None
