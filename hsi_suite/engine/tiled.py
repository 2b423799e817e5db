"""Batches drawn tile by tile: a step then needs the features of a few tiles of a scene alone.

This is another sampling: the pixels of a batch are neighbours of each other, so that batches
differ more and have fewer classes each. What a network makes of a given batch is exact, as in
`engine.dense`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .dense import neighbourhood_logits
from .task import WindowNetwork


@dataclass(frozen=True)
class TileGrid:
    """A scene cut into squares, from its first line and sample on; pixels are flat indices.

    Attributes:
        samples: of the scene.
        side: of the squares. With 8, batches of 256 pixels of the usual scenes come from about 20
            squares, whose features cost a sixth of those of the windows; see
            docs/decisions/0003-dense-training.md.
    """

    samples: int
    side: int = 8

    @property
    def across(self) -> int:
        """Tiles side by side."""
        return -(-self.samples // self.side)

    def tiles(self, pixels: Tensor) -> Tensor:
        """The tile of each pixel, counted line by line."""
        lines, samples = pixels // self.samples, pixels % self.samples
        return lines // self.side * self.across + samples // self.side

    def order(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """The pixels in a random order in which those of a tile follow each other."""
        mixed = pixels[torch.randperm(len(pixels), generator=generator)]
        tiles = self.tiles(mixed)
        ranks = torch.randperm(int(tiles.max()) + 1, generator=generator)
        return mixed[torch.argsort(ranks[tiles], stable=True)]

    def count(self, pixels: Tensor, batch_size: int) -> int:
        """About how many tiles the batches of an epoch hold in all; most ends of batches cut one.

        The true number changes a little with the order.
        """
        return len(torch.unique(self.tiles(pixels))) + (len(pixels) - 1) // batch_size

    def cut(self, padded: Tensor) -> Tensor:
        """A view of a padded scene as tiles with what their pixels' windows reach beyond them.

        Args:
            padded: the zero-padded scene, components × (lines + 2·radius) × (samples + 2·radius).

        Returns:
            Lines of tiles × tiles side by side × components × size × size, the size being
            side + 2·radius; the last ones in each direction may end in zeros.
        """
        size = self.side + padded.shape[2] - self.samples
        beyond = self.side - 1
        padded = functional.pad(padded, (0, beyond, 0, beyond))
        return padded.unfold(1, size, self.side).unfold(2, size, self.side).permute(1, 2, 0, 3, 4)


def tile_logits(network: WindowNetwork, grid: TileGrid, cells: Tensor, pixels: Tensor) -> Tensor:
    """Logits (N, classes) of some pixels from the features of their tiles; for training.

    Args:
        network: one that `engine.dense.runs_dense`.
        grid: cuts the scene.
        cells: what it cuts it into, see `TileGrid.cut`.
        pixels: N flat indices, on the device of the scene.
    """
    tiles, which = torch.unique(grid.tiles(pixels), return_inverse=True)
    features = network.features(cells[tiles // grid.across, tiles % grid.across])
    width = features.shape[3]
    table = features.permute(0, 2, 3, 1).flatten(0, 2)
    lines, samples = pixels // grid.samples % grid.side, pixels % grid.samples % grid.side
    corners = which * width**2 + lines * width + samples
    return neighbourhood_logits(network, table, width, corners)
