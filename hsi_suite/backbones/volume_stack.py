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
- ReLU works in place, and what a layer gave is let go as soon as the backward pass is through it;
  what the first gave, a fifth of all for a hundredth of the products, is computed again there.

The sums are those of the layers one by one, in another order: equal up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from .conv import ConvNormAct

# Channels that fill a register of AVX-512 in fp32.
_REGISTER = 16
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


def _forward(
    cubes: Tensor, parameters: Sequence[Tensor], outputs: list[Tensor] | None = None
) -> Tensor:
    """The features; what the 3-D convolutions gave goes into `outputs` where it is given."""
    kind = _kind(cubes)
    weights = [weight.to(kind) for weight in parameters[::2]]
    biases = [bias.to(kind) for bias in parameters[1::2]]
    with torch.autocast("cpu", enabled=False):
        output = _spread(cubes.to(kind), weights[0].shape[2])
        for weight, bias in zip(_arranged(weights[:-1]), biases, strict=False):
            output = _layer_output(output, weight, bias)
            if outputs is not None:
                outputs.append(output)
        weight = _channels_last(_by_component(weights[-1], output).flatten(1, 2))
        # What the 2-D convolution sees is a copy, of a half at a time.
        halves = output.tensor_split(2)
        return torch.cat([_plane_output(half, weight, biases[-1]) for half in halves])


def _kind(cubes: Tensor) -> torch.dtype:
    """The type that is computed in."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else cubes.dtype


class _Stack(torch.autograd.Function):
    """Tensors are (N, channels, lines, components, samples), with channels last in memory."""

    @staticmethod
    def forward(ctx: Any, cubes: Tensor, *parameters: Tensor) -> Tensor:
        outputs: list[Tensor] = []
        features = _forward(cubes, parameters, outputs)
        ctx.save_for_backward(cubes, features, parameters[1], *parameters[::2])
        # What the first layer gave is soon computed again.
        ctx.outputs, ctx.kind = outputs[1:], _kind(cubes)
        return features

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        cubes, features, bias, *weights = ctx.saved_tensors
        outputs: list[Tensor] = ctx.outputs
        if len(outputs) < len(weights) - 2:
            raise RuntimeError("the activations of this stack were released by a backward pass")
        weights = [weight.to(ctx.kind) for weight in weights]
        gradient = torch.ops.aten.threshold_backward(_channels_last(gradient), features, 0)
        found: list[Tensor] = []
        weight = _by_component(weights[-1], outputs[-1]).permute(0, 2, 3, 1, 4)
        gradient, *own = _backward(gradient.unsqueeze(3), outputs, weight)
        own[0] = own[0].transpose(2, 3).reshape(weights[-1].shape)
        found += own
        arranged = _arranged(weights[:-1])
        while outputs:
            number = len(outputs)
            gradient, *own = _backward(gradient, outputs, arranged[number + 1])
            found = [own[0].transpose(2, 3), *own[1:], *found]
        given = _spread(cubes.to(ctx.kind), weights[0].shape[2])
        outputs.append(_layer_output(given, arranged[0], bias.to(ctx.kind)))
        gradient, *own = _backward(gradient, outputs, arranged[1])
        found = [own[0].transpose(2, 3), *own[1:], *found]
        _, *own = _gradients(gradient, given, arranged[0], False)
        found = [own[0].permute(0, 3, 1, 2, 4), *own[1:], *found]
        return None, *(each.float() for each in found)


def _spread(cubes: Tensor, depth: int) -> Tensor:
    """Components as channels: (N, depth, lines, components − depth + 1, samples)."""
    return _channels_last(cubes.unfold(1, depth, 1).permute(0, 4, 2, 1, 3))


def _layer_output(given: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """What a 3-D convolution and its ReLU give."""
    return functional.conv3d(given, weight, bias).relu_()


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


def _backward(
    gradient: Tensor, outputs: list[Tensor], weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients before the ReLU in front of a convolution, of its kernels and of its biases.

    The last of the outputs is what the convolution was given, and is let go.
    """
    given = outputs.pop()
    if given.shape[1] < _REGISTER and given.shape[3] % 2 == 0:
        _, kernels, biases = _gradients(gradient, given, weight, False)
        gradient = _paired_gradient(gradient, weight)
    else:
        gradient, kernels, biases = _gradients(gradient, given, weight, True)
    torch.ops.aten.threshold_backward.grad_input(gradient, given, 0, grad_input=gradient)
    return gradient, kernels, biases


def _gradients(
    gradient: Tensor, given: Tensor, weight: Tensor, towards: bool
) -> tuple[Tensor, Tensor, Tensor]:
    ones, zeros = [1] * 3, [0] * 3
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
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
        [towards, True, True],
    )
    return found


def _paired_gradient(gradient: Tensor, weight: Tensor) -> Tensor:
    """The gradient towards an even number of components, two of them at a time as channels."""
    inner, lines, depth, samples = weight.shape[1:]
    turned = weight.flip(2, 3, 4).transpose(0, 1)
    pair = torch.stack([functional.pad(turned, (0, 0, e, 1 - e)) for e in (0, 1)])
    reach = (lines - 1, depth - 1, samples - 1)
    kernels = _channels_last(pair.flatten(0, 1))
    both = functional.conv3d(gradient, kernels, stride=(1, 2, 1), padding=reach)
    # (N, 2·inner, lines, half, samples), of which the channels lie last, to one component each.
    last = both.permute(0, 2, 3, 4, 1)
    apart = last.reshape(*last.shape[:4], 2, inner).transpose(3, 4)
    return apart.flatten(2, 3).permute(0, 4, 1, 2, 3)


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
