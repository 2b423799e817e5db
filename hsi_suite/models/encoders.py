"""What turns a spectrum, a patch or ready features into a row of features: by name."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from torch import nn

from ..backbones.pooling import max_pool
from ..backbones.stages import PLAIN, StageStyle, build_stage, stage_end, strides
from ..errors import ConfigError, ShapeError
from ..registry import Registry, did_you_mean, listed

_LEAST_BANDS = 16
_NORM = "batch"
# Of the first convolution and of the stages, by axes.
_KERNELS = {1: (7, 5), 2: (3, 3)}
# Which of the four halve, by axes and whether by stride, at their own begin, or by a maximum
# behind them: over patches the same places.
_HALVES = {
    (1, True): (True, True, True, True),
    (1, False): (True, True, True, True),
    (2, True): (False, False, True, True),
    (2, False): (False, True, True, False),
}


@dataclass(frozen=True)
class StagedEncoder:
    """A first convolution and three stages of one style, which halve what they see.

    Along a spectrum each stage halves the bands, and so does the convolution before them; over a
    patch the second and the third stage see half the lines and samples. Blocks that can do it by
    their stride do so, a maximum follows the others. Batch norm unless the style says otherwise.

    Attributes:
        dim: 1 for spectra, 2 for patches.
        style: what the stages are made of, where nothing else is said.
        first: channels of the convolution before them.
        widths: channels of the stages.
    """

    dim: int
    style: StageStyle
    first: int
    widths: tuple[int, int, int]

    def layers(
        self, name: str, shape: tuple[int, ...], said: StageStyle
    ) -> tuple[nn.Sequential, int]:
        """The layers up to the features, and the number of features.

        Raises:
            ShapeError: items of another kind.
        """
        style = said.over(self.style)
        channels, side = (1, _bands(name, shape)) if self.dim == 1 else _patch(name, shape)
        layers = nn.Sequential(*([nn.Unflatten(1, (1, side))] if self.dim == 1 else []))
        by_stride = strides(style)
        first = StageStyle(norm=style.norm, activation=style.activation)
        kernel_first, kernel = _KERNELS[self.dim]
        steps = [
            (first, self.first, kernel_first),
            *((style, width, kernel) for width in self.widths),
        ]
        for (each, width, size), halve in zip(steps, _HALVES[self.dim, by_stride], strict=True):
            stride = 2 if halve and by_stride else 1
            how: Any = {"dim": self.dim, "kernel_size": size, "stride": stride, "norm": _NORM}
            layers.append(build_stage(each, channels, width, **how))
            channels, side = width, -(-side // stride)
            if halve and not by_stride and side > 1:
                layers.append(max_pool(2, dim=self.dim, stride=2, padding="valid"))
                side //= 2
        end = stage_end(style, channels, dim=self.dim, norm=_NORM)
        if end is not None:
            layers.append(end)
        return layers.append(nn.Flatten()), channels * side**self.dim


_ALONG, _OVER = (32, 64, 96), (16, 32, 64)
_INCEPTION = (64, 96, 128)
ENCODERS: Registry[StagedEncoder | None] = Registry("encoder")
for _name, _encoder in {
    "mlp": None,
    "conv_1d": StagedEncoder(1, PLAIN, 32, _ALONG),
    "residual_1d": StagedEncoder(1, StageStyle("residual"), 32, _ALONG),
    "inception_1d": StagedEncoder(1, StageStyle("inception"), 32, _INCEPTION),
    "conv_2d": StagedEncoder(2, PLAIN, 16, _OVER),
    "residual_2d": StagedEncoder(2, StageStyle("residual"), 16, _OVER),
    "se_residual_2d": StagedEncoder(2, StageStyle("residual", "se"), 16, _OVER),
    "inception_2d": StagedEncoder(2, StageStyle("inception"), 32, _INCEPTION),
}.items():
    ENCODERS.add(_name, _encoder)


def has_stages(name: str) -> bool:
    """Whether an encoder has stages; one that there is not has none."""
    return name in ENCODERS and ENCODERS[name] is not None


def build_encoder(
    name: str, shape: tuple[int, ...], hidden: int, dropout: float, style: StageStyle = PLAIN
) -> nn.Sequential:
    """A named encoder ending in one connected layer with ReLU.

    `mlp` is nothing but that layer: DSCMR's branches (Zhen et al. 2019). The others are
    convolutions, residual blocks or Inception modules along a spectrum (`_1d`) or over a patch
    (`_2d`), see `StagedEncoder`.

    Shapes: (N, *shape) to (N, hidden).

    Args:
        name: one of `ENCODERS`.
        shape: of one item: dimensions, or channels × window × window.
        hidden: units of the connected layer.
        dropout: share of features dropped before it.
        style: what its stages are made of, in place of what its name stands for.

    Raises:
        ConfigError: no such encoder, or a style of one without stages.
        ShapeError: it is for items of another kind.
    """
    if name not in ENCODERS:
        hint = did_you_mean(name, ENCODERS)
        raise ConfigError("encoder", f"unknown name {name!r}", listed(ENCODERS), hint)
    encoder = ENCODERS[name]
    if encoder is not None:
        layers, features = encoder.layers(name, shape, style)
    elif style == PLAIN:
        layers, features = nn.Sequential(nn.Flatten()), prod(shape)
    else:
        raise ConfigError(f"encoder {name}", "has no stages", "conv_1d or conv_2d for a block")
    if dropout:
        layers.append(nn.Dropout(dropout))
    layers.extend([nn.Linear(features, hidden), nn.ReLU()])
    return layers


def _bands(name: str, shape: tuple[int, ...]) -> int:
    if len(shape) != 1:
        raise ShapeError(name, f"items of shape {shape}", "spectra or features, one row each")
    if shape[0] < _LEAST_BANDS:
        raise ShapeError(name, f"{shape[0]} bands", f"at least {_LEAST_BANDS}", "use mlp")
    return shape[0]


def _patch(name: str, shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) != 3:
        raise ShapeError(name, f"items of shape {shape}", "patches: channels × window × window")
    return shape[0], shape[1]
