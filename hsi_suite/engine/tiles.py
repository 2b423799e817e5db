"""The one tiler: an array in parts, each with enough around it that nothing shows at the seams."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import ConfigError

Region = tuple[slice, slice]


@dataclass(frozen=True)
class Tiling:
    """How an image is cut for a network.

    A network whose outputs depend on pixels within `radius` gives a tile the values it gives the
    whole image, if the tile is handed over with that much around it. Where the network works on
    cells (a U-Net halves its resolution several times), a piece has to begin and end where cells
    do. At the image's own border a piece ends with the image, so that padding acts as on the
    whole.

    Attributes:
        side: of the square tiles, without what is around them; None for one tile.
        radius: how far the network looks.
        multiple: side of the network's cells.
    """

    side: int | None
    radius: int
    multiple: int

    def tiles(self, shape: tuple[int, int]) -> Iterator[Region]:
        """The tiles of an image of lines × samples: they cover it once, without overlap."""
        lines, samples = shape
        side = self.side or max(shape)
        for line in range(0, lines, side):
            for sample in range(0, samples, side):
                yield (
                    slice(line, min(line + side, lines)),
                    slice(sample, min(sample + side, samples)),
                )

    def count(self, shape: tuple[int, int]) -> int:
        """Number of tiles."""
        side = self.side or max(shape)
        return math.prod(-(-size // side) for size in shape)

    def surroundings(self, tile: Region, shape: tuple[int, int]) -> tuple[Region, Region]:
        """What to hand to the network for a tile, and where the tile lies in its answer.

        Args:
            tile: any part of the image.
            shape: lines and samples of the image.

        Returns:
            A region of the image, and a region of that region.
        """
        pieces = [
            self._piece(part.start, part.stop, size) for part, size in zip(tile, shape, strict=True)
        ]
        inner = [
            slice(part.start - piece.start, part.stop - piece.start)
            for part, piece in zip(tile, pieces, strict=True)
        ]
        return (pieces[0], pieces[1]), (inner[0], inner[1])

    def _piece(self, start: int, stop: int, size: int) -> slice:
        first = max(0, (start - self.radius) // self.multiple * self.multiple)
        last = -(-(stop + self.radius) // self.multiple) * self.multiple
        return slice(first, min(last, size))


def side_within(pixels: int, shape: tuple[int, int], radius: int, multiple: int) -> int | None:
    """The longest side of tiles whose pieces have at most `pixels` pixels; None for one tile.

    Args:
        pixels: that fit in memory at once.
        shape: lines and samples of the image.
        radius: how far the network looks.
        multiple: side of its cells.

    Raises:
        ConfigError: not even a small tile fits.
    """
    if math.prod(shape) <= pixels:
        return None
    around = 2 * (radius + multiple)
    side = math.isqrt(max(pixels, 0)) - around
    if side < max(multiple, around // 4):
        smallest = max(multiple, around // 4) + around
        raise ConfigError(
            "memory limit",
            f"room for a tile of {max(pixels, 0):,} pixels",
            f"at least {smallest} × {smallest} with its surroundings",
            "raise --memory-limit",
        )
    return side // multiple * multiple
