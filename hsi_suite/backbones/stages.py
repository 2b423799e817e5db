"""The one vocabulary for the stages of every network: block, attention, scale, norm, activation.

A network says what a stage is for (its channels, kernel, padding and the norm it has of its own);
a `StageStyle` says what it is made of, by words of a configuration; `build_stage` makes it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from torch import nn

from ..errors import ConfigError
from ..option_values import LIMITS, check_value, check_values
from ..registry import did_you_mean
from .blocks import BLOCKS, build_block
from .conv import named_layers
from .dimension import (
    ACTIVATIONS,
    NORMS,
    LayerChoice,
    Padding,
    Size,
    Style,
    build_activation,
    build_norm,
    checked_choice,
)
from .squeeze_excitation import ATTENTIONS

NOTHING = "none"
# Words for what is used most, beside the names of `BLOCKS`.
_ALIASES = {
    "plain": "conv",
    "inception": "inception_v1",
    "separable": "depthwise_separable",
    "se": "se_conv",
}
_WITH_ATTENTION = "se_"
# What a stage settles, and no option of its block.
_STAGES_OWN = ("dim", "stride", "padding")
# What can halve positions by a stride of its own, whatever the channels.
_STRIDES = (
    "conv",
    "depthwise_separable",
    "inverted_residual",
    "residual",
    "bottleneck",
    "resnext",
    "preactivation",
    "preactivation_bottleneck",
)
# What activates its input, or convolves channels apart: not for raw values of a single channel.
_PREACTIVATED = ("preactivation", "preactivation_bottleneck")
# The layers that a choice of the vocabulary may hold, and where their names are.
_LAYERS = {
    "norm": NORMS,
    "response_norm": NORMS,
    "activation": ACTIVATIONS,
    "gate": ACTIVATIONS,
    "attention": ATTENTIONS,
}
_FROM_FEATURES = (*_PREACTIVATED, "depthwise_separable", "inverted_residual", "shuffle")


@dataclass(frozen=True)
class StageStyle:
    """What the stages of a network are made of, as a configuration says it.

    Every field may be left out (None), which leaves the network's own choice; the word none
    leaves out the layer.

    Attributes:
        block: plain, residual, preactivation, bottleneck, resnext, inception, separable,
            inverted_residual, se (plain with attention), se_residual, … or any other block of
            `hsi models list --blocks` that keeps the size; with options as a mapping with the name
            under `name`.
        attention: se or none, at the end of each block; a residual one has it on its body.
        scale: factor of what a residual block adds, 0.1 to 0.3 in Szegedy et al. (AAAI 2017).
        norm: batch, layer, group, lrn or none.
        activation: relu and others, or none.
    """

    block: LayerChoice = None
    attention: LayerChoice = None
    scale: float | None = None
    norm: LayerChoice = None
    activation: LayerChoice = None

    def __post_init__(self) -> None:
        check_style(vars(self), "model.options")

    @classmethod
    def read(cls, options: Mapping[str, Any], subject: str) -> StageStyle:
        """The style of a mapping.

        Args:
            options: of the fields' names.
            subject: what it is, for messages.

        Raises:
            UnknownNameError: no block, norm, activation or attention of a name.
            ConfigError: no mapping, an unknown key, or a value that it cannot have.
        """
        known = [field.name for field in fields(cls)]
        if not isinstance(options, Mapping):
            raise ConfigError(subject, repr(options), f"keys of {_words(known)}")
        for key in options:
            if key not in known:
                hint = did_you_mean(str(key), known, most=1)
                raise ConfigError(
                    f"{subject}.{key}", "unknown key", f"one of {_words(known)}", hint
                )
        check_style(options, subject)
        return cls(**options)

    def over(self, base: StageStyle) -> StageStyle:
        """What is said here, and what `base` says of the rest."""
        said = {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}
        return replace(base, **said)

    def named(self) -> tuple[str, dict[str, Any], LayerChoice]:
        """The block's name in `BLOCKS`, its options and the attention.

        Raises:
            UnknownNameError: no block has the name.
            ConfigError: the block is for other places than a stage.
        """
        name, options, gated = _named_block(self.block, "model.options.block")
        attention = "se" if gated and self.attention is None else self.attention
        return name, options, None if attention == NOTHING else attention


STAGE_KEYS = tuple(field.name for field in fields(StageStyle))
"""The keys of the vocabulary."""


def stage_blocks() -> list[str]:
    """The words that `block` knows: aliases, and the blocks that keep sizes."""
    return [*_ALIASES, *(name for name in BLOCKS if _keeps_sizes(name) and name != "conv")]


def check_style(said: Mapping[str, Any], subject: str) -> None:
    """Refuse what no stage can be made of, whatever its channels.

    Args:
        said: some fields of `StageStyle`, by name.
        subject: what they are of, for messages.

    Raises:
        UnknownNameError: no block, norm, activation or attention of a name.
        ConfigError: a value of another type or out of its limits, or a block for other places.
    """
    if said.get("scale") is not None:
        check_value(f"{subject}.scale", said["scale"], float, LIMITS["scale"])
    _check_layers(said, subject)
    if said.get("block") is None:
        return
    if said["block"] == NOTHING:
        raise ConfigError(f"{subject}.block", NOTHING, f"one of {_words(stage_blocks())}")
    name, options, _ = _named_block(said["block"], f"{subject}.block")
    check_values(f"{subject}.block", BLOCKS[name], options)
    _check_layers(options, f"{subject}.block")


def _check_layers(said: Mapping[str, Any], subject: str) -> None:
    """Check the options of norms, activations and attentions, and of those within them."""
    for key, registry in _LAYERS.items():
        choice = said.get(key)
        if choice is None or choice == NOTHING or _is_factory(choice):
            continue
        _, options = checked_choice(registry, choice, f"{subject}.{key}")
        _check_layers(options, f"{subject}.{key}")


def _is_factory(choice: LayerChoice) -> bool:
    return callable(choice)


def _named_block(choice: LayerChoice, subject: str) -> tuple[str, dict[str, Any], bool]:
    """A block's name in `BLOCKS`, its options, and whether its name asks for attention."""
    if choice is None:
        choice = "plain"
    if isinstance(choice, str):
        choice = {"name": choice}
    if not isinstance(choice, Mapping) or not isinstance(choice.get("name"), str):
        raise ConfigError(subject, repr(choice), "a name, or options with a key `name`")
    said: str = choice["name"]
    name = _ALIASES.get(said, said)
    gated = name.startswith(_WITH_ATTENTION)
    if gated:
        name = name.removeprefix(_WITH_ATTENTION)
        name = _ALIASES.get(name, name)
    _check_stage(name, said, subject)
    options = {key: value for key, value in choice.items() if key != "name"}
    for key in _STAGES_OWN:
        if key in options:
            raise ConfigError(f"{subject}.{key}", "set", "nothing: it follows from the stage")
    return name, {key: _layer(v) if key in _LAYERS else v for key, v in options.items()}, gated


