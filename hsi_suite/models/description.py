"""What the models are by their names: what they are for, cost and promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from ..arguments import checked
from ..backbones.equivariance import breaks_equivariance
from ..errors import ConfigError, ShapeError
from ..registry import listed
from .building import build_example
from .known_inputs import follows_from_input
from .known_names import require_layers
from .network_description import NetworkDescription, describe_network
from .registry import is_model, model_names, package_of_others, spec_of
from .spec import PURPOSES, size_text

# `AUTO` of the configurations, which models do not know.
_AUTO = "auto"


@dataclass(frozen=True)
class ModelDescription:
    """A registered network for one shape of input.

    Attributes:
        name: in the registry.
        task: what it is for.
        summary: one line about it.
        input: shape of one input, without the batch.
        arguments: what the network was built with.
        network: its layers and totals.
        window_equivariant: whether its features of a scene hold those of its windows, in
            `training` and for `maps`.
    """

    name: str
    task: str
    summary: str
    input: tuple[int, ...]
    arguments: Mapping[str, Any]
    network: NetworkDescription
    window_equivariant: Mapping[str, bool]


@checked
def describe_model(
    name: str, shape: tuple[int, ...] | None = None, options: Mapping[str, Any] | None = None
) -> ModelDescription:
    """Describe a registered network, built to fit an input.

    Args:
        name: of a network in `MODELS`.
        shape: of one input, without the batch; None for that of the usual instance. Channels and
            window are taken from it.
        options: further arguments, in place of those of the usual instance.

    Raises:
        UnknownNameError: no model of this name.
        ConfigError: it has no layers, or an option does not suit it.
        ShapeError: the network cannot take this input.
    """
    if name == _AUTO:
        raise ConfigError(name, "not a model but a choice of one", listed(model_names()))
    require_layers(name)
    spec, options = spec_of(name), dict(options or {})
    shape = shape or spec.example_input
    with torch.device("meta"):
        fitted = PURPOSES[spec.task].fitted(shape, partial(build_example, name, options))
        for key in fitted:
            if key in options:
                raise follows_from_input(key)
        network = build_example(name, {**options, **fitted})
    try:
        described = describe_network(network, shape)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        # The first line of torch's own errors is the reason, the rest its stack.
        found = f"does not pass through {name} ({str(error).partition(chr(10))[0]})"
        raise ShapeError(f"input {size_text(shape)}", found) from error
    return ModelDescription(
        name=name,
        task=spec.task,
        summary=spec.summary,
        input=shape,
        arguments={**spec.example, **options, **fitted},
        network=described,
        window_equivariant={
            "training": window_equivariant(network, training=True),
            "maps": window_equivariant(network, training=False),
        },
    )


def multiply_adds(name: str, arguments: Mapping[str, Any], shape: tuple[int, ...]) -> int | None:
    """Multiply-adds of a registered network for one input.

    Args:
        name: of the network.
        arguments: what it is built with, options included.
        shape: of one input, without the batch.

    Returns:
        Their number; None of a network that is not one of this package's.
    """
    if not is_model(name) or package_of_others(name) is not None:
        return None
    with torch.device("meta"):
        network = build_example(name, arguments)
    return describe_network(network, shape).multiply_adds


def window_equivariant(model: nn.Module, training: bool) -> bool:
    """Whether a model sees a window as it sees the same place of the whole scene.

    A classifier states it of its `features`, which exclude the head over the window; any other
    model is judged by all its layers.

    Args:
        model: a built model.
        training: in training, where norms look at the batch, or for maps, in evaluation.
    """
    stated = getattr(model, "window_equivariant", None)
    return not breaks_equivariance(model, training) if stated is None else bool(stated(training))
