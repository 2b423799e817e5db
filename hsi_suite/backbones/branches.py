"""Parallel branches whose outputs are concatenated, built from the tables of Inception."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import ConfigError, ShapeError
from .conv import ConvNormAct, conv_unit, named_layers
from .dimension import (
    Crop,
    LayerChoice,
    Padding,
    Size,
    Style,
    build_norm,
    per_axis,
    resolve_padding,
)
from .inception_tables import (
    Branch,
    Conv,
    Factorised,
    Normed,
    Parallel,
    Pool,
    Table,
    fitted,
    passes_through,
)
from .pooling import AveragePool, max_pool
from .squeeze_excitation import build_attention

# The Inception networks were published with this variance floor (torchvision and timm agree).
INCEPTION_NORM: LayerChoice = {"name": "batch", "eps": 1e-3}


class Branches(nn.ModuleList):
    """Run every branch on the same input and concatenate the channels.

    Shapes: (N, C, ...) to (N, sum of the branches' channels, ...).

    Args:
        branches: modules whose outputs have equal sizes.

    Example:
        >>> Branches(nn.Identity(), nn.Identity())(torch.ones(1, 2, 5)).shape
        torch.Size([1, 4, 5])
    """

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__(branches)

    def outputs(self, x: Tensor) -> list[Tensor]:
        """What the branches make of `x`, one by one.

        Raises:
            ShapeError: the outputs differ in size.
        """
        outputs = [branch(x) for branch in self]
        sizes = {tuple(output.shape[2:]) for output in outputs}
        if len(sizes) > 1:
            raise ShapeError("branches", f"outputs of sizes {sorted(sizes)}", "equal sizes")
        return outputs

    def forward(self, x: Tensor) -> Tensor:
        """Concatenate what the branches make of `x`."""
        return torch.cat(self.outputs(x), dim=1)


class SummedBranches(Branches):
    """Run every branch on the same input and add the outputs.

    Shapes: (N, C, ...) to (N, channels of each branch, ...).

    Args:
        branches: modules whose outputs have equal sizes and channels.

    Example:
        >>> SummedBranches(nn.Identity(), nn.Identity())(torch.ones(1, 2, 3)).unique()
        tensor([2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Add what the branches make of `x`."""
        return reduce(torch.add, self.outputs(x))


SimpleLayer = Conv | Parallel | Pool | Normed
Sliding = Conv | Parallel | Pool


def _directions(size: int, dim: int) -> list[tuple[int, ...]]:
    return [tuple(size if a == axis else 1 for a in range(dim)) for axis in reversed(range(dim))]


def _simple_layers(branch: Branch, dim: int) -> list[SimpleLayer]:
    """The branch with every factorised kernel written out."""
    layers: list[SimpleLayer] = []
    for layer in branch:
        if isinstance(layer, Factorised):
            kernels = _directions(layer.size, dim)[:: -1 if layer.reverse else 1]
            widths = [layer.inner] * (dim - 1) + [layer.width]
            layers += [Conv(w, k) for w, k in zip(widths, kernels, strict=True)]
        else:
            layers.append(layer)
    return layers


def _own_padding(layer: Sliding, padding: Padding) -> Padding:
    return padding if isinstance(layer, Parallel) or layer.padding is None else layer.padding


def _margins(layers: Sequence[SimpleLayer], dim: int, padding: Padding) -> list[int]:
    """Positions each axis loses at either end, counted at the input."""
    lost, jump = [0] * dim, 1
    for layer in layers:
        if isinstance(layer, Normed):
            continue
        size: Size = layer.kernel if isinstance(layer, Conv) else layer.size
        zeros = per_axis(resolve_padding(_own_padding(layer, padding), size, dim), dim)
        for axis, (k, zero) in enumerate(zip(per_axis(size, dim), zeros, strict=True)):
            lost[axis] += jump * (k - 1 - 2 * zero)
        jump *= 1 if isinstance(layer, Parallel) else layer.stride
    return [n // 2 for n in lost]


def _parallel(
    layer: Parallel, in_channels: int, unit: Callable[..., ConvNormAct], dim: int, padding: Padding
) -> Branches:
    shares = [(layer.width + place) // dim for place in reversed(range(dim))]
    kernels = _directions(layer.size, dim)
    table = tuple((Conv(w, k),) for w, k in zip(shares, kernels, strict=True) if w)
    return build_branches(table, in_channels, unit, dim, padding)


def build_chain(
    branch: Branch,
    in_channels: int,
    unit: Callable[..., ConvNormAct],
    dim: int,
    padding: Padding,
    margin: Sequence[int] = (),
) -> nn.Sequential:
    """One branch as a module, after a crop by `margin` where that is not zero."""
    modules: list[nn.Module] = [Crop(tuple(margin))] if any(margin) else []
    for layer in _simple_layers(branch, dim):
        if isinstance(layer, Normed):
            modules.append(build_norm(layer.norm, in_channels, dim) or nn.Identity())
            continue
        if isinstance(layer, Parallel):
            modules.append(_parallel(layer, in_channels, unit, dim, padding))
            in_channels = layer.width
            continue
        place: dict[str, Any] = {"stride": layer.stride, "padding": _own_padding(layer, padding)}
        if isinstance(layer, Conv):
            modules.append(unit(in_channels, layer.width, layer.kernel, **place))
            in_channels = layer.width
        elif layer.kind == "max":
            modules.append(max_pool(layer.size, dim=dim, ceil_mode=layer.ceil_mode, **place))
        else:
            count = layer.count_padding
            modules.append(AveragePool(layer.size, dim=dim, count_padding=count, **place))
    return nn.Sequential(*modules)


def build_branches(
    table: Table, in_channels: int, unit: Callable[..., ConvNormAct], dim: int, padding: Padding
) -> Branches:
    """The branches side by side; the shallower ones crop their input to meet the deepest."""
    margins = [_margins(_simple_layers(branch, dim), dim, padding) for branch in table]
    deepest = [max(axis) for axis in zip(*margins, strict=True)]
    return Branches(
        *(
            build_chain(
                branch,
                in_channels,
                unit,
                dim,
                padding,
                [most - own for most, own in zip(deepest, margin, strict=True)],
            )
            for branch, margin in zip(table, margins, strict=True)
        )
    )


def inception(
    table: Table, in_channels: int, out_channels: int, style: Style, *, stride: int = 1
) -> nn.Sequential:
    """The module a table describes: children `layers` (`Branches`) and, if chosen, `attention`.

    With valid padding the branches with smaller kernels crop their input at the centre, so
    that all look at the same positions.

    Shapes: (N, in_channels, ...) to (N, out_channels, ...).

    Args:
        table: branches, with the widths of the paper.
        in_channels: channels of the input.
        out_channels: channels of the output; the table's widths are fitted to it.
        style: `dim` and the choices of `Style`.
        stride: the stride asked of the block, which must be the table's own.

    Raises:
        ConfigError: a stride the module has not, or too few channels for its branches.
    """
    check_stride(stride, _stride(table[0]))
    passed = in_channels * sum(passes_through(branch) for branch in table)
    table = fitted(table, out_channels - passed)
    unit = conv_unit({"norm": INCEPTION_NORM, **style})
    branches = build_branches(table, in_channels, unit, style["dim"], style.get("padding", "same"))
    return _with_attention(branches, out_channels, style)


def build_stem(
    chain: Branch, in_channels: int, out_channels: int, style: Style, *, stride: int
) -> nn.Sequential:
    """A single branch as a module of its own: the layers before the first Inception module.

    Args:
        chain: the layers, with the widths of the paper.
        in_channels: channels of the input.
        out_channels: channels of the output; the widths are fitted to it.
        style: `dim` and the choices of `Style`.
        stride: the stride asked of the stem, which must be the chain's own.
    """
    check_stride(stride, _stride(chain))
    unit = conv_unit({"norm": INCEPTION_NORM, **style})
    (chain,) = fitted((chain,), out_channels)
    layers = build_chain(chain, in_channels, unit, style["dim"], style.get("padding", "same"))
    return _with_attention(layers, out_channels, style)


def check_stride(stride: int, own: int) -> None:
    """Refuse a stride that the module, as published, has not.

    Raises:
        ConfigError: `stride` is not `own`.
    """
    if stride != own:
        raise ConfigError("stride", f"{stride} for this module", f"{own}, as published")


def _stride(branch: Branch) -> int:
    return math.prod(layer.stride for layer in branch if isinstance(layer, Conv | Pool))


def _with_attention(layers: nn.Module, channels: int, style: Style) -> nn.Sequential:
    attention = build_attention(style.get("attention"), channels)
    return nn.Sequential(named_layers(layers=layers, attention=attention))
