"""How many operations a network does, counted without torch's compiler.

Torch's own `FlopCounterMode` and its shapes of convolutions without numbers import the compiler and
sympy: 90 MB of memory that stay, and seconds. The formulas here are torch's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

_ELEMENTWISE = frozenset(
    getattr(torch.ops.aten, name)
    for name in (
        *("relu", "leaky_relu", "elu", "gelu", "silu", "hardswish", "sigmoid", "tanh"),
        *("add", "sub", "mul", "div", "pow", "clamp", "hardtanh", "clone", "empty_like"),
    )
)


class OperationCount(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what torch computes while it is entered, on the meta device or any other.

    Attributes:
        total: floating-point operations so far; a multiplication and an addition are two.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    @property
    def multiply_adds(self) -> int:
        """Multiplications with their additions so far."""
        return self.total // 2

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # What is compiled is not counted; torch would import its compiler to say so.
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        packet = func.overloadpacket
        if packet not in flop_registry and func is not torch.ops.prim.device.default:
            # Of what torch has put together itself (in inference mode) the parts are counted.
            with self:
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        given = _without_numbers(func, *args)
        if given is None:
            given = func(*args, **kwargs)
        if packet in flop_registry:
            self.total += int(flop_registry[packet](*args, **kwargs, out_val=given))
        return given


def _without_numbers(func: Any, given: Any = None, *others: Any) -> Any:
    """What an operation gives on the meta device; None where that is left to torch."""
    aten, packet = torch.ops.aten, func.overloadpacket
    if packet in (aten.stack, aten.cat):
        return _joined(given, *others, new=packet is aten.stack)
    if not (isinstance(given, Tensor) and given.is_meta):
        return None
    if packet.__name__.endswith("_") and torch.Tag.inplace_view not in func.tags:
        return given
    if packet in _ELEMENTWISE:
        return _combined([each for each in (given, *others) if isinstance(each, Tensor)])
    if packet in (aten.native_batch_norm, aten._native_batch_norm_legit_no_training):
        return _empty(given.shape, given), *(_empty(given.shape[1:2], given) for _ in range(2))
    if packet is aten.native_layer_norm:
        left = [*given.shape[: -len(others[0])], *(1 for _ in others[0])]
        return _empty(given.shape, given), _empty(left, given), _empty(left, given)
    if packet in (aten._softmax, aten._log_softmax):
        return _empty(given.shape, given)
    if packet is aten.addmm:
        return _product(2, *others)
    if packet in (aten.mm, aten.bmm):
        return _product(2 + (packet is aten.bmm), given, *others)
    if packet is aten.constant_pad_nd:
        return _padded(given, *others)
    if packet is aten.mean:
        return _averaged(given, *others)
    if packet in (aten.max_pool2d_with_indices, aten.max_pool3d_with_indices):
        return _pooled(given, *others)
    if packet in (aten.avg_pool2d, aten.avg_pool3d):
        found = _pooled(given, *_without_dilation(*others))
        return None if found is None else found[0]
    return _convolved(given, *others) if packet is aten.convolution else None


def _joined(tensors: Sequence[Tensor], axis: int = 0, *, new: bool) -> Tensor | None:
    first = tensors[0]
    sizes = list(first.shape)
    if new:
        sizes.insert(axis % (len(sizes) + 1), len(tensors))
    else:
        sizes[axis] = sum(each.shape[axis] for each in tensors if each.ndim == len(sizes))
    # What does not fit together has another number of values.
    values = sum(each.numel() for each in tensors)
    return _empty(sizes, first) if first.is_meta and math.prod(sizes) == values else None


def _combined(tensors: Sequence[Tensor]) -> Tensor | None:
    try:
        # Torch's own function of this name imports its compiler.
        return _empty(np.broadcast_shapes(*(each.shape for each in tensors)), tensors[0])
    except ValueError:
        return None


def _padded(given: Tensor, borders: Sequence[int], value: float = 0.0) -> Tensor:
    sizes = list(given.shape)
    # Two numbers for each axis, from the last on.
    for axis, border in enumerate(borders):
        sizes[-1 - axis // 2] += border
    return _empty(sizes, given)


def _product(axes: int, left: Tensor, right: Tensor) -> Tensor | None:
    """What a product of matrices, or of as many on either side, gives; None where torch refuses."""
    if left.ndim != axes or right.ndim != axes or left.shape[:-2] != right.shape[:-2]:
        return None
    if left.shape[-1] != right.shape[-2]:
        return None
    return _empty((*left.shape[:-1], right.shape[-1]), left)


def _averaged(
    given: Tensor, axes: Sequence[int] | None = None, keep: bool = False
) -> Tensor | None:
    """What a mean over some axes gives; None of one over all, or of an axis that is not there."""
    ends = range(-given.ndim, given.ndim)
    if not axes or not all(axis in ends for axis in axes):
        return None
    gone = {axis % given.ndim for axis in axes}
    sizes = [1 if axis in gone else size for axis, size in enumerate(given.shape)]
    return _empty(sizes if keep else [s for a, s in enumerate(sizes) if a not in gone], given)


def _without_dilation(
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0,),
    ceil: bool = False,
    *_: Any,
) -> tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int], bool]:
    """The arguments of a mean's pooling in the order of a maximum's."""
    return kernel, stride, padding, (1,), ceil


def _pooled(
    given: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,),
    ceil: bool = False,
) -> tuple[Tensor, Tensor] | None:
    """What pooling gives, with the places of maxima; None where torch refuses it."""
    axes = len(kernel) if len(kernel) > 1 else given.ndim - 2
    if given.ndim < axes + 1:
        return None
    sizes = list(given.shape[:-axes])
    options = (_each(values, axes) for values in (kernel, stride or kernel, padding, dilation))
    for size, side, step, border, apart in zip(given.shape[-axes:], *options, strict=True):
        reach = apart * (side - 1) + 1
        left = size + 2 * border - reach
        count = (-(-left // step) if ceil else left // step) + 1
        # The last one has to begin within the input or its left border.
        if ceil and (count - 1) * step >= size + border:
            count -= 1
        if count < 1 or left < 0 or 2 * border > side:
            return None
        sizes.append(count)
    return _empty(sizes, given), torch.empty(sizes, dtype=torch.int64, device="meta")


def _convolved(
    given: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Tensor | None:
    """What a convolution gives; None where torch refuses it."""
    inner = weight.shape[0] if transposed else weight.shape[1] * groups
    if given.ndim != weight.ndim or inner != given.shape[1]:
        return None
    options = (_each(values, given.ndim - 2) for values in (stride, padding, dilation))
    sizes = []
    for size, kernel, step, border, apart, more in zip(
        given.shape[2:],
        weight.shape[2:],
        *options,
        _each(output_padding, given.ndim - 2),
        strict=True,
    ):
        reach = apart * (kernel - 1) + 1
        if transposed:
            sizes.append((size - 1) * step - 2 * border + reach + more)
        else:
            sizes.append((size + 2 * border - reach) // step + 1)
    if min(sizes) < 1:
        return None
    outer = weight.shape[1] * groups if transposed else weight.shape[0]
    return _empty((len(given), outer, *sizes), given)


def _empty(shape: Sequence[int], like: Tensor) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device="meta")


def _each(values: Sequence[int], count: int) -> Sequence[int]:
    return values if len(values) == count else [values[0]] * count
