"""The models by name, and how one is built from a configuration's keys."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, TypeVar

import torch
from torch import nn

from ..backbones.initialisation import initialise
from ..errors import ConfigError, UnknownNameError
from ..registry import Registry, listed, nearest_names
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
_CLASSIFIES = "classification"

MODELS: Registry[ModelSpec] = Registry("model")
# Classes of a program that uses this package, see `entered`.
_HANDED_OVER: dict[str, ModelSpec] = {}
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
        summary="stack of 3×3 convolutions told the noise level by a σ map (its authors, 2018)",
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

    >>> @register("mean_spectrum")
    ... class MeanSpectrum(nn.Module):
    ...     def __init__(self, in_channels: int, num_classes: int, window: int) -> None:
    ...         super().__init__()
    ...         self.head = nn.Linear(in_channels, num_classes)
    ...     def forward(self, windows: torch.Tensor) -> torch.Tensor:
    ...         return self.head(windows.mean((2, 3)))
    >>> build_model("mean_spectrum", in_channels=4, num_classes=3, window=5, options={},
    ...             generator=None)(torch.zeros(2, 4, 5, 5)).shape
    torch.Size([2, 3])
    """

    def enter(network: type[Network]) -> type[Network]:
        MODELS.add(name, _own_spec(network, task, summary))
        return network

    if task not in _USUAL:
        raise ConfigError("task", repr(task), f"one of {', '.join(_USUAL)}")
    return enter


def entered(network: type[nn.Module]) -> str:
    """The name by which a class that a program hands over is known, in this program alone.

    Names are module and class; the same class again, as of a notebook's cell, takes its place.
    """
    name = f"{network.__module__}.{network.__qualname__}"
    _HANDED_OVER[name] = _own_spec(network, _CLASSIFIES)
    return name


def _own_spec(network: type[nn.Module], task: str, summary: str = "") -> ModelSpec:
    example, shape = _USUAL.get(task, _USUAL["classification"])
    text = summary or (inspect.getdoc(network) or network.__name__).partition("\n")[0]
    return ModelSpec(network, task, text.rstrip("."), None, example, shape)


@cache
def _load_others() -> None:
    """Add what other packages offer; what cannot be imported is left out with a warning."""
    for point in entry_points(group=GROUP):
        try:
            theirs = point.load()
            if point.name not in MODELS:
                spec = theirs if isinstance(theirs, ModelSpec) else _own_spec(theirs, _CLASSIFIES)
                MODELS.add(point.name, spec)
        except Exception as error:
            warnings.warn(
                f"model {point.name} of {point.value} is left out: {type(error).__name__}: {error}",
                stacklevel=2,
            )


def model_names(task: str | None = None) -> list[str]:
    """The networks by name, those of other packages among them.

    Args:
        task: that they are for; None for all.
    """
    _load_others()
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
    return model_names(_CLASSIFIES)


# What layers and Python raise over values of the wrong kind or size.
_REFUSALS = (TypeError, ValueError, RuntimeError, LookupError, ArithmeticError, AttributeError)


def build_model(
    name: str,
    *,
    in_channels: int,
    num_classes: int,
    window: int,
    options: Mapping[str, Any],
    generator: torch.Generator | None,
) -> nn.Module:
    """A named classifier with initial weights drawn from `generator` (as built without one).

    Raises:
        UnknownNameError: no model of this name.
        ConfigError: it is no classifier, an option the model does not have, or a value it cannot
            take.
        ShapeError: the model cannot take this window or number of channels.
    """
    fixed = {"in_channels": in_channels, "num_classes": num_classes, "window": window}
    model = _build(name, _CLASSIFIES, fixed, options, generator)
    if is_network_file(name):
        _check_logits(name, model, (2, in_channels, window, window), num_classes)
    return model


