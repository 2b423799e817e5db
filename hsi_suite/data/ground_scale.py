"""How large a raster's pixels are on the ground, and where north is, at its middle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .formats.georeferencing import is_geographic, simple_epsg, utm_zone
from .formats.reprojection import of_system, reprojected
from .scene import Georeference

# WGS 84: semi-major axis, m, and squared eccentricity.
_AXIS = 6378137.0
_ECCENTRICITY = 0.00669437999014
_GEOGRAPHIC = "EPSG:4326"

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class GroundScale:
    """A raster on the ground.

    Attributes:
        transform: (a, b, c, d, e, f) of its `Georeference`.
        unit: of the coordinates: "degree" of longitude and latitude, "m", another name; "" when
            unknown.
        system: a short name of the reference system; "" when unknown.
        sample_metres: on the ground from one sample to the next, at the middle of the raster;
            None when unknown.
        line_metres: the same from line to line.
        north: of the picture of the raster whose pixels are as large as on the ground, where north
            is: to the right and down, a unit vector; None when unknown.
        true_north: whether that is the direction of the meridian, not of the grid.
    """

    transform: tuple[float, float, float, float, float, float]
    unit: str
    system: str
    sample_metres: float | None = None
    line_metres: float | None = None
    north: tuple[float, float] | None = None
    true_north: bool = False


def ground_scale(georeference: Georeference | None, lines: int, samples: int) -> GroundScale | None:
    """How a raster lies on the ground; None where its coordinates only count pixels.

    Sizes are measured on the ellipsoid, so that those of systems that stretch, as Mercator's, are
    those of the ground. Without rasterio only UTM and longitude and latitude are known, and UTM's
    sizes are those of its grid, within 0.1 %.

    Args:
        georeference: of the raster.
        lines: of it.
        samples: of it.
    """
    if georeference is None or georeference.counts_pixels:
        return None
    crs = georeference.crs
    transform = georeference.transform
    epsg = simple_epsg(crs)
    system = _system_name(crs, epsg)
    geographic = epsg is not None and is_geographic(epsg)
    unit = _unit(crs, epsg)
    found = None if crs is None else _by_longitudes(transform, crs, lines, samples, geographic)
    if found is not None:
        return _scale(transform, unit, system, found, true_north=True)
    if epsg is not None and not geographic:
        a, b, _, d, e, _ = transform
        return _scale(transform, unit, system, np.array([[a, b], [d, e]]), true_north=False)
    return GroundScale(transform, unit, system)


def _scale(
    transform: tuple[float, float, float, float, float, float],
    unit: str,
    system: str,
    steps: Matrix,
    *,
    true_north: bool,
) -> GroundScale:
    """Sizes and north of a raster.

    Args:
        transform: of it.
        unit: of its coordinates.
        system: its name.
        steps: metres east and north (rows) of a step to the next sample and line (columns).
        true_north: whether they are east and north of the meridian.
    """
    if not np.isfinite(steps).all() or abs(np.linalg.det(steps)) < 1e-12:
        return GroundScale(transform, unit, system)
    sample, line = (float(length) for length in np.hypot(steps[0], steps[1]))
    # As many samples and lines as lead straight north, each as long as it is drawn.
    right, down = np.linalg.solve(steps, (0.0, 1.0)) * (sample, line)
    length = math.hypot(right, down)
    north = float(right / length), float(down / length)
    return GroundScale(transform, unit, system, sample, line, north, true_north)


def _by_longitudes(
    transform: tuple[float, float, float, float, float, float],
    crs: str,
    lines: int,
    samples: int,
    geographic: bool,
) -> Matrix | None:
    """Metres east and north of a step to the next sample and line, at the middle of a raster."""
    a, b, c, d, e, f = transform
    middle = np.array([samples / 2, lines / 2])
    # A step each way along the samples, and along the lines.
    places = middle[:, None] + np.array([[0.5, -0.5, 0, 0], [0, 0, 0.5, -0.5]])
    points = np.array([[a, b], [d, e]]) @ places + np.array([[c], [f]])
    if not geographic:
        if _asked(crs) is None:
            return None
        points = reprojected(points, crs, _GEOGRAPHIC)
    if not np.isfinite(points).all():
        return None
    east, north = degree_metres(float(points[1].mean()))
    steps = np.stack([points[:, 0] - points[:, 1], points[:, 2] - points[:, 3]], axis=1)
    steps[0] = (steps[0] + 180) % 360 - 180  # across the date line
    found: Matrix = np.array([[east], [north]]) * steps
    return found


def degree_metres(latitude: float) -> tuple[float, float]:
    """Metres of a degree of longitude and of one of latitude, on the ellipsoid of WGS 84.

    Args:
        latitude: in degrees.
    """
    sine = math.sin(math.radians(latitude))
    part = 1 - _ECCENTRICITY * sine * sine
    across = _AXIS / math.sqrt(part) * math.cos(math.radians(latitude))
    along = _AXIS * (1 - _ECCENTRICITY) / part**1.5
    return math.radians(across), math.radians(along)


def _asked(crs: str) -> tuple[bool, str, float] | None:
    """Whether a system is of angles, its unit and that in radians or m; None where unknown."""

    def facts(system: Any) -> tuple[bool, str, float]:
        name, factor = system.units_factor
        return bool(system.is_geographic), str(name), float(factor)

    return of_system(crs, facts)


def _unit(crs: str | None, epsg: int | None) -> str:
    if crs is None:
        return ""
    if epsg is not None:
        return "degree" if is_geographic(epsg) else "m"
    if (found := _asked(crs)) is None:
        return ""
    angles, name, factor = found
    if angles:
        return "degree" if math.isclose(factor, math.pi / 180, rel_tol=1e-6) else name
    return "m" if factor == 1 else name


def _system_name(crs: str | None, epsg: int | None) -> str:
    """UTM by its zone, others by their code or the name at the head of their WKT."""
    if crs is None:
        return ""
    if (zone := utm_zone(epsg)) is not None:
        datum, number, hemisphere = zone
        return f"UTM {number}{hemisphere[0]}, {datum}"
    if epsg is not None:
        return f"EPSG:{epsg}"
    if crs.upper().startswith("EPSG:"):
        return crs.upper()
    quoted = crs.split('"')
    return quoted[1] if len(quoted) > 1 else ""
