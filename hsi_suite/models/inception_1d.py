"""Inception modules over one pixel's spectrum."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ..backbones.conv import ConvNormAct
from ..backbones.inception_v1 import inception_v1
from .inputs import check_bands, check_single_pixel

_LEAST_BANDS = 16


class Inception1D(nn.Module):
    """GoogLeNet's modules (Szegedy et al., CVPR 2015, figure 2b) along one pixel's spectrum.

    32 kernels of 7 bands, then three Inception modules of 64, 96 and 128 channels with batch norm,
    whose branches look at 1, 3 and 5 bands; each of these four halves the spectrum by a maximum.
    What is left of it goes to the fully connected layer as it is, for it matters at which bands
    a feature lies. Not a published network. It sees single pixels, so there is nothing for whole
    scenes to share; in training batch norm looks at the batch.

    Shapes: (N, in_channels, 1, 1) to (N, num_classes) logits.

    Args:
        in_channels: bands, at least 16.
        num_classes: classes.
        window: 1; the network sees one pixel.
        dropout: share of features dropped before the fully connected layer.

    Raises:
        ShapeError: too few bands, or a window other than 1.
    """

    def __init__(
        self, in_channels: int, num_classes: int, window: int = 1, dropout: float = 0.4
    ) -> None:
        super().__init__()
        check_bands("Inception1D", in_channels, _LEAST_BANDS)
        check_single_pixel("Inception1D", window)
        style: Any = {"dim": 1, "norm": "batch"}
        self.spectrum = nn.Sequential(ConvNormAct(1, 32, 7, **style), nn.MaxPool1d(2))
        channels, length = 32, in_channels // 2
        for width in (64, 96, 128):
            self.spectrum.extend([inception_v1(channels, width, **style), nn.MaxPool1d(2)])
            channels, length = width, length // 2
        self.spectrum.append(nn.Flatten())
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels * length, num_classes))

    def features(self, cubes: Tensor) -> Tensor:
        """What the head sees of each pixel: (N, in_channels, h, w) to (N, features, h, w)."""
        spectra = cubes.movedim(1, -1)
        features: Tensor = self.spectrum(spectra.reshape(-1, 1, spectra.shape[-1]))
        return features.reshape(*spectra.shape[:-1], -1).movedim(-1, 1)

    def window_equivariant(self, training: bool) -> bool:
        """True for maps, where no layer looks beyond one pixel; batch norm does in training."""
        return not training

    def forward(self, windows: Tensor) -> Tensor:
        """Logits of spectra; see the class for shapes."""
        logits: Tensor = self.head(self.spectrum(windows.flatten(1).unsqueeze(1)))
        return logits
