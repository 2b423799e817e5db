"""A stack of valid 3-D convolutions and a 2-D one, in the layout a processor is fast in.

oneDNN, which computes torch's convolutions on processors, is fastest where the channels of a place
lie side by side. Torch's usual layout is copied into another and back at every layer, and neither
a first layer of one channel nor the gradient towards a layer of eight fills a register. So here

- tensors lie as lines, components, samples, channels, from the first layer to the last; they are
  copied once, for the 2-D convolution, which takes components for channels;
- the components that the first kernel spans are channels of its input;
- backwards, the 2-D convolution is a 3-D one as deep as its input, which needs no copy;
- the gradient towards few channels is computed for two components at once, by a convolution of
  stride 2 with a kernel longer by one, part of which is zero;
- what a layer gave lies in blocks that one step hands on to the next (`kept_blocks.py`); going
  backwards its gradient takes its place (`placed_convolution.py`), and what the first layer gave, a
  fifth of all for a hundredth of the products, is computed again in a block that is done with.

The sums are those of the layers one by one, in another order: equal up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from ..kept_blocks import give_back, take_block
from .conv import ConvNormAct
from .placed_convolution import convolved, place, put_gradient, put_output

# N·h·w: below this calls cost more than the layout saves.
_LEAST_PLACES = 12_000


def stackable(volumes: nn.Module, images: nn.Module) -> bool:
    """Whether `stack_features` can compute layers.

    Args:
        volumes: should be an `nn.Sequential` of two valid 3-D convolutions or more, the first of
            one channel, each with a bias and followed by ReLU alone.
        images: should be an `nn.Sequential` of one such 2-D convolution.
    """
    # Not their subclasses, which may compute otherwise.
    if not (type(volumes) is nn.Sequential and type(images) is nn.Sequential):
        return False
    if _is_watched(volumes) or _is_watched(images) or _all_are_watched():
        return False
    if len(volumes) < 2 or len(images) != 1 or not _is_plain(images[0], nn.Conv2d):
        return False
    return all(_is_plain(layer, nn.Conv3d) for layer in volumes) and (
        _convolution(volumes[0]).in_channels == 1
    )


def suits_stack(cubes: Tensor) -> bool:
    """Whether `stack_features` is for cubes: on a processor, many and in fp32.

    Fewer places go by the layers as they always did, bit by bit; so does a single cube, which torch
    may leave to another library than oneDNN.
    """
    return (
        cubes.device.type == "cpu"
        and cubes.dtype == torch.float32
        and len(cubes) > 1
        and cubes[:, 0].numel() >= _LEAST_PLACES
        and not cubes.requires_grad
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
        and not torch.compiler.is_compiling()
        # Transformed networks (torch.func) have no rule for a function of our own.
        and torch._C._functorch.peek_interpreter_stack() is None
    )


def stack_features(cubes: Tensor, volumes: nn.Sequential, images: nn.Sequential) -> Tensor:
    """What the layers make of cubes: (N, components, h, w) to (N, channels, h − lost, w − lost).

    The 2-D convolution takes the components of each channel one after the other. Gradients go to
    the layers' parameters; under autocast everything between is kept in its numbers.

    Args:
        cubes: N of two or more, such that `suits_stack`.
        volumes: see `stackable`.
        images: likewise.
    """
    convolutions = [_convolution(layer) for layer in (*volumes, *images)]
    both = (each for conv in convolutions for each in (conv.weight, conv.bias))
    # `stackable` has seen that there are biases.
    parameters = [each for each in both if each is not None]
    if not torch.is_grad_enabled():
        return _forward(cubes, parameters)
    features: Tensor = _Stack.apply(cubes, *parameters)  # type: ignore[no-untyped-call]
    return features


def _forward(cubes: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    """The features, where nothing is kept for a backward pass."""
    layers = _Layers(parameters, _kind(cubes))
    _, output = layers.first(cubes, None)
    for weight, bias in zip(layers.kernels[1:], layers.biases[1:], strict=False):
        output = convolved(output, weight, bias, relu=True)
    return layers.plane(output)


class _Layers:
    """Kernels as the tensors lie, and biases, in the type that is computed in.

    Args:
        parameters: kernels and biases of the layers, in turns.
        kind: the type.
    """

    def __init__(self, parameters: Sequence[Tensor], kind: torch.dtype) -> None:
        self.kind = kind
        *volumes, self.image = (weight.to(self.kind) for weight in parameters[::2])
        self.kernels = _arranged(volumes)
        self.biases = [bias.to(self.kind) for bias in parameters[1::2]]
        self.depth = volumes[0].shape[2]

    def shapes(self, cubes: Tensor) -> list[list[int]]:
        """Of what the first layer is given, and of what each 3-D layer gives."""
        number, components, lines, samples = cubes.shape
        found = [[number, self.depth, lines, components - self.depth + 1, samples]]
        for weight in self.kernels:
            lost = zip(found[-1][2:], weight.shape[2:], strict=True)
            found.append([number, len(weight), *(side - kernel + 1 for side, kernel in lost)])
        return found

    def first(self, cubes: Tensor, room: Tensor | None) -> tuple[Tensor, Tensor]:
        """What the first layer is given and what it gives; in a block with room for both."""
        spread = cubes.to(self.kind).unfold(1, self.depth, 1).permute(0, 4, 2, 1, 3)
        weight, bias = self.kernels[0], self.biases[0]
        given, output, *_ = self.shapes(cubes)
        size, more = (math.prod(shape) * self.kind.itemsize for shape in (given, output))
        if room is None or len(room) < size + more:
            spread = _channels_last(spread)
            return spread, convolved(spread, weight, bias, relu=True)
        spread = place(room, given, self.kind).copy_(spread)
        into = place(room[size:], output, self.kind)
        put_output(into, spread, weight, bias)
        return spread, into

    def plane(self, output: Tensor) -> Tensor:
        """The features, of what the last 3-D layer gave."""
        weight = _channels_last(_by_component(self.image, output).flatten(1, 2))
        # What the 2-D convolution sees is a copy, of a half at a time.
        halves = output.tensor_split(2)
        with torch.autocast("cpu", enabled=False):
            return torch.cat([_plane_output(half, weight, self.biases[-1]) for half in halves])


def _kind(cubes: Tensor) -> torch.dtype:
    """The type that is computed in."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else cubes.dtype


