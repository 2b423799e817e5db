"""In which pixel of a grid a place on the ground lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .scene import Georeference

# Of a pixel. More than arithmetic and reprojection round, less than any grid is meant to differ by.
_ROUNDING = 1e-6


def holding_pixels(
    grid: Georeference, size: tuple[int, int], places: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """The pixels in which places lie.

    A pixel holds its first line and sample edge and not its last. Places that are less than a
    millionth of a pixel before an edge count as on it: where the centres of one grid lie on the
    edges of another, rounding would take now this pixel, now that one.

    Args:
        grid: where the raster lies; one that cannot be inverted holds nothing.
        size: its lines and samples.
        places: x and y of N places in the grid's system, 2 × N; those that are not finite, as
            places without an image in a system are, lie nowhere.

    Returns:
        N values, True for the places that lie in the raster, then line and sample of those alone.
    """
    a, b, c, d, e, f = grid.transform
    lines, samples = size
    with np.errstate(all="ignore"):
        x, y = places[0] - c, places[1] - f
        determinant = np.float64(a * e - b * d)
        sample = np.floor((e * x - b * y) / determinant + _ROUNDING)
        line = np.floor((a * y - d * x) / determinant + _ROUNDING)
        inside: NDArray[np.bool_] = (line >= 0) & (line < lines)
        inside &= (sample >= 0) & (sample < samples)
    return inside, line[inside].astype(np.int64), sample[inside].astype(np.int64)
