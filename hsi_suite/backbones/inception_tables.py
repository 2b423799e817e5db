"""Inception modules written down: parallel chains of layers with the widths of their papers.

A module of any version is a table: a tuple of branches, each a tuple of layers. `branches`
builds it in 1-D, 2-D or 3-D.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from ..errors import ConfigError
from .dimension import LayerChoice, Padding, Size


@dataclass(frozen=True)
class Wide:
    """A layer that ends with `width` channels."""

    width: int


@dataclass(frozen=True)
class Conv(Wide):
    """A unit of convolution, norm and activation; `padding` None: the block's."""

    kernel: Size = 1
    stride: int = 1
    padding: Padding | None = None


@dataclass(frozen=True)
class Factorised(Wide):
    """A kernel of `size` in every direction, one direction after another.

    Szegedy et al. (CVPR 2016), section 3.2: in 2-D 1×n then n×1; in 3-D 1×1×n, 1×n×1, n×1×1; in
    1-D the plain n. `reverse` turns the order. All but the last have `inner` channels.
    """

    size: int
    inner: int
    reverse: bool = False


@dataclass(frozen=True)
class Parallel(Wide):
    """The directions of a kernel side by side, `width` channels shared among them.

    Szegedy et al. (CVPR 2016), figure 7: in 2-D 1×n beside n×1; in 1-D the plain n.
    """

    size: int


@dataclass(frozen=True)
class Pool:
    """Pooling; `padding` None: the block's. Alone in a branch it passes the input through."""

    kind: Literal["max", "average"]
    size: int = 3
    stride: int = 1
    padding: Padding | None = None
    ceil_mode: bool = False
    count_padding: bool = True


@dataclass(frozen=True)
class Normed:
    """A norm by itself, which passes channels and positions through."""

    norm: LayerChoice


AnyWide = TypeVar("AnyWide", bound=Wide)
Layer = Conv | Factorised | Parallel | Pool | Normed
Branch = tuple[Layer, ...]
Table = tuple[Branch, ...]

# The maximum in the reductions of v3 and v4: like their strided convolutions it is not padded.
HALVING_MAXIMUM = Pool("max", stride=2, padding="valid")


def passes_through(branch: Branch) -> bool:
    """Whether the branch hands its input's channels on unchanged in number."""
    return all(isinstance(layer, Pool | Normed) for layer in branch)


def _end(branch: Branch) -> Conv | Factorised | Parallel:
    """The layer that sets the channels of the branch."""
    return [layer for layer in branch if not isinstance(layer, Pool | Normed)][-1]


def own_width(table: Table) -> int:
    """Channels the table adds by its own convolutions."""
    return sum(_end(branch).width for branch in table if not passes_through(branch))


def _scaled(layer: Layer, factor: float) -> Layer:
    if isinstance(layer, Pool | Normed):
        return layer
    if isinstance(layer, Factorised):
        layer = replace(layer, inner=max(1, round(layer.inner * factor)))
    return _with_width(layer, max(1, round(layer.width * factor)))


def _with_width(layer: AnyWide, width: int) -> AnyWide:
    return replace(layer, width=width)


def fitted(table: Table, width: int) -> Table:
    """The table with all widths in proportion and `width` channels of its own at the end.

    Rounding is made up for in the branch that ends widest. A table that has the width already
    comes back unchanged.

    Raises:
        ConfigError: `width` is too small for the number of branches.
    """
    if own_width(table) == width:
        return table
    factor = width / own_width(table)
    scaled = [tuple(_scaled(layer, factor) for layer in branch) for branch in table]
    own = [place for place, branch in enumerate(scaled) if not passes_through(branch)]
    widest = max(own, key=lambda place: _end(scaled[place]).width)
    end = _end(scaled[widest])
    rest = width - own_width(tuple(scaled)) + end.width
    if rest < 1:
        found = f"{width} left for {len(own)} convolving branches"
        raise ConfigError("out_channels", found, "more channels")
    scaled[widest] = tuple(
        _with_width(end, rest) if layer is end else layer for layer in scaled[widest]
    )
    return tuple(scaled)
