"""A linear layer over every square of a scene's features: the same as a large convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# Measured, see docs/decisions/0003-dense-training.md: below this side of the squares the plain
# convolution is faster, and below this many products (for each pair of channels) the transform
# of the layer's weights does not pay.
_LEAST_SIDE = 9
_LEAST_PRODUCTS = 2_000_000
_LEAST_TILE = 32
# Transforms round relative to the largest values (4e-7): beside such outliers that is too much.
# Measured on scenes: 2 to 8, features of the brightest place against those of the darker ones.
_OUTLYING = 50


class SlidingLinear:
    """Applies a linear layer to the square of features around each place.

    Large squares over large scenes go by Fourier transforms of overlapping tiles (overlap-save),
    which need a tenth to a thirtieth of the multiplications and round less in sum. Their error is
    relative to the largest values in a tile, not to those in a square, so features with outliers
    go by convolution. So does everything under autocast, for which there are no transforms.

    Args:
        layer: over depth × side × side features.
        side: of the squares.
        places: about how many squares there will be in all.
    """

    def __init__(self, layer: nn.Linear, side: int, places: int) -> None:
        self.side = side
        self.bias = layer.bias
        self.kernels = layer.weight.reshape(layer.out_features, -1, side, side)
        self.tile = _tile(side)
        self._spectrum: Tensor | None = None
        if _pays(side, places) and not torch.is_autocast_enabled(layer.weight.device.type):
            transform = torch.fft.rfft2(self.kernels, s=(self.tile, self.tile)).conj()
            # frequencies × outputs × depth; the conjugate makes it a correlation, as layers are.
            self._spectrum = transform.flatten(2).permute(2, 0, 1).contiguous()

    def __call__(self, features: Tensor) -> Tensor:
        """The layer's outputs, (out, h, w), for features of (depth, h + side − 1, w + side − 1)."""
        if self._spectrum is None or _outliers(features):
            return functional.conv2d(features.unsqueeze(0), self.kernels, self.bias)[0]
        sums = self._correlate(features, self._spectrum)
        return sums if self.bias is None else sums + self.bias[:, None, None]

    def _correlate(self, features: Tensor, spectrum: Tensor) -> Tensor:
        tile, fresh = self.tile, self.tile - self.side + 1
        lines, samples = (size - self.side + 1 for size in features.shape[1:])
        down, across = -(-lines // fresh), -(-samples // fresh)
        beyond = (0, across * fresh - samples, 0, down * fresh - lines)
        tiles = functional.pad(features, beyond).unfold(1, tile, fresh).unfold(2, tile, fresh)
        transform = torch.fft.rfft2(tiles).flatten(3).permute(3, 0, 1, 2).flatten(2)
        product = torch.bmm(spectrum, transform.contiguous())
        product = product.permute(1, 2, 0).reshape(-1, down, across, tile, tile // 2 + 1)
        sums: Tensor = torch.fft.irfft2(product, s=(tile, tile))[..., :fresh, :fresh]
        sums = sums.transpose(2, 3).reshape(-1, down * fresh, across * fresh)
        return sums[:, :lines, :samples]


def sliding_bytes(layer: nn.Linear, side: int, places: int, at_once: int) -> int:
    """About the most memory that a `SlidingLinear` takes, beside the features it is given.

    Args:
        layer: as there.
        side: as there.
        places: as there.
        at_once: how many squares one call is for.
    """
    depth, tile = layer.in_features // side**2, _tile(side)
    if not _pays(side, places):
        return 4 * at_once * layer.out_features
    frequencies, squares = tile * (tile // 2 + 1), -(-at_once // (tile - side + 1) ** 2)
    # While the layer is transformed; then the tiles, their transforms, products and sums.
    weights = layer.out_features * depth * (4 * tile**2 + 16 * frequencies)
    kept = layer.out_features * depth * 8 * frequencies
    tiles = depth * (4 * tile**2 + 16 * frequencies)
    sums = layer.out_features * (4 * tile**2 + 16 * frequencies)
    return max(weights, kept + squares * (tiles + sums))


def _outliers(features: Tensor) -> bool:
    """Whether some place's features are far larger than those of most."""
    peaks = features.abs().amax(0).flatten()
    # Sorted: kthvalue has no deterministic form on CUDA before torch's pull request 165762 (2025).
    typical = peaks.sort().values[len(peaks) // 4]
    return bool(peaks.max() > _OUTLYING * typical)


def _tile(side: int) -> int:
    return max(_LEAST_TILE, 16 * -(-(side - 1) // 8))


def _pays(side: int, places: int) -> bool:
    return side >= _LEAST_SIDE and places * side**2 >= _LEAST_PRODUCTS