class _Stack(torch.autograd.Function):
    """Tensors are (N, channels, lines, components, samples), with channels last in memory."""

    @staticmethod
    def forward(ctx: Any, cubes: Tensor, *parameters: Tensor) -> Tensor:
        layers = _Layers(parameters, _kind(cubes))
        _, _, *shapes = layers.shapes(cubes)
        sizes = [math.prod(shape) * layers.kind.itemsize for shape in shapes]
        ctx.blocks = [take_block(size) for size in sizes]
        _, output = layers.first(cubes, _spare(ctx.blocks))
        ctx.outputs = []
        others = zip(layers.kernels[1:], layers.biases[1:], strict=False)
        for block, shape, (weight, bias) in zip(ctx.blocks, shapes, others, strict=True):
            into = place(block, shape, layers.kind)
            put_output(into, output, weight, bias)
            output = into
            ctx.outputs.append(output)
        features = layers.plane(output)
        ctx.save_for_backward(cubes, features, *parameters)
        ctx.kind = layers.kind
        return features

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        cubes, features, *parameters = ctx.saved_tensors
        outputs: list[Tensor] = ctx.outputs
        if not outputs:
            raise RuntimeError("the activations of this stack were released by a backward pass")
        layers = _Layers(parameters, ctx.kind)
        gradient = torch.ops.aten.threshold_backward(_channels_last(gradient), features, 0)
        weight = _by_component(layers.image, outputs[-1]).permute(0, 2, 3, 1, 4)
        gradient, *own = _backward(gradient.unsqueeze(3), outputs.pop(), weight)
        own[0] = own[0].transpose(2, 3).reshape(layers.image.shape)
        found = own
        for weight in layers.kernels[:1:-1]:
            gradient, *own = _backward(gradient, outputs.pop(), weight)
            found = [own[0].transpose(2, 3), *own[1:], *found]
        given, output = layers.first(cubes, _spare(ctx.blocks))
        gradient, *own = _backward(gradient, output, layers.kernels[1])
        found = [own[0].transpose(2, 3), *own[1:], *found]
        own = [*_gradients(gradient, given, layers.kernels[0])]
        found = [own[0].permute(0, 3, 1, 2, 4), *own[1:], *found]
        give_back(ctx.blocks)
        return None, *(each.float() for each in found)