def _check_logits(name: str, model: nn.Module, shape: tuple[int, ...], num_classes: int) -> None:
    """Refuse a network of the user's that does not give one row of logits for each window."""
    if next(model.parameters()).is_meta:
        return
    training = model.training
    try:
        with torch.inference_mode():
            found: Any = model.eval()(torch.zeros(shape))
    except _REFUSALS as error:
        reason = str(error).partition("\n")[0]
        given = "×".join(map(str, shape))
        raise ConfigError(f"model {name}", f"cannot take {given} ({reason})") from error
    finally:
        model.train(training)
    size = tuple(getattr(found, "shape", ()))
    if size != (shape[0], num_classes):
        raise ConfigError(
            f"model {name}",
            f"gives {size or type(found).__name__} for {shape[0]} windows",
            f"logits of the shape ({shape[0]}, {num_classes})",
        )


def build_denoiser(
    name: str,
    *,
    in_channels: int,
    options: Mapping[str, Any],
    generator: torch.Generator | None,
) -> nn.Module:
    """A named denoiser with initial weights drawn from `generator` (as built without one).

    Args:
        name: of the model.
        in_channels: 1 for grey images, 3 for RGB.
        options: further arguments of the model.
        generator: of the initial weights.

    Returns:
        A network whose attribute `takes_noise_map` says whether its input has a σ map as one
        more channel behind those of the image.

    Raises:
        UnknownNameError: no model of this name.
        ConfigError: it is no denoiser, an option it does not have, or a value it cannot take.
    """
    return _build(name, "denoising", {"in_channels": in_channels}, options, generator)


def build_retriever(
    name: str,
    *,
    first_shape: tuple[int, ...],
    second_shape: tuple[int, ...],
    num_classes: int,
    options: Mapping[str, Any],
    generator: torch.Generator | None,
) -> nn.Module:
    """A named network of two modalities with initial weights drawn from `generator`.

    Args:
        name: of the model.
        first_shape: of one item of the first modality.
        second_shape: of the second.
        num_classes: classes.
        options: further arguments of the model.
        generator: of the initial weights.

    Raises:
        UnknownNameError: no model of this name.
        ConfigError: it is for something else, or has no such option or value.
        ShapeError: an encoder is for items of another kind.
    """
    fixed = {"first_shape": first_shape, "second_shape": second_shape, "num_classes": num_classes}
    return _build(name, "retrieval", fixed, options, generator)


def build_example(name: str, changed: Mapping[str, Any]) -> nn.Module:
    """The usual instance of a model with some of its arguments changed, for any task.

    Raises:
        UnknownNameError: no model of this name.
        ConfigError: an argument the model does not have, or a value it cannot take.
        ShapeError: the model cannot take this window or number of channels.
    """
    spec = spec_of(name)
    return _build(name, spec.task, {}, {**spec.example, **changed}, None)


def _build(
    name: str,
    task: str,
    fixed: Mapping[str, Any],
    options: Mapping[str, Any],
    generator: torch.Generator | None,
) -> nn.Module:
    suitable = model_names(task)
    if not is_model(name):
        near = nearest_names(name, suitable)
        hint = f"did you mean {' or '.join(near)}?" if near else ""
        raise UnknownNameError("model", f"unknown name {name!r}", listed(suitable), hint)
    spec = spec_of(name, task)
    if spec.task != task:
        raise ConfigError("model.name", f"{name} is for {spec.task}", listed(suitable))
    arguments = inspect.signature(spec.factory).parameters
    if missing := [key for key in fixed if key not in arguments]:
        found = f"takes no {' and no '.join(missing)}"
        raise ConfigError(f"model {name}", found, f"the arguments {', '.join(fixed)}")
    known = [key for key in arguments if key not in fixed]
    for key in options:
        if key not in known:
            near = nearest_names(key, known)
            hint = f"did you mean {near[0]}?" if near else ""
            expected = f"one of {', '.join(known)}" if known else "no options"
            raise ConfigError(f"model.options.{key}", f"unknown option of {name}", expected, hint)
    seed = 0 if generator is None else generator.initial_seed()
    try:
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            model = spec.factory(**fixed, **options)
    except _REFUSALS as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            "model.options", f"{dict(options)} does not suit {name} ({reason})"
        ) from error
    if generator is not None and spec.initialisation is not None:
        initialise(model, spec.initialisation, generator)
    return model
