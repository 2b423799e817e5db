"""The models by name: ours, those of other packages, and networks of one's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from torch import nn

from ..arguments import checked
from ..errors import ConfigError
from ..registry import Registry, enter_offered, listed, nearest_names
from .classic_classifier import CLASSIC_MODELS, INITIALISATION, ClassicClassifier
from .cnn1d import CNN1D
from .dncnn import DnCNN, FDnCNN
from .dscmr import DSCMR
from .hybridsn import HybridSN
from .hybridsn_relatives import (
    HybridSNInception,
    HybridSNResidual,
    HybridSNSE,
    HybridSNSeparable,
    HybridSNSEResidual,
)
from .inception_1d import Inception1D
from .network_file import is_network_file, network_class
from .residual_unet import ResidualUNet
from .spec import ModelSpec
from .ssrn import SSRN

Network = TypeVar("Network", bound=nn.Module)
CLASSIFIES = "classification"

MODELS: Registry[ModelSpec] = Registry("model")
# Classes of a program that uses this package, see `entered`.
_HANDED_OVER: dict[str, ModelSpec] = {}
# Those that were registered by a program or package, and those of entry points.
_REGISTERED: set[str] = set()
_OFFERED: set[str] = set()
MODELS.add(
    "hybridsn",
    ModelSpec(
        factory=HybridSN,
        task="classification",
        summary="3-D, then 2-D convolutions over a window of components (Roy et al. 2020)",
        initialisation="glorot",
        example={"in_channels": 30, "num_classes": 16, "window": 25},
        example_input=(1, 30, 25, 25),
        example_parameters=5_122_176,
    ),
)
# Glorot's bounds count the kernels of all channels, of which a depthwise convolution has one each.
for _name, _relative, _initialisation, _parameters, _summary in (
    ("se", HybridSNSE, "glorot", 5_124_304, "squeeze-and-excitation before its connected layers"),
    ("inception", HybridSNInception, "glorot", 3_779_516, "an Inception module as 2-D stage"),
    ("residual", HybridSNResidual, "glorot", 5_159_808, "residual stages"),
    ("se_residual", HybridSNSEResidual, "glorot", 5_161_936, "residual stages and the gates of se"),
    ("separable", HybridSNSeparable, "kaiming", 114_864, "separable convolutions: light"),
):
    MODELS.add(
        f"hybridsn_{_name}",
        ModelSpec(
            factory=_relative,
            task="classification",
            summary=f"HybridSN with {_summary}",
            initialisation=_initialisation,
            example={"in_channels": 30, "num_classes": 16, "window": 25},
            example_input=(1, 30, 25, 25),
            example_parameters=_parameters,
        ),
    )
MODELS.add(
    "ssrn",
    ModelSpec(
        factory=SSRN,
        task="classification",
        summary="residual blocks along the spectrum, then over the window (Zhong et al. 2018)",
        initialisation="kaiming",
        example={"in_channels": 200, "num_classes": 16, "window": 7},
        example_input=(200, 7, 7),
        example_parameters=363_848,
    ),
)
MODELS.add(
    "cnn1d",
    ModelSpec(
        factory=CNN1D,
        task="classification",
        summary="1-D convolution over one pixel's spectrum (Hu et al. 2015)",
        initialisation="glorot",
        example={"in_channels": 200, "num_classes": 16, "window": 1},
        example_input=(200, 1, 1),
        example_parameters=72_196,
    ),
)
MODELS.add(
    "inception_1d",
    ModelSpec(
        factory=Inception1D,
        task="classification",
        summary="Inception modules along one pixel's spectrum",
        initialisation="kaiming",
        example={"in_channels": 200, "num_classes": 16, "window": 1},
        example_input=(200, 1, 1),
        example_parameters=60_212,
    ),
)
for _name, _classic in CLASSIC_MODELS.items():
    MODELS.add(
        _name,
        ModelSpec(
            factory=ClassicClassifier(_name),
            task="classification",
            summary=_classic.summary,
            initialisation=INITIALISATION,
            example={
                "in_channels": 3,
                "num_classes": _classic.num_classes,
                "window": _classic.size,
            },
            example_input=(3, _classic.size, _classic.size),
            example_parameters=_classic.parameters,
        ),
    )
MODELS.add(
    "dncnn",
    ModelSpec(
        factory=DnCNN,
        task="denoising",
        summary="plain stack of 3×3 convolutions that predicts the noise (Zhang et al. 2017)",
        initialisation="kaiming",
        example={"in_channels": 1, "depth": 17},
        example_input=(1, 40, 40),
        example_parameters=556_097,
    ),
)
MODELS.add(
    "fdncnn",
    ModelSpec(
        factory=FDnCNN,
        task="denoising",
        summary="stack of 3×3 convolutions with a σ map as an input (its authors, 2018)",
        initialisation="kaiming",
        example={"in_channels": 1, "depth": 20},
        example_input=(2, 40, 40),
        example_parameters=666_497,
    ),
)
MODELS.add(
    "residual_unet",
    ModelSpec(
        factory=ResidualUNet,
        task="denoising",
        summary="small bias-free U-Net with a σ map, the default denoiser",
        # Wider draws grow along the residual sums, which no norm keeps down, and never learn.
        initialisation=None,
        example={"in_channels": 1, "channels": (48, 96, 192)},
        example_input=(2, 37, 50),
        example_parameters=2_346_048,
    ),
)
MODELS.add(
    "dscmr",
    ModelSpec(
        factory=DSCMR,
        task="retrieval",
        summary="two encoders into one common space (Zhen et al. 2019); input: both, side by side",
        initialisation=None,
        example={"first_shape": (4096,), "second_shape": (300,), "num_classes": 20},
        example_input=(4396,),
        example_parameters=11_125_780,
    ),
)


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
            from noisy images (N, in_channels, H, W) to clean ones, on the scale 0 to 1.
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
        near = nearest_names(task, tasks)
        hint = f"did you mean {' or '.join(near)}?" if near else ""
        raise ConfigError("task", f"no networks for {task!r}", listed(tasks), hint)
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
