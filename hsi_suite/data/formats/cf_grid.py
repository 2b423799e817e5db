"""Grids of pixels as CF, GDAL and rioxarray state them: coordinates of centres, GeoTransform, WKT.

See section 5.6 of the CF conventions and GDAL's netCDF driver, whose `GeoTransform` rioxarray
writes and reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .georeferencing import Affine, read_map_info, simple_epsg

GRID_MAPPING = "spatial_ref"
# What grid mappings are called where a variable does not name its own.
USUAL_MAPPINGS = (GRID_MAPPING, "crs")
# Not 0 where pixels hold data.
VALID = "valid"
# The name of a netCDF dimension of which no variable says anything.
BARE_DIMENSION = "This is a netCDF dimension but not a netCDF variable"
TRANSFORM, SYSTEM, MAP_INFO = "GeoTransform", "hsi_crs", "map_info"
SYSTEM_KEYS = ("crs_wkt", "spatial_ref")
# Of a pixel. Centres are rounded when they are written in single precision.
_TOLERANCE = 0.05
Centres = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Where pixels lie.

    Attributes:
        transform: as in `Georeference`; None when unknown.
        problem: why coordinates give none, in words; "" where nothing is wrong.
    """

    transform: Affine | None = None
    problem: str = ""


def centres(transform: Affine, lines: int, samples: int) -> tuple[Centres, Centres]:
    """The x of each sample's centre and the y of each line's, of a grid that is not rotated."""
    a, _, c, _, e, f = transform
    line, sample = (np.arange(count, dtype=np.float64) + 0.5 for count in (lines, samples))
    return c + a * sample, f + e * line


def turned_centres(transform: Affine, lines: int, samples: int) -> tuple[Centres, Centres]:
    """The x and the y of every pixel's centre, lines × samples each."""
    a, b, c, d, e, f = transform
    line, sample = np.mgrid[:lines, :samples] + 0.5
    return a * sample + b * line + c, d * sample + e * line + f


def geotransform_text(transform: Affine) -> str:
    """A transform as GDAL orders it."""
    a, b, c, d, e, f = transform
    return " ".join(repr(float(number)) for number in (c, a, b, f, d, e))


def read_geotransform(value: Any) -> Affine | None:
    """The transform of a `GeoTransform`, text or numbers; None where it is none."""
    try:
        parts = value.split() if isinstance(value, str) else np.asarray(value).reshape(-1)
        c, a, b, f, d, e = map(float, parts)
    except (TypeError, ValueError):
        return None
    usable = np.isfinite((a, b, c, d, e, f)).all() and a * e - b * d != 0
    return (a, b, c, d, e, f) if usable else None


def is_turned(transform: Affine) -> bool:
    """Whether the lines of a grid do not run along x."""
    return bool(transform[1] or transform[3])


def grid_of(x: Centres | None, y: Centres | None, told: Affine | None) -> Grid:
    """The grid that coordinates and a stated transform give; coordinates decide, cut as they are.

    Args:
        x: of the centres of the samples, or of all pixels (lines × samples).
        y: the same.
        told: the transform stated; its exact numbers are taken where both agree.
    """
    if x is None or y is None or x.ndim != y.ndim:
        return Grid(told)
    if x.ndim == 2:
        return _turned_grid(x, y, told)
    if told is not None and is_turned(told):
        return Grid(told)
    if min(len(x), len(y)) < 2:
        return Grid(told)
    sides = []
    for name, values in (("x", x), ("y", y)):
        step = (values[-1] - values[0]) / (len(values) - 1)
        even = values[0] + step * np.arange(len(values))
        if not np.isfinite(values).all() or not step:
            return Grid(None, f"the coordinates {name} are no numbers that rise or fall")
        if np.abs(values - even).max() > _TOLERANCE * abs(step):
            return Grid(None, f"the coordinates {name} are not evenly spaced")
        sides.append((float(step), float(values[0] - step / 2)))
    (a, c), (e, f) = sides
    return Grid(_exact((a, 0.0, c, 0.0, e, f), told, len(y), len(x)))


