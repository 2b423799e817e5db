"""The words that options of networks take for their stages, known without loading any.

`tests/test_models.py` holds the lists against the layers themselves, and the messages against those
of what builds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ConfigError, UnknownNameError
from ..option_values import LIMITS, check_hinted, check_value
from ..registry import did_you_mean, listed
from .known_blocks import BLOCKS
from .known_layers import LAYERS_WITHIN, block_hints, layer_hints

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

# A place that has an attention and nothing else.
_HEAD = "head"
STAGES: Mapping[str, tuple[str, ...]] = {
    "hybridsn": ("3d", "3d_1", "3d_2", "3d_3", "2d", _HEAD),
    "dscmr": ("first", "second"),
}
"""The stages of networks that may be said by themselves; other networks have levels."""
STAGE_KEYS = ("block", "attention", "scale", "norm", "activation")
"""What may be said of a stage."""

# Levels of networks that have them, where nothing is said of their channels.
_LEVELS = 3
# What a stage settles, and no option of its block.
_STAGES_OWN = ("dim", "stride", "padding")
_STAGES = "model.options.stages"
_ENCODER_OPTIONS = ("first_encoder", "second_encoder")
_WITH_ATTENTION = "se_"


def stage_words() -> list[str]:
    """The words that `block` knows: aliases, and the blocks that keep sizes."""
    return [*ALIASES, *(name for name in BLOCKS if name not in CHANGE_SIZES and name != "conv")]


def require_words(name: str, options: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse blocks, layers, stages and encoders that there are not, and what they cannot have.

    Args:
        name: of a network of this package.
        options: of it, by name, their own types being right.
        known: the options that it has.

    Raises:
        UnknownNameError: no norm, activation or attention of a name.
        ConfigError: no block, stage or encoder of a name, a block for other places, or a value that
            an option of theirs cannot have.
    """
    own = set(known)
    _require_style({key: options[key] for key in own & set(options)}, "model.options")
    if options.get("stages") is not None and "stages" in own:
        _require_stages(options["stages"], _stages_of(name, options))
    for key in own & set(_ENCODER_OPTIONS) & set(options):
        encoder = options[key]
        if encoder not in ENCODERS:
            hint = did_you_mean(encoder, ENCODERS)
            raise ConfigError("encoder", f"unknown name {encoder!r}", listed(ENCODERS), hint)


def _stages_of(name: str, options: Mapping[str, Any]) -> list[str]:
    if name in STAGES:
        return list(STAGES[name])
    levels = len(options["channels"]) if "channels" in options else _LEVELS
    return [f"level_{number}" for number in range(1, levels + 1)]


def _require_stages(stages: Mapping[str, Any], known: list[str]) -> None:
    for name in stages:
        if name not in known:
            hint = did_you_mean(str(name), known, most=1)
            raise ConfigError(f"{_STAGES}.{name}", "no such stage", listed(known), hint)
    for name, said in stages.items():
        subject = f"{_STAGES}.{name}"
        if not isinstance(said, Mapping):
            raise ConfigError(subject, repr(said), f"keys of {', '.join(sorted(STAGE_KEYS))}")
        for key in said:
            if key not in STAGE_KEYS:
                hint = did_you_mean(str(key), STAGE_KEYS, most=1)
                expected = f"one of {', '.join(sorted(STAGE_KEYS))}"
                raise ConfigError(f"{subject}.{key}", "unknown key", expected, hint)
        _require_style(said, subject)
    head = stages.get(_HEAD) or {}
    if any(said is not None for key, said in head.items() if key != "attention"):
        raise ConfigError(f"{_STAGES}.{_HEAD}", "more than an attention", "attention alone")


def _require_style(said: Mapping[str, Any], subject: str) -> None:
    if said.get("scale") is not None:
        check_value(f"{subject}.scale", said["scale"], float, LIMITS["scale"])
    _require_layers(said, subject)
    if said.get("block") is not None:
        _require_block(said["block"], f"{subject}.block")


def _require_layers(said: Mapping[str, Any], subject: str) -> None:
    """Refuse norms, activations and attentions that there are not, with those within them."""
    for key, kind in LAYERS_WITHIN.items():
        choice = said.get(key)
        if choice is None or choice == NOTHING or callable(choice):
            continue
        where = f"{subject}.{key}"
        chosen = {"name": choice} if isinstance(choice, str) else choice
        if not isinstance(chosen, Mapping):
            raise ConfigError(where, repr(choice), "a name, or options with a key `name`")
        name = chosen.get("name")
        if not isinstance(name, str):
            raise ConfigError(where, f"no name in {dict(chosen)}", "a key `name`")
        if name not in LAYERS[kind]:
            hint = did_you_mean(name, LAYERS[kind])
            raise UnknownNameError(where, f"unknown name {name!r}", listed(LAYERS[kind]), hint)
        options = {key: value for key, value in chosen.items() if key != "name"}
        check_hinted(where, layer_hints(name), options)
        _require_layers(options, where)


def _require_block(choice: object, subject: str) -> None:
    chosen = {"name": choice} if isinstance(choice, str) else choice
    if not isinstance(chosen, Mapping) or not isinstance(chosen.get("name"), str):
        raise ConfigError(subject, repr(chosen), "a name, or options with a key `name`")
    name = _known_block(chosen["name"], subject)
    options = {key: value for key, value in chosen.items() if key != "name"}
    for key in _STAGES_OWN:
        if key in options:
            raise ConfigError(f"{subject}.{key}", "set", "nothing: it follows from the stage")
    named = LAYERS_WITHIN.keys() & options
    options |= {key: None for key in named if options[key] == NOTHING}
    check_hinted(subject, block_hints(name), options)
    _require_layers(options, subject)


def _known_block(said: str, subject: str) -> str:
    """The name of a block, without what its word says of attention."""
    name = ALIASES.get(said, said)
    if name.startswith(_WITH_ATTENTION):
        name = name.removeprefix(_WITH_ATTENTION)
        name = ALIASES.get(name, name)
    if name in BLOCKS and name not in CHANGE_SIZES and said != NOTHING:
        return name
    known = stage_words()
    expected = f"one of {', '.join(sorted(known))}"
    if said == NOTHING:
        raise ConfigError(subject, said, expected)
    if name in BLOCKS:
        raise ConfigError(subject, f"{said}, which changes sizes", expected)
    raise ConfigError(subject, f"unknown name {said!r}", expected, did_you_mean(said, known))
