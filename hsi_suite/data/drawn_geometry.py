"""Drawn shapes brought into the coordinates of a scene and made fit to be rasterised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from .formats.drawn_features import BUFFER_OPTION, CRS_OPTION, DrawnFeatures, Geometries
from .formats.georeferencing import same_system
from .formats.reading_guard import reading
from .formats.reprojection import reprojected, require_system
from .scene import Georeference

_PIXELS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
Affine = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class SceneGrid:
    """Where the pixels of a scene lie.

    Attributes:
        shape: lines and samples.
        georeference: None when unknown.
    """

    shape: tuple[int, int]
    georeference: Georeference | None

    @property
    def placed(self) -> bool:
        """Whether the scene has coordinates, and not only numbers of its pixels."""
        place = self.georeference
        return place is not None and not place.counts_pixels

    @property
    def transform(self) -> Affine:
        """From sample and line to the scene's coordinates, which are these where it has none."""
        return self.georeference.transform if self.placed and self.georeference else _PIXELS

    @property
    def frame(self) -> Any:
        """The outline of the scene, a polygon in its coordinates."""
        import shapely

        lines, samples = self.shape
        corners = np.array([[0, 0], [samples, 0], [samples, lines], [0, lines]], float)
        return _through(np.array([shapely.Polygon(corners)], dtype=object), self.transform)[0]


def in_scene(layer: DrawnFeatures, grid: SceneGrid, crs: str | None) -> Geometries:
    """The shapes of a layer in the coordinates of the scene.

    Args:
        layer: as it was read.
        grid: of the scene.
        crs: the reference system that the user names, for files that name none.

    Raises:
        InputFileError: the scene has no coordinates, or a reference system is missing or unknown.
        ConfigError: `crs` is no reference system.
    """
    path, place = layer.path, grid.georeference
    own = layer.crs
    if crs is not None:
        require_system(crs)
        if own is not None and not layer.assumed and same_system(own, crs) is not True:
            found = f"{CRS_OPTION} {crs}, and the file names {short_system(own)}"
            raise InputFileError(path, found, "", "leave it out")
        own = crs
    if layer.assumed and crs is None:
        _require_degrees(layer, place)
    if own is None and layer.frame == "pixels":
        return _through(layer.geometries, grid.transform)
    if not grid.placed or place is None:
        if layer.frame == "scene" and own is None:
            return _pixel_centres(path, layer.geometries)
        raise InputFileError(
            path,
            "drawn labels have coordinates, and the scene has none",
            "a scene with a georeference",
            "give labels by pixels, such as a label map, or a table with sample, line and class",
        )
    if own is None:
        if layer.frame == "scene":
            return layer.geometries
        raise InputFileError(
            path,
            "names no reference system",
            "the system its coordinates are in",
            f"give {CRS_OPTION} EPSG:NUMBER ({_named(place)} is the scene's)",
        )
    if place.crs is None:
        found = f"lies in {short_system(own)}, and the scene names no reference system"
        raise InputFileError(path, found, "", "write it into the scene's file")
    if same_system(own, place.crs) is True:
        return layer.geometries
    return _reprojected(path, layer.geometries, own, place.crs)


def _require_degrees(layer: DrawnFeatures, place: Georeference | None) -> None:
    """Refuse coordinates that are no degrees in a file whose format means degrees."""
    if beyond := _beyond_degrees(layer.geometries):
        scene = f" ({_named(place)} is the scene's)" if place is not None and place.crs else ""
        raise InputFileError(
            layer.path,
            f"names no reference system, and coordinates up to {beyond:.10g} are no degrees",
            "degrees, as GeoJSON has them by itself",
            f"give {CRS_OPTION} EPSG:NUMBER{scene}",
        )


def _named(place: Georeference) -> str:
    return "none" if place.crs is None else short_system(place.crs)


def short_system(crs: str) -> str:
    """A reference system as a message names it: its code or the first name in its WKT."""
    return crs.split('"')[1] if crs.count('"') > 1 else crs[:40]