def counts_only(transform: Affine) -> bool:
    """Whether centres are but the numbers of the lines and samples, from 0 or 1."""
    a, b, c, d, e, f = transform
    return (a, b, d, abs(e)) == (1, 0, 0, 1) and c in (-0.5, 0.5) and f in (-0.5, 0.5)


def _turned_grid(x: Centres, y: Centres, told: Affine | None) -> Grid:
    lines, samples = x.shape
    if x.shape != y.shape or min(lines, samples) < 2:
        return Grid(told)
    numbers = []
    for values in (x, y):
        along = (values[0, -1] - values[0, 0]) / (samples - 1)
        down = (values[-1, 0] - values[0, 0]) / (lines - 1)
        corner = values[0, 0] - (along + down) / 2
        numbers += [float(along), float(down), float(corner)]
    a, b, c, d, e, f = numbers
    found = (a, b, c, d, e, f)
    size = max(np.hypot(a, d), np.hypot(b, e))
    if not np.isfinite(found).all() or not a * e - b * d:
        return Grid(None, "the coordinates of the pixels are no numbers of a grid")
    there = turned_centres(found, lines, samples)
    if max(np.abs(there[0] - x).max(), np.abs(there[1] - y).max()) > _TOLERANCE * size:
        return Grid(None, "the coordinates of the pixels lie on no regular grid")
    return Grid(_exact(found, told, lines, samples))


def _exact(found: Affine, told: Affine | None, lines: int, samples: int) -> Affine:
    """The stated transform where the coordinates agree with it."""
    if told is None:
        return found
    size = max(np.hypot(told[0], told[3]), np.hypot(told[1], told[4]))
    for line, sample in ((0, 0), (0, samples), (lines, 0), (lines, samples)):
        for first, second in zip(_at(found, line, sample), _at(told, line, sample), strict=True):
            if abs(first - second) > _TOLERANCE * size:
                return found
    return told


def _at(transform: Affine, line: int, sample: int) -> tuple[float, float]:
    a, b, c, d, e, f = transform
    return a * sample + b * line + c, d * sample + e * line + f


def system_of(attributes: dict[str, Any]) -> str | None:
    """The reference system that the attributes of a grid mapping name; None where none does."""
    for key in (SYSTEM, *SYSTEM_KEYS):
        text = attributes.get(key)
        if isinstance(text, str) and text.strip():
            code = None if key == SYSTEM else simple_epsg(text)
            return f"EPSG:{code}" if code else text
    return None


def map_info_of(attributes: dict[str, Any], system: str | None, transform: Affine) -> Any:
    """ENVI's map info that came along, if it still says where the pixels lie; else None."""
    text = attributes.get(MAP_INFO)
    if not isinstance(text, str):
        return None
    fields = tuple(text.split("\n"))
    place = read_map_info(fields, system)
    return fields if place is not None and place.transform == transform else None


def system_as_wkt(crs: str) -> str:
    """A reference system as WKT; as it is given where rasterio is missing or does not know it."""
    try:
        from rasterio.crs import CRS
        from rasterio.env import Env
        from rasterio.errors import CRSError
    except ImportError:
        return crs
    try:
        with Env():
            return str(CRS.from_user_input(crs).to_wkt())
    except CRSError:
        return crs


def mapping_attributes(
    crs: str | None, transform: Affine, map_info: tuple[str, ...] | None
) -> dict[str, str]:
    """The attributes of a grid mapping."""
    attributes = {TRANSFORM: geotransform_text(transform)}
    if crs:
        attributes |= dict.fromkeys(SYSTEM_KEYS, system_as_wkt(crs)) | {SYSTEM: crs}
    if map_info is not None:
        attributes[MAP_INFO] = "\n".join(map_info)
    return attributes
