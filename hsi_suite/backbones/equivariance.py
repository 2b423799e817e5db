"""Whether a network sees a window as it sees the same place of the whole scene.

Such a network can be run densely over a scene and gives, at each pixel, exactly what it gives
on the window cut around that pixel. Each layer that breaks this is named. The axes that count
are the last two (lines and samples), or the only one in 1-D: the bands of a cube, the first
axis of a 3-D block, are always seen whole.
"""

from __future__ import annotations

from torch import nn

from .dimension import per_axis
from .pooling import AveragePool

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
# These treat every element alone. Dropout belongs here because with the same mask it does.
_ELEMENTWISE = (
    nn.Identity,
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.PReLU,
    nn.ELU,
    nn.GELU,
    nn.SiLU,
    nn.Tanh,
    nn.Sigmoid,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.Dropout,
)


def breaks_equivariance(module: nn.Module, training: bool) -> list[str]:
    """The submodules that make `module` see windows and scenes differently; empty: none does.

    Valid convolutions and pooling of stride 1, elementwise layers and layer norm over channels
    keep equivariance; batch norm keeps it in evaluation only. Padding, strides, group norm and
    anything pooled over the window break it. A module with children is judged by its children,
    one without that is not known counts as breaking, and either can declare itself by an
    attribute `keeps_window_equivariance`.

    Args:
        module: a block, a sequence of blocks, the convolutional part of a model.
        training: judge as in training, where batch norm looks at the batch.

    Returns:
        One line for each submodule: its path and why.

    Example:
        >>> block = nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.ReLU())
        >>> breaks_equivariance(block, training=False)
        ['1: GroupNorm looks beyond one position']
    """
    return [f"{path}: {reason}" for path, reason in _breaks(module, training, "")]


def _breaks(module: nn.Module, training: bool, path: str) -> list[tuple[str, str]]:
    declared = getattr(module, "keeps_window_equivariance", None)
    children = list(module.named_children())
    if declared is None and children:
        return [
            found
            for name, child in children
            for found in _breaks(child, training, f"{path}.{name}" if path else name)
        ]
    if declared is None:
        reason = _leaf_reason(module, training)
    else:
        reason = "" if declared else f"{type(module).__name__} looks beyond one position"
    return [(path or type(module).__name__, reason)] if reason else []


def _leaf_reason(module: nn.Module, training: bool) -> str:
    """Why a layer without children breaks equivariance; empty: it does not."""
    name = type(module).__name__
    if isinstance(module, (*_CONVOLUTIONS, *_MAX_POOLS, AveragePool)):
        return _geometry_reason(module)
    if isinstance(module, _BATCH_NORMS):
        looks = training or not module.track_running_stats
        return f"{name} uses the statistics of the batch" if looks else ""
    if isinstance(module, _ELEMENTWISE) or (
        isinstance(module, nn.Sequential | nn.ModuleList) and len(module) == 0
    ):
        return ""
    return f"{name} looks beyond one position"


def _geometry_reason(module: nn.Module) -> str:
    """Why a sliding layer that strides or pads along the window's axes breaks equivariance."""
    name = type(module).__name__
    dim = len(module.kernel_size) if isinstance(module, AveragePool) else int(name[-2])
    kernel, stride, padding = (
        getattr(module, setting) for setting in ("kernel_size", "stride", "padding")
    )
    if any(step != 1 for step in per_axis(stride, dim)[-2:]):
        return f"{name} with stride {stride}"
    if isinstance(padding, str):
        # Torch's `same` adds zeros exactly where the kernel is wider than one.
        padding = tuple(k - 1 if padding == "same" else 0 for k in per_axis(kernel, dim))
    if any(per_axis(padding, dim)[-2:]):
        return f"{name} with padding"
    return ""
