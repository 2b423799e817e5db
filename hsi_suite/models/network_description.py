"""The layers of a network with their sizes and costs.

Nothing is computed: networks are built and run on torch's meta device, which keeps shapes and no
values, so that networks of any size can be described.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ..operation_count import OperationCount
from .spec import size_text

_BYTES = 4  # of a value in single precision
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
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
