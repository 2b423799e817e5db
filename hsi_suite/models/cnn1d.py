"""A small 1-D network over one pixel's spectrum."""

from __future__ import annotations

import math

from torch import Tensor, nn

from ..backbones.conv import ConvNormAct
from .inputs import check_bands, check_single_pixel

_LEAST_BANDS = 9
_POOLED = 40
_WIDTH = 100


class CNN1D(nn.Module):
    """The 1-D CNN of Hu, Huang, Wei, Zhang, Li (Journal of Sensors 2015, section 3.1).

    One convolution of 20 kernels over a ninth of the spectrum, max-pooling to about 40 values,
    a fully connected layer of 100; tanh throughout.

    Shapes: (N, in_channels, 1, 1) to (N, num_classes) logits.

    Args:
        in_channels: bands, at least 9.
        num_classes: classes.
        window: 1; the network sees one pixel.

    Raises:
        ShapeError: too few bands, or a window other than 1.
    """

    def __init__(self, in_channels: int, num_classes: int, window: int = 1) -> None:
        super().__init__()
        check_bands("cnn1d", in_channels, _LEAST_BANDS)
        check_single_pixel("cnn1d", window)
        kernel = math.ceil(in_channels / 9)
        length = in_channels - kernel + 1
        pool = math.ceil(length / _POOLED)
        self.spectrum = nn.Sequential(
            ConvNormAct(1, 20, kernel, dim=1, padding="valid", activation="tanh"),
            nn.MaxPool1d(pool),
            nn.Flatten(),
            nn.Linear(20 * (length // pool), _WIDTH),
            nn.Tanh(),
        )
        self.head = nn.Linear(_WIDTH, num_classes)

    def features(self, cubes: Tensor) -> Tensor:
        """What the head sees of each pixel: (N, in_channels, h, w) to (N, 100, h, w)."""
        spectra = cubes.movedim(1, -1)
        features: Tensor = self.spectrum(spectra.reshape(-1, 1, spectra.shape[-1]))
        return features.reshape(*spectra.shape[:-1], _WIDTH).movedim(-1, 1)

    def window_equivariant(self, training: bool) -> bool:
        """Always true: no layer looks beyond one pixel or, in training, at the batch."""
        return True

    def forward(self, windows: Tensor) -> Tensor:
        """Logits of spectra; see the class for shapes."""
        logits: Tensor = self.head(self.spectrum(windows.flatten(1).unsqueeze(1)))
        return logits
