"""3-D convolutions on processors whose results go where the caller says.

torch's convolutions take memory for what they give. Here that is so for half of a batch at a time,
which goes from there to its place with ReLU, or the mask of one, for which it would be gone through
anyway. Tensors have their channels last in memory (`channels_last_3d`); nothing has a gradient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

# Channels that fill a register of AVX-512 in fp32.
_REGISTER = 16


def place(block: Tensor, shape: Sequence[int], kind: torch.dtype) -> Tensor:
    """A tensor (N, channels, lines, components, samples) at the beginning of a block of bytes."""
    number, channels, *sides = shape
    values = block[: math.prod(shape) * kind.itemsize].view(kind)
    return values.view(number, *sides, channels).permute(0, 4, 1, 2, 3)


def convolved(
    given: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *,
    relu: bool = False,
    stride: Sequence[int] = (1, 1, 1),
    padding: Sequence[int] = (0, 0, 0),
) -> Tensor:
    """A convolution by oneDNN, however many inputs there are; where that cannot, by torch's choice.

    torch may leave a single input to another library, which is slower.
    """
    if given.dtype == torch.float32 or _computes(given.dtype):
        attribute = "relu" if relu else "none"
        found: Tensor = torch.ops.mkldnn._convolution_pointwise(
            given, weight, bias, padding, stride, [1] * 3, 1, attribute, [], ""
        )
        return found
    found = functional.conv3d(given, weight, bias, tuple(stride), tuple(padding))
    return found.relu_() if relu else found


def _computes(kind: torch.dtype) -> bool:
    return kind == torch.bfloat16 and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def put_output(into: Tensor, given: Tensor, weight: Tensor, bias: Tensor) -> None:
    """Compute what a convolution and its ReLU give."""
    for some, target in zip(given.tensor_split(2), into.tensor_split(2), strict=True):
        torch.clamp_min(convolved(some, weight, bias), 0, out=target)


def put_gradient(given: Tensor, gradient: Tensor, weight: Tensor) -> None:
    """Put into the place of what a convolution was given its gradient before the ReLU there.

    Args:
        given: what came out of the ReLU.
        gradient: towards what the convolution gave.
        weight: its kernels.
    """
    towards = _towards_pairs if _in_pairs(given) else _towards
    for some, target in zip(gradient.tensor_split(2), given.tensor_split(2), strict=True):
        found = towards(some, weight)
        torch.ops.aten.threshold_backward.grad_input(found, target, 0, grad_input=target)
        del found


def _in_pairs(given: Tensor) -> bool:
    return given.shape[1] < _REGISTER and given.shape[3] % 2 == 0


def _towards(gradient: Tensor, weight: Tensor) -> Tensor:
    turned = _channels_last(weight.flip(2, 3, 4).transpose(0, 1))
    return convolved(gradient, turned, None, padding=[side - 1 for side in weight.shape[2:]])


def _towards_pairs(gradient: Tensor, weight: Tensor) -> Tensor:
    """The gradient towards an even number of components, two of them at a time as channels."""
    inner, *sides = weight.shape[1:]
    turned = weight.flip(2, 3, 4).transpose(0, 1)
    pair = torch.stack([functional.pad(turned, (0, 0, e, 1 - e)) for e in (0, 1)])
    kernels = _channels_last(pair.flatten(0, 1))
    padding = [side - 1 for side in sides]
    both = convolved(gradient, kernels, None, stride=(1, 2, 1), padding=padding)
    # (N, 2·inner, lines, half, samples), of which the channels lie last, to one component each.
    last = both.permute(0, 2, 3, 4, 1)
    apart = last.reshape(*last.shape[:4], 2, inner).transpose(3, 4)
    return apart.flatten(2, 3).permute(0, 4, 1, 2, 3)


def _channels_last(values: Tensor) -> Tensor:
    return values.contiguous(memory_format=torch.channels_last_3d)
