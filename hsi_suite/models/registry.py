"""The models by name: ours, those of other packages, and networks of one's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from torch import nn

from ..arguments import checked
from ..errors import ConfigError
from ..registry import Registry, did_you_mean, enter_offered, listed
from .network_file import is_network_file, network_class
from .shipped import SHIPPED
from .spec import ModelSpec

Network = TypeVar("Network", bound=nn.Module)
CLASSIFIES = "classification"

MODELS: Registry[ModelSpec] = Registry("model")
# Classes of a program that uses this package, see `entered`.
_HANDED_OVER: dict[str, ModelSpec] = {}
# Those that were registered by a program or package, and those of entry points.
_REGISTERED: set[str] = set()
_OFFERED: set[str] = set()
for _name, _spec in SHIPPED.items():
    MODELS.add(_name, _spec)


GROUP = "hsi_suite.models"
"""The group of entry points under which other packages offer networks: classes or `ModelSpec`s."""
# What a network of one's own is called with for descriptions, by its task, and one input of it.
_USUAL: dict[str, tuple[Mapping[str, Any], tuple[int, ...]]] = {
    "classification": ({"in_channels": 30, "num_classes": 16, "window": 15}, (30, 15, 15)),
    "denoising": ({"in_channels": 1}, (1, 40, 40)),
}


@checked
def register(
    name: str, *, task: str = "classification", summary: str = ""
) -> Callable[[type[Network]], type[Network]]:
    """Decorator that enters a network of one's own under a name, for every command and function.

    Args:
        name: by which configurations name it.
        task: classification: a module of the arguments in_channels, num_classes and window, from
            (N, in_channels, window, window) to logits (N, num_classes); denoising: of in_channels,
            from noisy images (N, in_channels, H, W) to clean ones, on the scale 0 to 1; what it
            may tell of itself: `backbones.denoising_network.DenoisingNetwork`.
        summary: one line for `hsi models list`; empty takes the first of its docstring.

    Raises:
        ValueError: the name is taken.
        ConfigError: networks of that task cannot be entered.

    >>> import torch
    >>> @register("mean_spectrum")
    ... class MeanSpectrum(nn.Module):
    ...     def __init__(self, in_channels: int, num_classes: int, window: int) -> None:
    ...         super().__init__()
    ...         self.head = nn.Linear(in_channels, num_classes)
    ...     def forward(self, windows: torch.Tensor) -> torch.Tensor:
    ...         return self.head(windows.mean((2, 3)))
    >>> spec_of("mean_spectrum").factory(4, 3, 5)(torch.zeros(2, 4, 5, 5)).shape
    torch.Size([2, 3])
    """

    def enter(network: type[Network]) -> type[Network]:
        MODELS.add(name, _own_spec(network, task, summary))
        _REGISTERED.add(name)
        return network

    if task not in _USUAL:
        raise ConfigError("task", repr(task), f"one of {', '.join(_USUAL)}")
    return enter


def entered(network: type[nn.Module]) -> str:
    """The name by which a class that a program hands over is known, in this program alone.

    Names are module and class; the same class again, as of a notebook's cell, takes its place.
    """
    name = f"{network.__module__}.{network.__qualname__}"
    _HANDED_OVER[name] = _own_spec(network, CLASSIFIES)
    return name


def package_of_others(name: str) -> str | None:
    """The outermost package that a network of others comes from; None where it is this one.

    Args:
        name: of it. The file of FILE.py:Class is a package of its own.
    """
    if not (is_network_file(name) or name in _HANDED_OVER or name in _REGISTERED | _OFFERED):
        return None
    package = str(getattr(spec_of(name).factory, "__module__", "")).partition(".")[0]
    return None if package == __name__.partition(".")[0] else package


def program_class(name: str) -> type[nn.Module] | None:
    """The class of a network that a program registered or handed over; None for others."""
    spec = _HANDED_OVER.get(name) or (
        MODELS[name] if name in _REGISTERED and name in MODELS else None
    )
    factory = None if spec is None else spec.factory
    return factory if isinstance(factory, type) else None


def _own_spec(network: type[nn.Module], task: str, summary: str = "") -> ModelSpec:
    example, shape = _USUAL.get(task, _USUAL["classification"])
    # Not that of a class it inherits from, such as torch's own.
    own = inspect.cleandoc(network.__doc__ or "") if "__doc__" in vars(network) else ""
    text = summary or (own or network.__name__).partition("\n")[0]
    return ModelSpec(network, task, text.rstrip("."), None, example, shape)


@cache
def _load_others() -> None:
    def enter(name: str, theirs: Any) -> None:
        if name not in MODELS:
            spec = theirs if isinstance(theirs, ModelSpec) else _own_spec(theirs, CLASSIFIES)
            MODELS.add(name, spec)
            _OFFERED.add(name)

    enter_offered(GROUP, "model", enter)


@checked
def model_names(task: str | None = None) -> list[str]:
    """The networks by name, those of other packages among them.

    Args:
        task: that they are for; None for all.

    Raises:
        ConfigError: no network is for such a task.
    """
    _load_others()
    tasks = {MODELS[name].task for name in MODELS}
    if task is not None and task not in tasks:
        found = f"no networks for {task!r}"
        raise ConfigError("task", found, listed(tasks), did_you_mean(task, tasks))
    return [name for name in MODELS if task is None or MODELS[name].task == task]


def is_model(name: object) -> bool:
    """Whether a name is that of a network, registered or in a file."""
    return is_network_file(name) or name in _HANDED_OVER or name in model_names()


def spec_of(name: str, task: str = "classification") -> ModelSpec:
    """What is known of a network, registered or in a file.

    Args:
        name: of it, or FILE.py:Class.
        task: that a network in a file is meant for.

    Raises:
        UnknownNameError: no model of this name.
        ConfigError: the file holds no such network.
        RunError: the file is missing, or was never named here.
    """
    if is_network_file(name):
        return _own_spec(network_class(name), task)
    if name in _HANDED_OVER:
        return _HANDED_OVER[name]
    _load_others()
    return MODELS[name]


def classifier_names() -> list[str]:
    """The networks that classify pixels."""
    return model_names(CLASSIFIES)
