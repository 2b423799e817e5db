"""HybridSN: 3-D, then 2-D convolutions over a window of principal components."""

from __future__ import annotations

from torch import Tensor, nn

from ..backbones.conv import ConvNormAct
from ..backbones.window_classifier import WindowClassifier
from ..errors import ShapeError
from .inputs import check_window

_KERNELS_3D = ((8, (7, 3, 3)), (16, (5, 3, 3)), (32, (3, 3, 3)))
_KERNEL_2D = (3, 3)
# What the valid 3-D convolutions take away is 6 + 4 + 2 components.
_LEAST_COMPONENTS = 13


class HybridSN(WindowClassifier):
    """HybridSN (Roy, Krishna, Dubey, Chaudhuri; IEEE GRSL 2020; arXiv 1902.06701, table I).

    Three valid 3-D convolutions (8, 16 and 32 kernels of 7×3×3, 5×3×3 and 3×3×3 over components
    × lines × samples), their outputs stacked along the components, one valid 2-D convolution (64
    kernels of 3×3), then fully connected layers of 256, 128 and `num_classes`. ReLU throughout,
    no normalisation. 5,122,176 parameters at 30 components, window 25 and 16 classes.

    Shapes: (N, in_channels, window, window) or (N, 1, in_channels, window, window) to
    (N, num_classes) logits.

    Args:
        in_channels: principal components, at least 13.
        num_classes: classes.
        window: side of the window in pixels, odd and at least 9.
        dropout: share of units dropped after the first two fully connected layers.

    Raises:
        ShapeError: too few components, or a window that is even or too small.
    """

    #: Kernels of the 2-D convolution, the features of each place.
    depth = 64
    #: The smallest window; the convolutions take away one pixel less.
    least_window = 9

    def __init__(
        self, in_channels: int, num_classes: int, window: int = 25, dropout: float = 0.4
    ) -> None:
        super().__init__()
        self._check(in_channels, window, dropout)
        self.window = window
        self.margin = self.least_window - 1
        self.spectral_spatial = nn.Sequential()
        channels = 1
        for width, kernel in _KERNELS_3D:
            self.spectral_spatial.append(self._stage(channels, width, kernel, dim=3))
            channels = width
        channels *= in_channels - (_LEAST_COMPONENTS - 1)
        self.spatial = nn.Sequential(self._stage(channels, self.depth, _KERNEL_2D, dim=2))
        side = window - self.margin
        self.head = connected_head(self.depth * side * side, num_classes, dropout)

    def _check(self, in_channels: int, window: int, dropout: float) -> None:
        name = type(self).__name__
        if in_channels < _LEAST_COMPONENTS:
            raise ShapeError(
                name,
                f"{in_channels} components",
                f"at least {_LEAST_COMPONENTS}",
                "raise reduction.components",
            )
        check_window(name, window, self.least_window)
        if not 0 <= dropout < 1:
            raise ValueError(f"a dropout of {dropout} is no share from 0 to below 1")

    def _stage(
        self, in_channels: int, out_channels: int, kernel: tuple[int, ...], dim: int
    ) -> nn.Module:
        """One of the convolutional stages, three with `dim` 3 and one with 2."""
        return ConvNormAct(in_channels, out_channels, kernel, dim=dim, padding="valid")

    def features(self, cubes: Tensor) -> Tensor:
        """The convolutional part: (N, in_channels, h, w) to (N, 64, h − 8, w − 8), any h and w."""
        volume = self.spectral_spatial(cubes.unsqueeze(1))
        features: Tensor = self.spatial(volume.flatten(1, 2))
        return features


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
