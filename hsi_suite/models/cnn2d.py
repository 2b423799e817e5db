"""2-D convolutions over a window of principal components."""

from __future__ import annotations

from torch import Tensor, nn

from ..backbones.conv import ConvNormAct
from ..backbones.window_classifier import WindowClassifier
from .inputs import check_window


class CNN2D(WindowClassifier):
    """The 2-D CNN of Makantasis, Karantzalos, Doulamis, Doulamis (IGARSS 2015).

    As published, for 5×5 windows of c principal components: 3c kernels of 3×3, then 9c kernels of
    3×3, both valid and without pooling, so that one place is left; a hidden layer of 6c units; the
    fully connected layer.

    Our reading: tanh after the convolutions and the hidden layer, no dropout (as in the first
    author's public program of that time, whose hidden layer has 12c units; 6c is what programs that
    follow the article have); with wider windows the hidden layer sees every place that is left.
    295,036 parameters at 30 components, window 5 and 16 classes. Dense-exact, in training and for
    maps.

    Shapes: (N, in_channels, window, window) or (N, 1, in_channels, window, window) to
    (N, num_classes) logits.

    Args:
        in_channels: principal components.
        num_classes: classes.
        window: side of the window in pixels, odd and at least 5.

    Raises:
        ShapeError: a window that is even or too small.
    """

    #: What the two convolutions take away.
    margin = 4
    #: The smallest window.
    least_window = 5

    def __init__(self, in_channels: int, num_classes: int, window: int = 5) -> None:
        super().__init__()
        check_window("cnn2d", window, self.least_window)
        self.window = window
        width, depth, hidden = 3 * in_channels, 9 * in_channels, 6 * in_channels
        self.spatial = nn.Sequential(
            ConvNormAct(in_channels, width, 3, dim=2, padding="valid", activation="tanh"),
            ConvNormAct(width, depth, 3, dim=2, padding="valid", activation="tanh"),
        )
        side = window - self.margin
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(depth * side * side, hidden),
            nn.Tanh(),
            nn.Linear(hidden, num_classes),
        )

    def features(self, cubes: Tensor) -> Tensor:
        """The convolutions: (N, in_channels, h, w) to (N, 9 in_channels, h − 4, w − 4)."""
        features: Tensor = self.spatial(cubes)
        return features
