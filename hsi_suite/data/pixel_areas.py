"""What a pixel covers on the ground, from a scene's georeference."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .formats.georeferencing import is_geographic, simple_epsg
from .formats.reprojection import of_system
from .scene import Georeference

# Semi-major axis in m and inverse flattening of the ellipsoids of common geographic systems.
_ELLIPSOIDS = {
    4326: (6378137.0, 298.257223563),
    4269: (6378137.0, 298.257222101),
    4267: (6378206.4, 294.978698214),
}
_ELLIPSOID = re.compile(r'(?:SPHEROID|ELLIPSOID)\["[^"]*",\s*([\d.eE+]+),\s*([\d.eE+]+)')


class EqualArea:
    """Coordinates of a reference system brought to a plane in m that keeps areas.

    Of a projected system it is the system itself in m. Degrees go through the cylindrical
    equal-area projection of the system's ellipsoid (J. P. Snyder, "Map projections: a working
    manual", USGS Professional Paper 1395 (1987), equations 10-14, 10-15 and 3-12), which keeps the
    edges of pixels along meridians and parallels straight: their areas are exact.

    Args:
        metres: how long a unit of a projected system is; None for degrees.
        ellipsoid: semi-major axis in m and inverse flattening (0: a sphere), for degrees.
        radians: of a unit of angle, which may be a grad instead.
    """

    def __init__(
        self,
        metres: float | None,
        ellipsoid: tuple[float, float] = (1.0, 0.0),
        radians: float = math.pi / 180,
    ) -> None:
        self._metres = metres
        self._radians = radians
        self._axis, inverse = ellipsoid
        flattening = 1 / inverse if inverse else 0.0
        self._eccentricity = math.sqrt(flattening * (2 - flattening))

    @classmethod
    def of(cls, georeference: Georeference | None) -> EqualArea | None:
        """That of a georeference; None where the unit of its coordinates is not known."""
        if georeference is None or georeference.crs is None:
            return None
        epsg = simple_epsg(georeference.crs)
        if epsg is None:
            return of_system(georeference.crs, _plane_of)
        return cls(None, _ELLIPSOIDS[epsg]) if is_geographic(epsg) else cls(1.0)

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points × (x, y) in the plane."""
        if self._metres is not None:
            return points * self._metres
        angles = points * self._radians
        sine, e = np.sin(angles[:, 1]), self._eccentricity
        authalic = 2 * sine
        if e:
            authalic = (1 - e * e) * (sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e)
        return np.column_stack([self._axis * angles[:, 0], self._axis / 2 * authalic])


def line_areas(georeference: Georeference | None, lines: int) -> NDArray[np.float64] | None:
    """Area of a pixel of each line in m²; None where the georeference does not say.

    Lines of a rotated grid in degrees are taken as large as their first pixels.

    Args:
        georeference: of the raster.
        lines: its number of lines.
    """
    plane = EqualArea.of(georeference)
    if plane is None or georeference is None:
        return None
    a, b, c, d, e, f = georeference.transform
    line = np.arange(lines, dtype=np.float64)
    corners = [
        plane(np.column_stack([a * x + b * (line + y) + c, d * x + e * (line + y) + f]))
        for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]
    first, second = corners[2] - corners[0], corners[3] - corners[1]
    areas: NDArray[np.float64] = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2
    return areas if np.isfinite(areas).all() and (areas > 0).all() else None


def _plane_of(system: Any) -> EqualArea | None:
    """That of a `rasterio.crs.CRS`."""
    if system.is_geographic:
        found = _ELLIPSOID.search(system.to_wkt())
        if found is None:
            return None
        ellipsoid = float(found[1]), float(found[2])
        return EqualArea(None, ellipsoid, float(system.units_factor[1]))
    return EqualArea(float(system.linear_units_factor[1])) if system.is_projected else None