def _through(shapes: Geometries, transform: Affine) -> Geometries:
    from shapely import transform as moved

    a, b, c, d, e, f = transform

    def place(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = xy.T
        with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is left out later
            placed = np.stack([a * x + b * y + c, d * x + e * y + f], axis=1)
        # NaN equals nothing, so that rings with it would not be closed.
        return np.where(np.isfinite(placed), placed, np.inf)

    found: Geometries = moved(shapes, place)
    return found


def _pixel_centres(path: Path, shapes: Geometries) -> Geometries:
    """Points given as samples and lines, in a scene without coordinates."""
    import shapely

    places = shapely.get_coordinates(shapes)
    if (shapely.get_type_id(shapes) > 0).any() or (places != np.round(places)).any():
        raise InputFileError(
            path,
            "x and y are no numbers of pixels, and the scene has no coordinates",
            "sample and line of each pixel, from 0",
        )
    return _through(shapes, (1.0, 0.0, 0.5, 0.0, 1.0, 0.5))


def _reprojected(path: Path, shapes: Geometries, own: str, scene: str) -> Geometries:
    """The shapes with their vertices in the scene's system; x before y in both."""
    from rasterio.crs import CRS
    from rasterio.env import Env
    from shapely import transform as moved

    def place(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return reprojected(xy.T, own, scene).T

    with reading(path, "shapes in a known reference system"), Env():
        system = CRS.from_user_input(own)
        if system.is_geographic and '"grad"' not in system.to_wkt():
            _refuse_no_degrees(path, shapes, own)
        found: Geometries = moved(shapes, place)
    return found


def _refuse_no_degrees(path: Path, shapes: Geometries, own: str) -> None:
    """Refuse coordinates that cannot be of a system of degrees, before PROJ stumbles over them."""
    if beyond := _beyond_degrees(shapes):
        raise InputFileError(
            path,
            f"coordinates up to {beyond:.10g}, and {short_system(own)} is a system of degrees",
            "coordinates of the system that is named",
            f"give {CRS_OPTION} EPSG:NUMBER, or write the right one into the file",
        )


def _beyond_degrees(shapes: Geometries) -> float:
    """The largest coordinate, where some are no degrees; else 0."""
    import shapely

    bounds = np.abs(shapely.total_bounds(shapes))
    beyond = (bounds[[0, 2]] > 360).any() or (bounds[[1, 3]] > 90).any()
    return float(bounds.max()) if beyond else 0.0


def whole_shapes(
    path: Path, shapes: Geometries, grid: SceneGrid, buffer: float | None
) -> tuple[Geometries, list[str]]:
    """Shapes that can be rasterised; None for those without an extent, and what was done in words.

    Invalid polygons are made valid. Points and lines get a buffer, where one is given.

    Args:
        path: of their file, for messages.
        shapes: in the scene's coordinates.
        grid: of the scene.
        buffer: metres.

    Raises:
        InputFileError: polygons stand beside points or lines and no buffer is given, or one is
            given and there are only polygons, or it cannot be measured.
    """
    import shapely

    held = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    # Bounds would not tell: they leave out vertices that are no numbers.
    places, of = shapely.get_coordinates(shapes, return_index=True)
    held[of[~np.isfinite(places).all(axis=1)]] = False
    invalid = held & ~shapely.is_valid(shapes)
    fixed = shapes.copy()
    fixed[~held] = None
    thin = np.array([_has_parts(shape, areas=False) for shape in fixed], bool)
    areas = np.array([_has_parts(shape, areas=True) for shape in fixed], bool)
    _check_kinds(path, int(areas.sum()), int(thin.sum()), buffer)
    with np.errstate(all="ignore"):  # of vertices too far off to be reckoned with
        fixed[invalid] = [
            _parts(shapely.make_valid(shape), areas=area)
            for shape, area in zip(fixed[invalid], areas[invalid], strict=True)
        ]
    if buffer:
        step = _Metres.of(path, grid)
        fixed[thin] = [step.widened(shape, buffer) for shape in fixed[thin]]
        fixed[shapely.is_empty(fixed)] = None  # so far off that the width is lost in rounding
    told = []
    lost = shapely.is_missing(fixed)
    if lost.any():
        told.append(f"{int(lost.sum())} features have no shape in the scene's coordinates")
    if mended := int((invalid & ~lost).sum()):
        told.append(f"{mended} invalid shapes were made valid")
    return fixed, told


def _check_kinds(path: Path, areas: int, thin: int, buffer: float | None) -> None:
    if areas and thin and buffer is None:
        raise InputFileError(
            path,
            f"{areas} polygons and {thin} points or lines together",
            "",
            f"give {BUFFER_OPTION} METRES, the width of points and lines, or 0 for the pixels "
            "they touch",
        )
    if buffer is not None and not thin:
        found = f"{BUFFER_OPTION} {buffer:g}, and there are polygons alone"
        raise InputFileError(path, found, "points or lines", "leave it out")


def _leaves(shape: Any) -> list[Any]:
    """The points, lines and polygons of a shape."""
    if shape is None:
        return []
    if hasattr(shape, "geoms"):
        return [leaf for part in shape.geoms for leaf in _leaves(part)]
    return [shape]


def _has_parts(shape: Any, *, areas: bool) -> bool:
    return any((leaf.geom_type == "Polygon") == areas for leaf in _leaves(shape))


def _parts(shape: Any, *, areas: bool) -> Any:
    """What a valid shape has of the kind that it was drawn as; None for nothing."""
    from shapely import GeometryCollection

    leaves = [leaf for leaf in _leaves(shape) if not areas or leaf.geom_type == "Polygon"]
    return GeometryCollection(leaves) if leaves else None


@dataclass(frozen=True)
class _Metres:
    """Metres in the coordinates of a scene: their scale, or a system of metres around it."""

    path: Path
    per_metre: float
    scene: str = ""
    local: str = ""

    @classmethod
    def of(cls, path: Path, grid: SceneGrid) -> _Metres:
        from rasterio.crs import CRS

        place = grid.georeference
        if not grid.placed or place is None or place.crs is None:
            found = f"{BUFFER_OPTION} is in metres, and the scene names no reference system"
            raise InputFileError(path, found, "", "leave it out")
        with reading(path, "a scene in a known reference system"):
            system = CRS.from_user_input(place.crs)
            if system.is_projected:
                return cls(path, 1 / float(system.linear_units_factor[1]))
            x, y = _centre(grid)
            local = f"+proj=aeqd +lat_0={y:.9f} +lon_0={x:.9f} +units=m +datum=WGS84"
            return cls(path, 1.0, place.crs, local)

    def widened(self, shape: Any, metres: float) -> Any:
        """A shape whose points and lines have a width."""
        from shapely import union_all

        wide = [
            leaf if leaf.geom_type == "Polygon" else self._widened(leaf, metres)
            for leaf in _leaves(shape)
        ]
        return union_all(wide)

    def _widened(self, leaf: Any, metres: float) -> Any:
        if not self.local:
            return leaf.buffer(metres * self.per_metre)
        flat = _reprojected(self.path, np.array([leaf], dtype=object), self.scene, self.local)
        wide = np.array([flat[0].buffer(metres)], dtype=object)
        return _reprojected(self.path, wide, self.local, self.scene)[0]


def _centre(grid: SceneGrid) -> tuple[float, float]:
    a, b, c, d, e, f = grid.transform
    line, sample = grid.shape[0] / 2, grid.shape[1] / 2
    x, y = a * sample + b * line + c, d * sample + e * line + f
    if not (math.isfinite(x) and math.isfinite(y)):
        return 0.0, 0.0
    return x, y


def outside(shapes: Sequence[Any] | Geometries, grid: SceneGrid) -> NDArray[np.bool_]:
    """Which shapes have no point in the scene."""
    import shapely

    return np.asarray(~shapely.intersects(np.asarray(shapes, dtype=object), grid.frame), bool)
