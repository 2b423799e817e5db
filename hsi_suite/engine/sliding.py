"""A linear layer over every square of a scene's features: the same as a large convolution."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from .fourier import FourierCorrelation, correlation_bytes, correlation_products
from .precision import products_in

# Measured, see docs/decisions/0003-dense-training.md: below this side of the squares the plain
# convolution is faster, and below this many products (for each pair of channels) the transform
# of the layer's weights does not pay.
_LEAST_SIDE = 9
_LEAST_PRODUCTS = 2_000_000
# What one multiply-add of the transforms' small products takes, against one of a convolution.
_FOURIER_EFFORT = 3.0
# Transforms round relative to the largest values (1e-6): beside such outliers that is too much.
# Measured on scenes: 2 to 8, features of the brightest place against those of the darker ones.
_OUTLYING = 50


class SlidingLinear:
    """Applies a linear layer to the square of features around each place.

    Large squares over large scenes go by Fourier transforms, which need a tenth to a thirtieth of
    the multiplications. Their error is relative to the largest values in a tile, not to those in a
    square, so features with outliers go by convolution. On processors transforms and their products
    are in the type of the weights under autocast too, which is faster than a convolution in bf16
    and rounds less; on other devices autocast means convolution. TF32 is for convolutions alone:
    of transforms it would leave less beside bright places.

    Args:
        layer: over depth × side × side features.
        side: of the squares.
        places: about how many squares there will be in all.
    """

    def __init__(self, layer: nn.Linear, side: int, places: int) -> None:
        self.side = side
        self.bias = layer.bias
        self.kernels = layer.weight.reshape(layer.out_features, -1, side, side)
        self.fourier: FourierCorrelation | None = None
        device = layer.weight.device.type
        if _pays(side, places) and (device == "cpu" or not torch.is_autocast_enabled(device)):
            with _in_full(layer.weight.device):
                self.fourier = FourierCorrelation(layer.weight, side, places)

    def __call__(self, features: Tensor) -> Tensor:
        """The layer's outputs, (h, w, out), for features of (depth, h + side − 1, w + side − 1)."""
        if self.fourier is None or _outliers(features):
            convolved = functional.conv2d(features.unsqueeze(0), self.kernels, self.bias)[0]
            return convolved.permute(1, 2, 0)
        with _in_full(features.device):
            sums = self.fourier(features.to(self.kernels.dtype))
        return sums if self.bias is None else sums + self.bias


def sliding_effort(layer: nn.Linear, side: int, places: int) -> float:
    """What a `SlidingLinear` costs, in multiply-adds of convolutions.

    Args:
        layer: as there.
        side: as there.
        places: as there.
    """
    if not _pays(side, places):
        return float(places * layer.weight.numel())
    depth = layer.in_features // side**2
    return _FOURIER_EFFORT * correlation_products(layer.out_features, depth, side, places)


def sliding_bytes(layer: nn.Linear, side: int, places: int, at_once: int) -> float:
    """About the most memory that a `SlidingLinear` takes, beside the features it is given.

    Args:
        layer: as there.
        side: as there.
        places: as there.
        at_once: how many squares one call is for.
    """
    if not _pays(side, places):
        return 4.0 * at_once * layer.out_features
    depth = layer.in_features // side**2
    return correlation_bytes(layer.out_features, depth, side, places, at_once)


@contextmanager
def _in_full(device: torch.device) -> Iterator[None]:
    """Compute in the type of the weights, whatever is asked for around."""
    with products_in("fp32", device), torch.autocast(device.type, enabled=False):
        yield


def _outliers(features: Tensor) -> bool:
    """Whether some place's features are far larger than those of most."""
    peaks = features.abs().amax(0).flatten()
    # Sorted: kthvalue has no deterministic form on CUDA before torch's pull request 165762 (2025).
    typical = peaks.sort().values[len(peaks) // 4]
    return bool(peaks.max() > _OUTLYING * typical)


def _pays(side: int, places: int) -> bool:
    return side >= _LEAST_SIDE and places * side**2 >= _LEAST_PRODUCTS
