"""Large squares of weights over a scene's features by Fourier transforms, as matrix products.

Tiles overlap by what the squares reach (overlap-save). Transforms of small squares are products
with small matrices: on processors these run several times faster than general transforms, and a
tile's padding and what is thrown away of it cost nothing. Numbers lie column, line, tile, channel,
so that no step but the first and last moves them about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..matrix_products import product

#: Sides of tiles to choose from: larger ones need less for each place and more memory.
_TILES = (32, 48)
_FLOAT = 4


@dataclass(frozen=True)
class _Transforms:
    """Matrices of the transforms of tiles along columns, then lines, and back.

    A number of a spectrum stands as three: real plus imaginary part, imaginary, real. Multiplied
    by three of the kernel's they give the complex product in three multiplications instead of
    four (Gauss).

    Attributes:
        columns: 2 · frequencies × tile; a real and an imaginary row for each frequency.
        lines: 3 · tile × 2 · tile, of a tile's real and then imaginary values; its third rows too.
        kernel_lines: the same for the kernel, 3 · tile × 2 · side, conjugated and combined.
        back_lines: 2 · fresh × 2 · tile.
        back_columns: fresh × 2 · frequencies.
    """

    columns: Tensor
    lines: Tensor
    kernel_lines: Tensor
    back_lines: Tensor
    back_columns: Tensor


class FourierCorrelation:
    """Weights of squares, transformed once, over features.

    Rounding is relative to the largest values in a tile, not to those in a square. There are no
    gradients.

    Args:
        weight: outputs × (depth · side · side), as of a linear layer.
        side: of the squares.
        places: about how many squares there will be in all.
    """

    @torch.no_grad()
    def __init__(self, weight: Tensor, side: int, places: int) -> None:
        self.outputs, self.side = len(weight), side
        self.depth = weight.shape[1] // side**2
        self.tile = tile_side(side, self.outputs, self.depth, places)
        self._transforms = _transforms(self.tile, side, weight)
        squares = weight.t().reshape(self.depth, side, side, self.outputs)
        by_column = squares.permute(2, 1, 0, 3).reshape(side, -1)
        channels = self.depth * self.outputs
        spectrum = product(self._transforms.columns[:, :side].contiguous(), by_column.t())
        # As large as the weights, each, and the kernels are five times that.
        del squares, by_column
        self._kernels = [
            product(self._transforms.kernel_lines, column.t())
            for column in spectrum.reshape(-1, 2 * side, channels)
        ]

    @torch.no_grad()
    def __call__(self, features: Tensor) -> Tensor:
        """The sums of the weighted squares, h × w × outputs.

        Args:
            features: depth × (h + side − 1) × (w + side − 1), in the type of the weights.
        """
        tile, fresh = self.tile, self.tile - self.side + 1
        lines, samples = (size - self.side + 1 for size in features.shape[1:])
        down, across = -(-lines // fresh), -(-samples // fresh)
        beyond = (0, 0, 0, across * fresh - samples, 0, down * fresh - lines)
        padded = functional.pad(features.permute(1, 2, 0).contiguous(), beyond)
        tiles = padded.unfold(0, tile, fresh).unfold(1, tile, fresh).permute(4, 3, 0, 1, 2)
        spectra = product(self._transforms.columns, tiles.reshape(tile, -1).t())
        spectra = spectra.reshape(-1, 2 * tile, down * across * self.depth)
        sums = self._products(spectra, down * across)
        sums = sums.reshape(fresh, fresh, down, across, self.outputs).permute(2, 1, 3, 0, 4)
        return sums.reshape(down * fresh, across * fresh, -1)[:lines, :samples]

    def _products(self, spectra: Tensor, tiles: int) -> Tensor:
        """Fresh columns × (fresh lines · tiles · outputs) of tiles that are transformed by columns.

        One frequency of the columns after the other, whose numbers fit into caches.
        """
        fresh = self.tile - self.side + 1
        sums = spectra.new_empty(2, self.tile, tiles, self.outputs)
        back = spectra.new_empty(len(spectra), 2 * fresh, tiles * self.outputs)
        for column, kernels, half_back in zip(spectra, self._kernels, back, strict=True):
            self._multiply(column, kernels, sums)
            half_back.copy_(
                product(self._transforms.back_lines, sums.reshape(2 * self.tile, -1).t())
            )
        return product(self._transforms.back_columns, back.reshape(2 * len(back), -1).t())

    def _multiply(self, column: Tensor, kernels: Tensor, sums: Tensor) -> None:
        """Fill in the spectrum of the sums of one frequency, real and imaginary parts."""
        real, imaginary = sums
        given = product(self._transforms.lines, column.t()).reshape(3, self.tile, -1, self.depth)
        weights = kernels.reshape(3, self.tile, self.depth, self.outputs)
        torch.bmm(given[0], weights[0], out=real)
        imaginary.copy_(real)
        real.baddbmm_(given[1], weights[1])
        imaginary.baddbmm_(given[2], weights[2])


def correlation_bytes(outputs: int, depth: int, side: int, places: int, at_once: int) -> float:
    """About the most memory that a `FourierCorrelation` takes, beside the features it is given.

    Args:
        outputs: of the layer.
        depth: of the features.
        side: as there.
        places: as there.
        at_once: how many squares one call is for.
    """
    tile = tile_side(side, outputs, depth, places)
    frequencies, fresh = tile // 2 + 1, tile - side + 1
    tiles = -(-at_once // fresh**2)
    kept = 3 * frequencies * tile * depth * outputs
    kernels = 2 * frequencies * side * depth * outputs
    given = tiles * depth * (tile**2 + 2 * frequencies * tile + 3 * tile)
    product = tiles * outputs * (2 * tile + 2 * (frequencies + 1) * fresh)
    sums = tiles * outputs * (2 * frequencies * fresh + 2 * fresh**2)
    return float(_FLOAT * (kept + max(kernels, given + product, sums)))


def tile_side(side: int, outputs: int, depth: int, places: int) -> int:
    """The side of tiles that needs the fewest multiplications, with the kernels' own.

    Args:
        side: of the squares.
        outputs: of the layer.
        depth: of the features.
        places: about how many squares there will be in all.
    """
    least = 16 * -(-(side - 1) // 8)
    return min(
        (max(tile, least) for tile in _TILES),
        key=lambda tile: _products(tile, outputs, depth, side, places),
    )


def correlation_products(outputs: int, depth: int, side: int, places: int) -> float:
    """Multiplications of a `FourierCorrelation`, those of its kernels included.

    Args:
        outputs: of the layer.
        depth: of the features.
        side: of the squares.
        places: about how many squares there will be in all.
    """
    tile = tile_side(side, outputs, depth, places)
    return _products(tile, outputs, depth, side, places)


def _products(tile: int, outputs: int, depth: int, side: int, places: int) -> float:
    frequencies, fresh = tile // 2 + 1, tile - side + 1
    kernels = depth * outputs * 2 * frequencies * side * (side + 3 * tile)
    given = depth * 2 * frequencies * tile * (tile + 3 * tile)
    product = 3 * frequencies * tile * depth * outputs
    back = outputs * 2 * frequencies * fresh * (2 * tile + fresh)
    return kernels + -(-places // fresh**2) * (given + product + back)


def _transforms(tile: int, side: int, like: Tensor) -> _Transforms:
    """The matrices for tiles and squares of some sides, in the type of `like` and where it is."""
    fresh, half = tile - side + 1, tile // 2 + 1
    places = torch.arange(tile, dtype=torch.float64)
    angles = 2 * math.pi / tile * torch.outer(places, places)
    cosine, sine = angles.cos(), angles.sin()
    # exp(−iφ) of the values of a line, of which the real part comes before the imaginary one.
    real, imaginary = torch.cat([cosine, sine], 1), torch.cat([-sine, cosine], 1)
    kernel_real, kernel_imaginary = (
        torch.cat([rows[:, :side], rows[:, tile : tile + side]], 1) for rows in (real, imaginary)
    )
    # A spectrum's first and, the sides being even, last column have no mirror image.
    weights = torch.full((half,), 2.0, dtype=torch.float64)
    weights[[0, -1]] = 1
    back_cosine, back_sine = cosine[:fresh] / tile, sine[:fresh] / tile
    matrices = _Transforms(
        columns=torch.stack([cosine[:half], -sine[:half]], 1).flatten(0, 1),
        lines=torch.cat([real + imaginary, imaginary, real]),
        kernel_lines=torch.cat(
            [kernel_real, kernel_imaginary - kernel_real, -kernel_real - kernel_imaginary]
        ),
        back_lines=torch.cat(
            [torch.cat([back_cosine, -back_sine], 1), torch.cat([back_sine, back_cosine], 1)]
        ),
        back_columns=torch.stack(
            [back_cosine[:, :half] * weights, -back_sine[:, :half] * weights], 2
        ).flatten(1),
    )
    return _Transforms(**{name: matrix.to(like) for name, matrix in vars(matrices).items()})
