"""What the first of two passes makes of an image, ahead of the second."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...engine.device_memory import TilesInHalves
from ...engine.tiles import Region, Tiling

Values = NDArray[np.float32]


class FirstPass:
    """Planes of the first pass, each computed once, as far down the image as was asked for.

    Args:
        compute: of any part of the image, planes × lines × samples.
        planes: their number.
        shape: lines and samples of the image.
        tiling: how the image is cut for this pass.
    """

    def __init__(
        self,
        compute: Callable[[Region], Values],
        planes: int,
        shape: tuple[int, int],
        tiling: Tiling,
    ) -> None:
        self._parts = TilesInHalves(tiling, compute)
        self._waiting = list(tiling.tiles(shape))[::-1]
        self._planes = np.empty((planes, *shape), np.float32)
        self._done = 0

    def __call__(self, piece: Region) -> Values:
        """Planes × lines × samples of a part of the image."""
        while self._done < piece[0].stop:
            tile = self._waiting[-1]
            for part, values in self._parts(tile):
                self._planes[:, part[0], part[1]] = values
            # Only now: a tile that memory did not hold is asked for again.
            self._waiting.pop()
            if tile[1].stop == self._planes.shape[2]:
                self._done = tile[0].stop
        return self._planes[:, piece[0], piece[1]]
