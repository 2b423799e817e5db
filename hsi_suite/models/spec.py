"""What is known of a model that can be named in a configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn


@dataclass(frozen=True)
class ModelSpec:
    """A model that can be named in a configuration.

    Attributes:
        factory: called with in_channels and the options; for classification also with num_classes
            and window.
        task: what it is for.
        summary: one line for `hsi models list`.
        initialisation: scheme of the initial weights, see `backbones.initialisation`; None for
            the layers' own, uniform within ±1 / sqrt(fan in).
        example: keyword arguments of a usual instance, for descriptions and tests.
        example_input: shape of one input of that instance, without the batch.
        example_parameters: its number of parameters; None where that is not written down.
    """

    factory: Callable[..., nn.Module]
    task: str
    summary: str
    initialisation: str | None
    example: Mapping[str, Any]
    example_input: tuple[int, ...]
    example_parameters: int | None = None
