"""What the models are: their layers with sizes and costs, and what they promise.

Nothing is computed: networks are built and run on torch's meta device, which keeps shapes and no
values, so that networks of any size can be described.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ..arguments import checked
from ..backbones.blocks import BLOCKS
from ..backbones.equivariance import breaks_equivariance
from ..errors import ConfigError, ShapeError
from ..operation_count import OperationCount
from ..registry import Registry, listed
from .building import build_example
from .known_names import require_layers
from .registry import CLASSIFIES, is_model, model_names, package_of_others, spec_of
from .spec import PURPOSES, size_text

_BYTES = 4  # of a value in single precision
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
# `AUTO` of the configurations, which models do not know.
_AUTO = "auto"
_CHOICE = (
    "One of the best of several on spatial folds of the training pixels (hsi train --model auto)"
)
# What layers have in numbers that add up, in the order of `Stage`.
_SUMMED = ("memory", "parameters", "multiply_adds")
_MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)


@dataclass(frozen=True)
class Layer:
    """One call of a layer, for one input.

    Attributes:
        name: path of the module in the network.
        kind: what it is, convolutions as `conv3d 8@7×3×3/2`: 8 kernels of 7×3×3 with stride 2.
        output: shape of its output, without the batch.
        memory: bytes of the output in single precision; 0 where it shares the input's.
        parameters: of the module, where no earlier layer has them.
        multiply_adds: of convolutions and matrix products; all else counts as free.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    memory: int
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Stage:
    """The layers of a part of a network together.

    Attributes:
        name: path of the part.
        output: shape of the last layer's output, without the batch.
        memory: bytes of its layers' outputs in single precision.
        parameters: of its layers.
        multiply_adds: of its layers.
    """

    name: str
    output: tuple[int, ...]
    memory: int
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class NetworkDescription:
    """The layers of a network in the order of their calls, and the whole.

    Attributes:
        layers: modules without children; identities, which do nothing, are left out.
        output: shape of the network's output, without the batch.
        memory: bytes of all layers' outputs in single precision.
        parameters: of the network.
        multiply_adds: of the network, operations outside its layers included.
    """

    layers: tuple[Layer, ...]
    output: tuple[int, ...]
    memory: int
    parameters: int
    multiply_adds: int

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The sums of its parts, in the order of their first calls.

        A part is a child of the network; one whose children have children of their own is told
        apart into these.
        """
        paths = [layer.name.split(".") for layer in self.layers]
        deep = {path[0] for path in paths if len(path) > 2}
        parts: dict[str, list[Layer]] = {}
        for path, layer in zip(paths, self.layers, strict=True):
            name = ".".join(path[: 1 + (path[0] in deep)])
            parts.setdefault(name, []).append(layer)
        return tuple(
            Stage(
                name,
                layers[-1].output,
                *(sum(getattr(layer, key) for layer in layers) for key in _SUMMED),
            )
            for name, layers in parts.items()
        )


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
                raise ConfigError(key, "set", "nothing: it follows from the input", "set the input")
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


def describe_network(network: nn.Module, shape: tuple[int, ...]) -> NetworkDescription:
    """The layers and costs of a network on the meta device, in evaluation, for one input.

    Args:
        network: with its parameters on the meta device.
        shape: of one input, without the batch.
    """
    recorder = _Recorder(network)
    with torch.no_grad(), recorder.count:
        output = network.eval()(torch.empty(1, *shape, device="meta"))
    recorder.detach()
    return NetworkDescription(
        layers=tuple(recorder.layers),
        output=tuple(output.shape[1:]),
        memory=sum(layer.memory for layer in recorder.layers),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        multiply_adds=recorder.count.multiply_adds,
    )


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


def list_models() -> list[dict[str, Any]]:
    """Name, kind, task, summary and parameters (of the usual instance) of every model."""
    fields = ("name", "kind", "task", "summary", "parameters")
    specs = ((name, spec_of(name)) for name in model_names())
    rows: list[tuple[Any, ...]] = [
        (name, "network", spec.task, spec.summary, spec.example_parameters) for name, spec in specs
    ]
    classical = _classical()
    summaries = ((name, _summary(classical[name])) for name in classical)
    rows += [(name, "classical", CLASSIFIES, text, None) for name, text in summaries]
    rows.append((_AUTO, "choice", CLASSIFIES, _CHOICE, None))
    return [dict(zip(fields, row, strict=True)) for row in rows]


def list_blocks() -> list[dict[str, Any]]:
    """Name, summary and preset options of every building block."""
    blocks = []
    for name in BLOCKS:
        factory = BLOCKS[name]
        preset = dict(factory.keywords) if isinstance(factory, partial) else {}
        origin = factory.func if isinstance(factory, partial) else factory
        blocks.append({"name": name, "summary": _summary(origin), "preset": preset})
    return blocks


def _classical() -> Registry[Any]:
    # Not at the top: scikit-learn takes as long to import as torch, and networks need none of it.
    from .classical import CLASSICAL

    return CLASSICAL


def _summary(documented: Any) -> str:
    return (inspect.getdoc(documented) or "").partition("\n")[0].rstrip(".")


def _kind(layer: nn.Module) -> str:
    name = type(layer).__name__
    if isinstance(layer, _CONVOLUTIONS):
        text = f"{name.lower()} {layer.out_channels}@{size_text(layer.kernel_size)}"
        if max(layer.stride) > 1:
            alike = len(set(layer.stride)) == 1
            text += f"/{layer.stride[0] if alike else size_text(layer.stride)}"
        if max(layer.dilation) > 1:
            text += f", dilation {size_text(layer.dilation)}"
        return text + (f", {layer.groups} groups" if layer.groups > 1 else "")
    if isinstance(layer, nn.Linear):
        return f"linear {layer.out_features}"
    if isinstance(layer, nn.Dropout):
        return f"dropout {layer.p:g}"
    return f"{name} {layer.kernel_size}" if isinstance(layer, _MAX_POOLS) else name


class _Recorder:
    """Hooks on the layers of a network that note every call.

    Args:
        network: whose modules without children are noted.
    """

    def __init__(self, network: nn.Module) -> None:
        self.count = OperationCount()
        self.layers: list[Layer] = []
        self._seen: set[nn.Parameter] = set()
        self._before = 0
        self._hooks = []
        for name, module in network.named_modules():
            if any(module.children()) or isinstance(module, nn.Identity):
                continue
            self._hooks.append(module.register_forward_pre_hook(self._enter))
            self._hooks.append(module.register_forward_hook(partial(self._leave, name)))

    def detach(self) -> None:
        """Leave the network as it was."""
        for hook in self._hooks:
            hook.remove()

    def _enter(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._before = self.count.multiply_adds

    def _leave(self, name: str, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        own = set(module.parameters()) - self._seen
        self._seen |= own
        shared = any(_storage(x) == _storage(output) for x in inputs if isinstance(x, Tensor))
        layer = Layer(
            name=name,
            kind=_kind(module),
            output=tuple(output.shape[1:]),
            memory=0 if shared else output.numel() * _BYTES,
            parameters=sum(parameter.numel() for parameter in own),
            multiply_adds=self.count.multiply_adds - self._before,
        )
        self.layers.append(layer)


def _storage(tensor: Tensor) -> int:
    # Tensors on the meta device have no address of data, only that of their storage object.
    return int(tensor.untyped_storage()._cdata)
