"""How far the outputs of a block look: the margin of tiles, and what valid padding takes away."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ..errors import ConfigError
from .branches import Branches
from .dimension import ChannelLayerNorm, Crop, per_axis
from .pooling import AveragePool
from .residual import Residual
from .response_norm import LocalResponseNorm
from .shuffle import ChannelShuffle

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, AveragePool)
_POINTWISE = (
    nn.Identity,
    nn.Dropout,
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    ChannelLayerNorm,
    LocalResponseNorm,
    ChannelShuffle,
    Crop,
)


@dataclass(frozen=True)
class Footprint:
    """Where an output of a block in evaluation comes from.

    Attributes:
        reach: positions on either side of its own, along each axis, by convolutions and pooling.
        whole: whether something looks at all positions as well (attention, group norm).
    """

    reach: tuple[int, ...]
    whole: bool = False

    @property
    def radius(self) -> int | None:
        """The farthest reach; None where all positions are looked at."""
        return None if self.whole else max(self.reach)


def footprint(block: nn.Module, dim: int) -> Footprint:
    """The footprint of a block of stride 1, from its layers; nothing is computed.

    A block with valid padding loses twice the reach. A layer that is not known counts as one that
    looks at everything.

    Args:
        block: as `BLOCKS` builds them, in a row perhaps.
        dim: axes behind the channels.

    Raises:
        ConfigError: a layer strides.

    Example:
        >>> from hsi_suite.backbones import basic_residual
        >>> footprint(basic_residual(8, 8, kernel_size=5, dim=1), 1).radius
        4
    """
    if isinstance(block, _CONVOLUTIONS + _POOLS):
        return Footprint(_sliding(block, dim))
    if isinstance(block, Branches):
        return _beside([footprint(branch, dim) for branch in block], dim)
    if isinstance(block, Residual):
        beside = _beside([footprint(part, dim) for part in (block.body, block.shortcut)], dim)
        return _after([beside, footprint(block.activation, dim)], dim)
    if isinstance(block, nn.Sequential):
        return _after([footprint(layer, dim) for layer in block], dim)
    return Footprint((0,) * dim, whole=not _is_pointwise(block))


def _is_pointwise(layer: nn.Module) -> bool:
    return isinstance(layer, _POINTWISE) or type(layer).__module__ == nn.ReLU.__module__


def _sliding(layer: nn.Module, dim: int) -> tuple[int, ...]:
    kernel, stride, dilation = (
        per_axis(getattr(layer, key, 1), dim) for key in ("kernel_size", "stride", "dilation")
    )
    if set(stride) != {1}:
        raise ConfigError("block", f"a layer of stride {max(stride)}", "a block that keeps sizes")
    return tuple((k - 1) * d // 2 for k, d in zip(kernel, dilation, strict=True))


def _beside(parts: list[Footprint], dim: int) -> Footprint:
    reach = tuple(max(part.reach[axis] for part in parts) for axis in range(dim))
    return Footprint(reach, any(part.whole for part in parts))


def _after(parts: list[Footprint], dim: int) -> Footprint:
    reach = tuple(sum(part.reach[axis] for part in parts) for axis in range(dim))
    return Footprint(reach, any(part.whole for part in parts))
