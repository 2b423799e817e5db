"""What is known of a model that can be named in a configuration, and of the tasks they are for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ShapeError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ModelSpec:
    """A model that can be named in a configuration.

    Attributes:
        factory: called with the arguments of its task, see `PURPOSES`, and the options.
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


Shape = tuple[int, ...]


@dataclass(frozen=True)
class Purpose:
    """What the networks of one task have in common.

    Attributes:
        arguments: that each is built with, beside its options.
        fitted: those that follow from the shape of one input without the batch; the second
            argument builds the usual instance of the network.
    """

    arguments: tuple[str, ...]
    fitted: Callable[[Shape, Callable[[], nn.Module]], Mapping[str, Any]]


def size_text(shape: Shape) -> str:
    """A shape as 8×24×23×23."""
    return "×".join(map(str, shape))


def _fit_window(shape: Shape, _: Callable[[], nn.Module]) -> Mapping[str, Any]:
    # A cube may have the single channel of 3-D convolutions before its components.
    cube = shape[1:] if len(shape) == 4 and shape[0] == 1 else shape
    if len(cube) != 3 or cube[1] != cube[2]:
        expected = "channels × lines × samples with equal sides, perhaps 1 × before"
        raise ShapeError("input", size_text(shape), expected)
    return {"in_channels": cube[0], "window": cube[1]}


def _fit_image(shape: Shape, usual: Callable[[], nn.Module]) -> Mapping[str, Any]:
    extra = int(getattr(usual(), "takes_noise_map", False))
    if len(shape) != 3 or shape[0] <= extra:
        expected = "channels × lines × samples" + ", the last channel a σ map" * extra
        raise ShapeError("input", size_text(shape), expected)
    return {"in_channels": shape[0] - extra}


PURPOSES: Mapping[str, Purpose] = {
    "classification": Purpose(("in_channels", "num_classes", "window"), _fit_window),
    "denoising": Purpose(("in_channels",), _fit_image),
    "retrieval": Purpose(("first_shape", "second_shape", "num_classes"), lambda shape, usual: {}),
}
