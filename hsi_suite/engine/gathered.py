"""A connected layer over neighbourhoods of a table of features, line by line of the window.

Written out, neighbourhoods that overlap are as large as the layer's weights, and so are a copy of
the weights in the order of the table and the gradients of both. Line by line of the window none of
these is in memory as a whole, and a line's share stays in a processor's caches.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from ..matrix_products import product

# Rows from which on oneDNN is faster than what torch gives single products in fp32 to.
_LEAST_ROWS = 16
# Lines of neighbourhoods whose gradient is in memory at a time.
_LINES = 9


def suits_lines(table: Tensor, corners: Tensor) -> bool:
    """Whether `gathered_linear` is for a table: those of a training on a processor, many rows.

    In bf16 torch itself gives products to oneDNN, and lines one by one take 6 % longer.
    """
    return (
        table.device.type == "cpu"
        and table.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and len(corners) >= _LEAST_ROWS
        and torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        # Transformed networks (torch.func) have no rule for a function of our own.
        and torch._C._functorch.peek_interpreter_stack() is None
    )


def gathered_linear(
    layer: nn.Linear, table: Tensor, corners: Tensor, width: int, side: int
) -> Tensor:
    """The layer's outputs, N × out_features, for N neighbourhoods of side × side places.

    The layer's inputs are a channel's places one after the other, then the next channel's.

    Args:
        layer: over side² · depth features.
        table: places × depth, of lines one after the other, such that `suits_lines`.
        corners: the place of each neighbourhood's first line and sample, N.
        width: places in a line.
        side: of a neighbourhood.
    """
    reach = torch.arange(side)
    places = corners[:, None, None] + (reach[:, None] * width + reach)
    outputs: Tensor = _Gathered.apply(  # type: ignore[no-untyped-call]
        table, places, layer.weight, layer.bias
    )
    return outputs


class _Gathered(torch.autograd.Function):
    """Places are N × side × side, weights out_features × (depth · side²)."""

    @staticmethod
    def forward(
        ctx: Any, table: Tensor, places: Tensor, weight: Tensor, bias: Tensor | None
    ) -> Tensor:
        table = table.contiguous()
        total = table.new_zeros((len(places), len(weight)))
        if bias is not None:
            total += bias
        for line in range(places.shape[1]):
            total += product(_rows(table, places, line), _line(weight, places, line, table))
        ctx.save_for_backward(table, places, weight)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        table, places, weight = ctx.saved_tensors
        side, depth = places.shape[1], table.shape[1]
        own = torch.empty_like(weight, memory_format=torch.contiguous_format)
        lines = own.view(len(own), depth, side, side)
        spread = torch.zeros_like(table)
        for first in range(0, side, _LINES):
            some = range(first, min(first + _LINES, side))
            towards = table.new_empty((len(places), len(some), side * depth))
            for line in some:
                kernels = product(gradient.t(), _rows(table, places, line).t())
                lines[:, :, line] = kernels.view(-1, side, depth).transpose(1, 2)
                towards[:, line - first] = product(gradient, _line(weight, places, line, table).t())
            # The backward pass of an embedding is a fast scatter-add; others take twice as long.
            spread += torch.ops.aten.embedding_dense_backward(
                towards.view(len(places), len(some), side, depth),
                places[:, some[0] : some[-1] + 1],
                len(table),
                -1,
                False,
            )
        bias = gradient.sum(0) if ctx.needs_input_grad[3] else None
        return spread, None, own, bias


def _rows(table: Tensor, places: Tensor, line: int) -> Tensor:
    """A line of each neighbourhood, N × (side · depth)."""
    return functional.embedding(places[:, line], table).flatten(1)


def _line(weight: Tensor, places: Tensor, line: int, table: Tensor) -> Tensor:
    """The weights of a line, out_features × (side · depth)."""
    split = weight.reshape(len(weight), table.shape[1], *places.shape[1:])
    return split[:, :, line].transpose(1, 2).flatten(1)