def _keeps_sizes(name: str) -> bool:
    stride = inspect.signature(BLOCKS[name]).parameters.get("stride")
    return stride is None or stride.default in (1, inspect.Parameter.empty)


def _check_stage(name: str, said: str, subject: str) -> None:
    if name in BLOCKS and _keeps_sizes(name):
        return
    known = stage_blocks()
    if name not in BLOCKS:
        found, hint = f"unknown name {said!r}", did_you_mean(said, known)
    else:
        found, hint = f"{said}, which changes sizes", ""
    raise ConfigError(subject, found, f"one of {_words(known)}", hint)


def strides(style: StageStyle) -> bool:
    """Whether the block can halve positions by a stride; the others are followed by a maximum."""
    return style.named()[0] in _STRIDES


def takes_raw_values(style: StageStyle) -> bool:
    """Whether the block can be a network's first stage.

    Those that activate their input, or convolve its channels one by one, are made for features.
    """
    return style.named()[0] not in _FROM_FEATURES


def adds(style: StageStyle) -> bool:
    """Whether the block adds what it finds to its input, so that it can be scaled."""
    return "scale" in inspect.signature(BLOCKS[style.named()[0]]).parameters


def build_stage(
    style: StageStyle,
    in_channels: int,
    out_channels: int,
    *,
    dim: int,
    kernel_size: Size = 3,
    stride: Size = 1,
    padding: Padding = "same",
    norm: LayerChoice = None,
) -> nn.Module:
    """A stage of a network: the block that the style names, with its choices.

    Kernels are those of the stage where the block leaves them open (Inception modules have their
    own). Without padding a residual or preactivated block has one convolution in place of two, so
    that a stage takes away what its kernel does.

    Shapes: (N, in_channels, n, ...) to (N, out_channels, m, ...) as `ConvNormAct`; Inception
    modules lose what their widest branch does.

    Args:
        style: what it is made of.
        in_channels: channels of the input.
        out_channels: channels of the output.
        dim: 1 for spectra, 2 for images, 3 for cubes.
        kernel_size: of the stage.
        stride: 1, or 2 for blocks that `strides` says so of.
        padding: same or valid.
        norm: the network's own, where the style leaves it.

    Raises:
        UnknownNameError: no block, norm, activation or attention of this name.
        ConfigError: an option the block does not take, or a scale where nothing is added.

    Example:
        >>> import torch
        >>> stage = build_stage(StageStyle("residual", scale=0.2), 8, 16, dim=1)
        >>> stage(torch.zeros(1, 8, 9)).shape
        torch.Size([1, 16, 9])
    """
    name, options, attention = style.named()
    known = inspect.signature(BLOCKS[name]).parameters
    keywords: dict[str, Any] = {"kernel_size": kernel_size, "scale": style.scale}
    if padding == "valid":
        keywords["convolutions"] = 1
    if style.scale not in (None, 1) and not adds(style):
        scaled = [block for block in stage_blocks() if adds(StageStyle(block))]
        said = "plain" if style.block is None else name
        found = f"{style.scale:g} with block {said}, which adds nothing to its input"
        raise ConfigError("model.options.scale", found, f"a block of {_words(scaled)}")
    chosen = {key: value for key, value in keywords.items() if key in known and value is not None}
    choices: Style = {"dim": dim, "padding": padding, "norm": own_norm(style, norm)}
    if style.activation is not None:
        choices["activation"] = _layer(style.activation)
    if attention is not None:
        choices["attention"] = attention
    block = {"name": name, **chosen, "stride": stride, **options}
    try:
        return build_block(block, in_channels, out_channels, **choices)
    except ConfigError as error:
        if error.subject not in known:
            raise
        # What depends on channels and axes: divisors, lengths, kernels that can be padded.
        key = f"model.options.block.{error.subject}"
        raise ConfigError(key, error.found, error.expected, error.remedy) from error


def stage_end(
    style: StageStyle, channels: int, *, dim: int, norm: LayerChoice = None
) -> nn.Sequential | None:
    """What follows the last of several stages: norm and activation after preactivated ones.

    He et al. (ECCV 2016), appendix: the activation after the last addition. None for others.
    """
    if style.named()[0] not in _PREACTIVATED:
        return None
    activation = "relu" if style.activation is None else _layer(style.activation)
    return nn.Sequential(
        named_layers(
            norm=build_norm(own_norm(style, norm), channels, dim),
            activation=build_activation(activation),
        )
    )


def own_norm(style: StageStyle, norm: LayerChoice) -> LayerChoice:
    """The norm of a style, or the network's own."""
    return norm if style.norm is None else _layer(style.norm)


def _layer(choice: LayerChoice) -> LayerChoice:
    return None if choice == NOTHING else choice


def _words(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


PLAIN = StageStyle()
"""What the network itself has, in every field."""
