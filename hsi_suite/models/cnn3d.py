"""3-D convolutions over a window of all bands."""

from __future__ import annotations

from torch import Tensor, nn

from ..backbones.conv import ConvNormAct
from ..backbones.window_classifier import WindowClassifier
from .inputs import check_window

# Kernels, their size (bands, lines, samples) and their step along the spectrum.
_LAYERS = (
    (20, (3, 3, 3), 1),
    (20, (3, 1, 1), 2),
    (35, (3, 3, 3), 1),
    (35, (3, 1, 1), 2),
    (35, (3, 1, 1), 1),
    (35, (2, 1, 1), 2),
)


class CNN3D(WindowClassifier):
    """The 3-D CNN of Ben Hamida, Benoit, Lambert, Ben Amar (IEEE TGRS 56(8), 2018).

    As published, for 5×5 windows of all bands: 20 kernels of 3×3×3; 20 kernels of 3 bands with
    stride 2, which stand for pooling; 35 of 3×3×3; 35 of 3 bands with stride 2; 35 of 3 bands; 35
    of 2 bands with stride 2; the fully connected layer. Strides and the kernels of 2 and 3 bands
    are along the spectrum, and the two kernels of 3×3 pixels leave one pixel of the window.

    Our reading: the layers as the article's text is quoted in DeepHyperX (Audebert et al., IEEE
    GRSM 2019); ReLU after every convolution, and one zero at both ends of the spectrum for each, as
    in the authors' Caffe files, which have fewer kernels in the layers that pool; no zeros around
    the window; no dropout; with wider windows the fully connected layer sees every pixel that is
    left. 45,196 parameters at 200 bands, window 5 and 16 classes.
    Dense-exact, in training and for maps.

    Shapes: (N, in_channels, window, window) or (N, 1, in_channels, window, window) to
    (N, num_classes) logits.

    Args:
        in_channels: bands.
        num_classes: classes.
        window: side of the window in pixels, odd and at least 5.

    Raises:
        ShapeError: a window that is even or too small.
    """

    #: What the two kernels of 3×3 pixels take away.
    margin = 4
    #: The smallest window.
    least_window = 5

    def __init__(self, in_channels: int, num_classes: int, window: int = 5) -> None:
        super().__init__()
        check_window("cnn3d", window, self.least_window)
        self.window = window
        self.volume = nn.Sequential()
        channels, bands = 1, in_channels
        for width, kernel, step in _LAYERS:
            self.volume.append(
                ConvNormAct(channels, width, kernel, dim=3, stride=(step, 1, 1), padding=(1, 0, 0))
            )
            channels, bands = width, (bands + 2 - kernel[0]) // step + 1
        side = window - self.margin
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * bands * side * side, num_classes)
        )

    def features(self, cubes: Tensor) -> Tensor:
        """The convolutions: (N, in_channels, h, w) to (N, kernels × bands, h − 4, w − 4)."""
        features: Tensor = self.volume(cubes.unsqueeze(1)).flatten(1, 2)
        return features
