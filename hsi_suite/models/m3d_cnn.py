"""M3D-CNN: 3-D convolutions whose kernels are of four lengths along the spectrum."""

from __future__ import annotations

from torch import Tensor, nn

from ..backbones.branches import SummedBranches
from ..backbones.conv import ConvNormAct
from ..backbones.pooling import max_pool
from ..backbones.window_classifier import WindowClassifier
from .inputs import check_bands, check_window

_LEAST_BANDS = 23
_WIDTH = 16
_LENGTHS = (1, 3, 5, 11)


class M3DCNN(WindowClassifier):
    """The multi-scale 3-D CNN of He, Li, Chen (ICIP 2017), M3D-CNN in the tables of others.

    As published, for 7×7 windows of all bands: 16 kernels of 11 bands × 3×3 pixels, with stride 3
    along the spectrum; two blocks in which 16 kernels each of 1, 3, 5 and 11 bands see the same
    input and their outputs are added; 16 kernels of 3 bands × 2×2 pixels; the maximum over cells
    of 3 bands × 2×2 pixels; dropout of 0.6; the fully connected layer.

    Our reading: the layers are those that DeepHyperX (Audebert et al., IEEE GRSM 2019) lists of the
    article; that program declares the maximum and does not apply it, which leaves 15,872 features
    for the 1,280 here. ReLU after the convolutions and after each sum; zeros at the ends of the
    spectrum in the blocks alone. 35,552 parameters at 200 bands, window 7 and 16 classes.

    The convolutions, nearly all of the cost, are dense-exact, in training and for maps; the
    maximum sees the features of each window apart, for it moves by two pixels.

    Shapes: (N, in_channels, window, window) or (N, 1, in_channels, window, window) to
    (N, num_classes) logits.

    Args:
        in_channels: bands, at least 23.
        num_classes: classes.
        window: side of the window in pixels, odd and at least 5.
        dropout: share of features dropped before the fully connected layer.

    Raises:
        ShapeError: too few bands, or a window that is even or too small.
    """

    #: What kernels of 3×3 and of 2×2 pixels take away.
    margin = 3
    #: The smallest window.
    least_window = 5

    def __init__(
        self, in_channels: int, num_classes: int, window: int = 7, dropout: float = 0.6
    ) -> None:
        super().__init__()
        check_bands("m3d_cnn", in_channels, _LEAST_BANDS)
        check_window("m3d_cnn", window, self.least_window)
        self.window = window
        self.volume = nn.Sequential(
            ConvNormAct(1, _WIDTH, (11, 3, 3), dim=3, stride=(3, 1, 1), padding="valid"),
            _lengths_side_by_side(),
            nn.ReLU(),
            _lengths_side_by_side(),
            nn.ReLU(),
            ConvNormAct(_WIDTH, _WIDTH, (3, 2, 2), dim=3, padding="valid"),
        )
        self.bands = (in_channels - 11) // 3 + 1 - 2
        places = ((window - self.margin) // 2) ** 2
        self.head = nn.Sequential(
            nn.Unflatten(1, (_WIDTH, self.bands)),
            max_pool((3, 2, 2), dim=3, stride=(3, 2, 2), padding="valid"),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(_WIDTH * (self.bands // 3) * places, num_classes),
        )

    def features(self, cubes: Tensor) -> Tensor:
        """The convolutions: (N, in_channels, h, w) to (N, kernels × bands, h − 3, w − 3)."""
        features: Tensor = self.volume(cubes.unsqueeze(1)).flatten(1, 2)
        return features


def _lengths_side_by_side() -> nn.Module:
    """Kernels of every length on the same input, their outputs added."""
    kernels = ((length, 1, 1) for length in _LENGTHS)
    return SummedBranches(
        *(ConvNormAct(_WIDTH, _WIDTH, kernel, dim=3, activation=None) for kernel in kernels)
    )