def _spare(blocks: Sequence[Tensor]) -> Tensor | None:
    """The last layer's block, before it is computed and when its gradient is done with.

    With two layers it is what the first one's output is needed for.
    """
    return blocks[-1] if len(blocks) > 1 else None


def _plane_output(given: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """What the 2-D convolution and its ReLU give."""
    planes = given.permute(0, 2, 4, 3, 1).flatten(3).permute(0, 3, 1, 2)
    return functional.conv2d(planes, weight, bias).relu_()


def _arranged(weights: Sequence[Tensor]) -> list[Tensor]:
    """Kernels of the 3-D convolutions as the tensors lie; the first with components as channels."""
    first, *others = weights
    return [
        _channels_last(first.permute(0, 2, 3, 1, 4)),
        *(_channels_last(weight.transpose(2, 3)) for weight in others),
    ]


def _by_component(weight: Tensor, output: Tensor) -> Tensor:
    """The 2-D kernels for each component and channel of what they see."""
    split = weight.reshape(len(weight), output.shape[1], output.shape[3], *weight.shape[2:])
    return split.transpose(1, 2)


def _backward(gradient: Tensor, given: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients before the ReLU in front of a convolution, of its kernels and of its biases.

    The first takes the place of what the convolution was given.
    """
    kernels, biases = _gradients(gradient, given, weight)
    put_gradient(given, gradient, weight)
    return given, kernels, biases


def _gradients(gradient: Tensor, given: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Of a convolution's kernels and biases."""
    ones, zeros = [1] * 3, [0] * 3
    _, kernels, biases = torch.ops.aten.convolution_backward(
        gradient,
        given,
        _channels_last(weight),
        [len(weight)],
        ones,
        zeros,
        ones,
        False,
        zeros,
        1,
        [False, True, True],
    )
    return kernels, biases


def _channels_last(values: Tensor) -> Tensor:
    layout = torch.channels_last if values.ndim == 4 else torch.channels_last_3d
    return values.contiguous(memory_format=layout)


def _convolution(layer: nn.Module) -> nn.Conv2d | nn.Conv3d:
    found = layer.get_submodule("conv")
    assert isinstance(found, nn.Conv2d | nn.Conv3d)
    return found


def _is_plain(layer: nn.Module, kind: type[nn.Conv2d | nn.Conv3d]) -> bool:
    """Whether a layer is a valid convolution and ReLU, and nobody looks at what it does."""
    if type(layer) is not ConvNormAct or _names(layer) != ["conv", "activation"]:
        return False
    conv = layer.conv
    return (
        type(conv) is kind
        and type(layer.activation) is nn.ReLU
        and {conv.groups, *conv.stride, *conv.dilation} == {1}
        and {*conv.padding} == {0}
        and conv.bias is not None
        and conv.weight.dtype == torch.float32
        and not any(_is_watched(part) for part in layer.modules())
    )


def _names(layer: nn.Module) -> list[str]:
    return [name for name, _ in layer.named_children()]


def _all_are_watched() -> bool:
    """Whether hooks of every module are on, as profilers and counters set them."""
    return bool(torch.nn.modules.module._has_any_global_hook())  # type: ignore[no-untyped-call]


def _is_watched(part: nn.Module) -> bool:
    return bool(
        part._forward_hooks
        or part._forward_pre_hooks
        or part._backward_hooks
        or part._backward_pre_hooks
    )
