"""What turns a spectrum, a patch or ready features into a row of features: by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from ..backbones.conv import ConvNormAct
from ..backbones.inception_v1 import inception_v1
from ..backbones.pooling import max_pool
from ..backbones.residual import basic_residual
from ..errors import ConfigError, ShapeError
from ..registry import Registry, listed, nearest_names

_LEAST_BANDS = 16
_WIDTHS_1D = (32, 64, 96)
_WIDTHS_2D = (16, 32, 64)


def build_encoder(name: str, shape: tuple[int, ...], hidden: int, dropout: float) -> nn.Sequential:
    """A named encoder ending in one connected layer with ReLU.

    Shapes: (N, *shape) to (N, hidden).

    Args:
        name: one of `ENCODERS`.
        shape: of one item: dimensions, or channels × window × window.
        hidden: units of the connected layer.
        dropout: share of features dropped before it.

    Raises:
        ConfigError: no such encoder.
        ShapeError: it is for items of another kind.
    """
    if name not in ENCODERS:
        near = nearest_names(name, ENCODERS)
        hint = f"did you mean {' or '.join(near)}?" if near else ""
        raise ConfigError("encoder", f"unknown name {name!r}", listed(ENCODERS), hint)
    layers, features = ENCODERS[name](shape)
    if dropout:
        layers.append(nn.Dropout(dropout))
    layers.extend([nn.Linear(features, hidden), nn.ReLU()])
    return layers


def mlp(shape: tuple[int, ...]) -> tuple[nn.Sequential, int]:
    """Nothing before the connected layer: DSCMR's branches (Zhen et al. 2019)."""
    features = 1
    for size in shape:
        features *= size
    return nn.Sequential(nn.Flatten()), features


def inception_1d(shape: tuple[int, ...]) -> tuple[nn.Sequential, int]:
    """Inception modules along a spectrum, as those of the classifier of the same name."""
    bands = _spectrum("inception_1d", shape)
    layers = nn.Sequential(nn.Unflatten(1, (1, bands)), ConvNormAct(1, 32, 7, **_style(1)))
    channels, length = 32, bands // 2
    layers.append(_half(1))
    for width in (64, 96, 128):
        layers.extend([inception_v1(channels, width, **_style(1)), _half(1)])
        channels, length = width, length // 2
    return layers.append(nn.Flatten()), channels * length


def residual_1d(shape: tuple[int, ...]) -> tuple[nn.Sequential, int]:
    """Residual blocks along a spectrum, each of which halves it."""
    bands = _spectrum("residual_1d", shape)
    layers = nn.Sequential(
        nn.Unflatten(1, (1, bands)), ConvNormAct(1, 32, 7, stride=2, **_style(1))
    )
    channels, length = 32, -(-bands // 2)
    for width in _WIDTHS_1D:
        layers.append(basic_residual(channels, width, kernel_size=5, stride=2, **_style(1)))
        channels, length = width, -(-length // 2)
    return layers.append(nn.Flatten()), channels * length


def residual_2d(shape: tuple[int, ...], attention: str | None = None) -> tuple[nn.Sequential, int]:
    """Residual blocks over a patch; the last two halve it."""
    channels, side = _patch("residual_2d", shape)
    style = {**_style(2), "attention": attention}
    layers = nn.Sequential(ConvNormAct(channels, _WIDTHS_2D[0], 3, **_style(2)))
    channels = _WIDTHS_2D[0]
    for width, stride in zip(_WIDTHS_2D, (1, 2, 2), strict=True):
        layers.append(basic_residual(channels, width, stride=stride, **style))
        channels, side = width, -(-side // stride)
    return layers.append(nn.Flatten()), channels * side * side


def se_residual_2d(shape: tuple[int, ...]) -> tuple[nn.Sequential, int]:
    """Residual blocks with squeeze-and-excitation over a patch."""
    return residual_2d(shape, "se")


def inception_2d(shape: tuple[int, ...]) -> tuple[nn.Sequential, int]:
    """Inception modules over a patch, which is halved after the first two."""
    channels, side = _patch("inception_2d", shape)
    layers = nn.Sequential(ConvNormAct(channels, 32, 3, **_style(2)))
    channels = 32
    for width, halve in ((64, True), (96, True), (128, False)):
        layers.append(inception_v1(channels, width, **_style(2)))
        channels = width
        if halve and side > 1:
            layers.append(_half(2))
            side //= 2
    return layers.append(nn.Flatten()), channels * side * side


ENCODERS: Registry[Callable[[tuple[int, ...]], tuple[nn.Sequential, int]]] = Registry("encoder")
for _encoder in (mlp, inception_1d, residual_1d, residual_2d, se_residual_2d, inception_2d):
    ENCODERS.add(_encoder.__name__, _encoder)


def _half(dim: int) -> nn.Module:
    return max_pool(2, dim=dim, stride=2, padding="valid")


def _style(dim: int) -> Any:
    return {"dim": dim, "norm": "batch"}


def _spectrum(name: str, shape: tuple[int, ...]) -> int:
    if len(shape) != 1:
        raise ShapeError(name, f"items of shape {shape}", "spectra or features, one row each")
    if shape[0] < _LEAST_BANDS:
        raise ShapeError(name, f"{shape[0]} bands", f"at least {_LEAST_BANDS}", "use mlp")
    return shape[0]


def _patch(name: str, shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) != 3:
        raise ShapeError(name, f"items of shape {shape}", "patches: channels × window × window")
    return shape[0], shape[1]
