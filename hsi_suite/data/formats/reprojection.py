"""Places on the ground in another reference system, by rasterio."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]


def reprojected(places: Places, own: str, to: str) -> Places:
    """Places in another reference system; not finite where they have no image in it.

    Args:
        places: 2 × N, x before y.
        own: their reference system.
        to: the other one.

    Raises:
        ImportError: rasterio is not installed.
        rasterio.errors.CRSError: a system is not known.
    """
    from rasterio.crs import CRS
    from rasterio.env import Env

    with Env():
        systems = CRS.from_user_input(own), CRS.from_user_input(to)
        return _placed(places, *systems)


def _placed(places: Places, own: object, to: object) -> Places:
    from rasterio.warp import transform

    if not places.size:
        return places
    try:
        return np.stack(transform(own, to, *places)).astype(np.float64)
    except Exception:  # GDAL's errors have no public class; one place is enough to refuse all
        if places.shape[1] == 1:
            return np.full((2, 1), np.inf)
        halves = np.array_split(places, 2, axis=1)
        return np.concatenate([_placed(half, own, to) for half in halves], axis=1)
