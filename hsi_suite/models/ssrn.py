"""SSRN: residual learning over the spectrum, then over the window."""

from __future__ import annotations

from torch import Tensor, nn

from ..backbones.conv import ConvNormAct, NormActConv
from ..backbones.dimension import Style, batch_norm
from ..backbones.heads import GlobalAverageHead
from ..backbones.residual import preactivation_residual
from ..backbones.window_classifier import WindowClassifier
from .inputs import check_bands, check_window

_SPECTRAL_KERNEL = 7
_LEAST_WINDOW = 3


class SSRN(WindowClassifier):
    """The spectral-spatial residual network of Zhong, Li, Luo, Chapman (IEEE TGRS 56(2), 2018).

    As published, for 7×7 windows of 200 bands: 24 kernels of 7 bands and stride 2 (to 97), two
    residual blocks of two convolutions of 24 such kernels each, 128 kernels over all 97 bands; then
    24 kernels of 3×3 over those 128 (to 5×5), two residual blocks of two convolutions of 24 3×3
    kernels each, the mean over the window, dropout of one half and the fully connected layer; batch
    norm and ReLU with every convolution. The residual blocks pad with zeros.

    Our reading: in the residual blocks, and once more after the last one of each part, norm and
    ReLU come before the convolution (as in the authors' program; the 128 maps have theirs before
    the 24 kernels of 3×3), no convolution has a bias, and for other spectra the 97 become what
    stride 2 leaves of them. 363,848 parameters at 200 bands and 16 classes.

    The spectral part looks at single pixels. Maps are dense-exact up to its end, nearly all of the
    cost, and see each window apart in the spatial part. Training is by windows, as batch
    norm looks at the batch.

    Shapes: (N, in_channels, window, window) or (N, 1, in_channels, window, window) to
    (N, num_classes) logits.

    Args:
        in_channels: bands, at least 7.
        num_classes: classes.
        window: side of the window in pixels, odd and at least 3.
        dropout: share of features dropped before the fully connected layer.

    Raises:
        ShapeError: too few bands, or a window that is even or too small.
    """

    HEAD = "spatial"
    #: The spectral part takes no pixels away.
    margin = 0

    def __init__(
        self, in_channels: int, num_classes: int, window: int = 7, dropout: float = 0.5
    ) -> None:
        super().__init__()
        check_bands("SSRN", in_channels, _SPECTRAL_KERNEL)
        check_window("SSRN", window, _LEAST_WINDOW)
        self.window = window
        length = (in_channels - _SPECTRAL_KERNEL) // 2 + 1
        kernel = (_SPECTRAL_KERNEL, 1, 1)
        style: Style = {"dim": 3, "padding": "valid", "norm": "batch"}
        self.spectral = nn.Sequential(
            ConvNormAct(1, 24, kernel, stride=(2, 1, 1), **style),
            *_residual_blocks(kernel, dim=3),
            NormActConv(24, 128, (length, 1, 1), **style),
        )
        self.spatial = nn.Sequential(
            NormActConv(128, 24, 3, dim=2, padding="valid", norm="batch"),
            *_residual_blocks((3, 3), dim=2),
            batch_norm(24, dim=2),
            nn.ReLU(),
            GlobalAverageHead(24, num_classes, dropout=dropout),
        )

    def features(self, cubes: Tensor) -> Tensor:
        """The spectral part: (N, in_channels, h, w) to (N, 128, h, w), any h and w."""
        features: Tensor = self.spectral(cubes.unsqueeze(1))
        return features.squeeze(2)


def _residual_blocks(kernel: tuple[int, ...], dim: int) -> list[nn.Module]:
    """Two blocks of two convolutions with 24 kernels each."""
    style: Style = {"dim": dim, "norm": "batch"}
    return [preactivation_residual(24, 24, kernel_size=kernel, **style) for _ in range(2)]
