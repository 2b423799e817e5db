"""HybridSN: 3-D, then 2-D convolutions over a window of principal components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from ..backbones.conv import ConvNormAct
from ..backbones.dimension import LayerChoice
from ..backbones.footprint import footprint
from ..backbones.squeeze_excitation import build_attention
from ..backbones.stages import StageStyle, build_stage, stage_end, takes_raw_values
from ..backbones.volume_stack import stack_features, stackable, suits_stack
from ..backbones.window_classifier import WindowClassifier
from ..errors import ConfigError
from .inputs import check_components, check_window
from .stage_options import StageOptions

_KERNELS_3D = ((8, (7, 3, 3)), (16, (5, 3, 3)), (32, (3, 3, 3)))
_KERNEL_2D = (3, 3)
_VOLUME, _IMAGE, _HEAD = "3d", "2d", "head"
# 3d stands for its three stages; what is said of one of them goes before.
_STAGES = {_VOLUME: "", "3d_1": _VOLUME, "3d_2": _VOLUME, "3d_3": _VOLUME, _IMAGE: "", _HEAD: None}


class HybridSN(WindowClassifier):
    """HybridSN (Roy, Krishna, Dubey, Chaudhuri; IEEE GRSL 2020; arXiv 1902.06701, table I).

    Three valid 3-D convolutions (8, 16 and 32 kernels of 7×3×3, 5×3×3 and 3×3×3 over components
    × lines × samples), their outputs stacked along the components, one valid 2-D convolution (64
    kernels of 3×3), then fully connected layers of 256, 128 and `num_classes`. ReLU throughout,
    no normalisation. 5,122,176 parameters at 30 components, window 25 and 16 classes.

    The stages may be made of other blocks, by the words of `StageStyle`; then it is no published
    network. Stages without attention and group norm see a window as a part of the scene, in
    training too where no norm looks at the batch; with attention in a stage the network goes by
    windows, with attention in the head it is dense up to there. A first stage of blocks that are
    made for features (separable, inverted_residual, shuffle, preactivation) is a plain one.

    Shapes: (N, in_channels, window, window) or (N, 1, in_channels, window, window) to
    (N, num_classes) logits.

    Args:
        in_channels: principal components, at least 13; more where blocks have larger kernels.
        num_classes: classes.
        window: side of the window in pixels, odd and at least 9; likewise.
        dropout: share of units dropped after the first two fully connected layers.
        block: of all stages, as `StageStyle` has it; so are the four that follow.
        attention: of each stage.
        scale: of residual blocks.
        norm: of the convolutions; none unless said otherwise.
        activation: ReLU unless said otherwise.
        stages: the same keys for some stages alone: `3d` (its three stages), `3d_1`, `3d_2`,
            `3d_3`, `2d`, and `head`, which has an attention only, over a window's features.
        gather: what the connected layers see of a window's places: all of them, or the weighted
            sum of each feature map (a depthwise convolution over the places, as in MobileFaceNet,
            Chen et al., 2018).

    Raises:
        ShapeError: too few components, or a window that is even or too small.
        ConfigError: a block, attention, norm or stage that there is not.
    """

    #: Kernels of the 2-D convolution, the features of each place.
    depth = 64
    #: The smallest window of the published stages, which take away one pixel less.
    least_window: ClassVar[int] = 9

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        window: int = 25,
        dropout: float = 0.4,
        block: LayerChoice = None,
        attention: LayerChoice = None,
        scale: float | None = None,
        norm: LayerChoice = None,
        activation: LayerChoice = None,
        stages: Mapping[str, Mapping[str, Any]] | None = None,
        gather: Literal["places", "weighted"] = "places",
    ) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise ValueError(f"a dropout of {dropout} is no share from 0 to below 1")
        if gather not in ("places", "weighted"):
            raise ConfigError("model.options.gather", repr(gather), "places or weighted")
        style = StageStyle(block, attention, scale, norm, activation)
        styles = StageOptions(style, stages, _STAGES)
        self.window = window
        self.spectral_spatial = nn.Sequential()
        channels = 1
        for number, (width, kernel) in enumerate(_KERNELS_3D, 1):
            stage = _stage(styles.of(f"3d_{number}"), channels, width, kernel)
            self.spectral_spatial.append(stage)
            channels = width
        end = stage_end(styles.of("3d_3"), channels, dim=3)
        if end is not None and stage_end(styles.of(_IMAGE), channels, dim=2) is None:
            self.spectral_spatial.append(end)
        lost, *_ = (2 * reach for reach in footprint(self.spectral_spatial, 3).reach)
        check_components(type(self).__name__, in_channels, lost + 1)
        channels *= in_channels - lost
        self.spatial = nn.Sequential(_stage(styles.of(_IMAGE), channels, self.depth, _KERNEL_2D))
        end = stage_end(styles.of(_IMAGE), self.depth, dim=2)
        if end is not None:
            self.spatial.append(end)
        self.margin = self._lost_pixels()
        check_window(type(self).__name__, window, self.margin + 1)
        side = window - self.margin
        if gather == "weighted":
            whole: Any = {"dim": 2, "padding": "valid", "groups": self.depth}
            self.spatial.append(ConvNormAct(self.depth, self.depth, (side, side), **whole))
            self.margin, side = window - 1, 1
        self.head = connected_head(self.depth * side * side, num_classes, dropout)
        gates = build_attention(styles.attention_of(_HEAD), self.depth)
        if gates is not None:
            self.head.insert(0, gates)

    @property
    def initialisation(self) -> str:
        """The scheme of its initial weights.

        Glorot's bounds count the kernels of all channels, of which a depthwise convolution has
        one each.
        """
        convolutions = (m for m in self.modules() if isinstance(m, nn.Conv2d | nn.Conv3d))
        return "kaiming" if any(m.groups > 1 for m in convolutions) else "glorot"

    def _lost_pixels(self) -> int:
        """Lines, and samples, that all stages take away."""
        volume, image = footprint(self.spectral_spatial, 3), footprint(self.spatial, 2)
        return 2 * (volume.reach[-1] + image.reach[-1])

    def gradients_in_place(self, cubes: Tensor) -> bool:
        """Whether a backward pass puts gradients of cubes in the place of what layers gave."""
        return suits_stack(cubes) and stackable(self.spectral_spatial, self.spatial)

    def features(self, cubes: Tensor) -> Tensor:
        """The convolutional part: (N, in_channels, h, w) to (N, 64, h − 8, w − 8), any h and w."""
        if self.gradients_in_place(cubes):
            return stack_features(cubes, self.spectral_spatial, self.spatial)
        volume = self.spectral_spatial(cubes.unsqueeze(1))
        features: Tensor = self.spatial(volume.flatten(1, 2))
        return features


def _stage(
    style: StageStyle, in_channels: int, out_channels: int, kernel: tuple[int, ...]
) -> nn.Module:
    """One of the convolutional stages, as many axes as the kernel has."""
    if in_channels == 1 and not takes_raw_values(style):
        style = replace(style, block=None, scale=None)
    return build_stage(
        style, in_channels, out_channels, dim=len(kernel), kernel_size=kernel, padding="valid"
    )


def connected_head(in_features: int, num_classes: int, dropout: float) -> nn.Sequential:
    """HybridSN's fully connected layers of 256, 128 and `num_classes` over all features."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(in_features, 256),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(128, num_classes),
    )
