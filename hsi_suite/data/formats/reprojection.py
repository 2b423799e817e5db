"""Reference systems by rasterio: what they are, and places on the ground in another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError
from .drawn_features import CRS_OPTION

T = TypeVar("T")

Places = NDArray[np.float64]


def of_system(crs: str, question: Callable[[Any], T]) -> T | None:
    """What a reference system answers; None without rasterio, or where it does not know the system.

    Args:
        crs: WKT or "EPSG:n".
        question: is given the `rasterio.crs.CRS`.
    """
    try:
        from rasterio.crs import CRS
        from rasterio.env import Env
        from rasterio.errors import CRSError
    except ImportError:
        return None
    try:
        with Env():
            return question(CRS.from_user_input(crs))
    except CRSError:
        return None


def require_system(crs: str) -> None:
    """Refuse what a user calls a reference system and is none.

    Raises:
        ImportError: rasterio is not installed.
        ConfigError: rasterio knows no such system.
    """
    from rasterio.crs import CRS
    from rasterio.env import Env
    from rasterio.errors import CRSError

    try:
        with Env():
            CRS.from_user_input(crs)
    except CRSError:
        raise ConfigError(
            CRS_OPTION, f"{crs[:60]!r} is no reference system", "EPSG:NUMBER or WKT"
        ) from None


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
