"""Polygons of a class map as GeoPackage (OGC 12-128), with a style that QGIS applies by itself."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from ...atomic import atomic_file
from ...errors import HsiSuiteError, OutputError, Stopped
from ...guard import reason_of
from ...printable import plain
from ..scene import Georeference
from .reading_guard import muted_errors, quiet_libraries

LAYER = "map"
"""The name of the polygons' layer."""

STYLES = "layer_styles"
"""The table in which QGIS keeps and finds the styles of a GeoPackage's layers."""

Region = tuple[int, Any]

_GEOMETRY = "geom"
_BATCH = 20_000
# GDAL notes when a file was written; equal maps should give equal files.
_DATE = "OGR_CURRENT_DATE", "2000-01-01T00:00:00.000Z"


def require_geopackage(path: Path) -> None:
    """Refuse a GeoPackage where none can be written.

    Raises:
        OutputError: the name has another ending, or pyogrio, shapely or rasterio is not installed.
    """
    if path.suffix.lower() != ".gpkg":
        raise OutputError(path, "--vector writes a GeoPackage", "a name that ends in .gpkg")
    for package in ("pyogrio", "rasterio", "shapely"):
        # To import them takes a good part of a second.
        if find_spec(package) is None:
            raise OutputError(
                path,
                f"--vector needs {package}, which is not installed",
                "",
                "install hsi-suite[geo], or leave --vector out",
            )


def write_geopackage(
    path: Path,
    regions: Iterable[Region],
    class_names: Sequence[str],
    colours: NDArray[np.uint8],
    georeference: Georeference | None,
    remark: str | None = None,
) -> int:
    """Write the regions of a class map, each with its class, name, pixels and area.

    Fields: class, name, pixels, and area_m2 where the reference system gives areas. Without
    georeference coordinates are samples and lines from the upper-left corner, y downwards.

    Args:
        path: where to.
        regions: class and polygon in samples and lines, see `map_polygons`.
        class_names: names of the labels from 1 on.
        colours: RGB of the labels from 0 on.
        georeference: of the map; None when unknown.
        remark: what the layer's description says.

    Returns:
        The number of polygons.

    Raises:
        OutputError: the file cannot be written.
    """
    written = 0
    with atomic_file(path) as temporary, _refusing(path):
        # Made by GDAL: an empty file is none of its own.
        temporary.unlink()
        for batch in _batches(regions):
            _write_batch(temporary, batch, class_names, georeference, remark, append=written > 0)
            written += len(batch)
        _write_style(temporary, _style(class_names, colours))
        _check_whole(temporary, written)
    return written


def _batches(regions: Iterable[Region]) -> Iterator[list[Region]]:
    """Some regions at a time; at least one list, so that a map without regions has its layer."""
    remaining = iter(regions)
    batch = list(itertools.islice(remaining, _BATCH))
    while True:
        yield batch
        batch = list(itertools.islice(remaining, _BATCH))
        if not batch:
            return


def _write_batch(
    path: Path,
    batch: Sequence[Region],
    class_names: Sequence[str],
    georeference: Georeference | None,
    remark: str | None,
    *,
    append: bool,
) -> None:
    import shapely

    from ..pixel_areas import EqualArea

    classes = np.array([label for label, _ in batch], np.int32)
    polygons = np.array([polygon for _, polygon in batch], object)
    pixels = np.rint(shapely.area(polygons)).astype(np.int64)
    names = np.array([class_names[label - 1] for label in classes.tolist()], object)
    fields: dict[str, NDArray[Any]] = {"class": classes, "name": names, "pixels": pixels}
    if georeference is not None:
        a, b, c, d, e, f = georeference.transform
        polygons = shapely.transform(
            polygons,
            lambda at: np.column_stack(
                [a * at[:, 0] + b * at[:, 1] + c, d * at[:, 0] + e * at[:, 1] + f]
            ),
        )
    plane = EqualArea.of(georeference)
    if plane is not None:
        fields["area_m2"] = shapely.area(shapely.transform(polygons, plane))
    described = {} if remark is None else {"DESCRIPTION": plain(remark)}
    _write(
        path,
        shapely.to_wkb(polygons),
        list(fields.values()),
        list(fields),
        layer=LAYER,
        geometry_type="Polygon",
        crs=None if georeference is None else georeference.crs,
        append=append,
        layer_options={"GEOMETRY_NAME": _GEOMETRY} | described,
    )


def _write_style(path: Path, style: str) -> None:
    """The table as QGIS makes it by GDAL."""
    row: dict[str, Any] = {
        "f_table_catalog": "",
        "f_table_schema": "",
        "f_table_name": LAYER,
        "f_geometry_column": _GEOMETRY,
        "styleName": LAYER,
        "styleQML": style,
        "styleSLD": "",
        "useAsDefault": True,
        "description": "",
        "owner": "",
        "ui": "",
        "update_time": np.datetime64(_DATE[1].rstrip("Z"), "ms"),
    }
    columns = [
        np.array([value], object) if isinstance(value, str) else np.array([value])
        for value in row.values()
    ]
    _write(path, None, columns, list(row), layer=STYLES, layer_options={"FID": "id"})


def _write(path: Path, *arguments: Any, **options: Any) -> None:
    from pyogrio.raw import write

    with quiet_libraries(), muted_errors():
        write(str(path), *arguments, driver="GPKG", **options)


def _check_whole(path: Path, polygons: int) -> None:
    """Refuse a file that is cut, of which GDAL has not said anything.

    Raises:
        OSError: SQLite finds it damaged, or rows are missing.
    """
    with closing(sqlite3.connect(path)) as database:
        found = database.execute(f'SELECT count(*) FROM "{LAYER}"').fetchone()[0]
        # What its spatial index rests on; GDAL leaves it out where there is no room for it.
        index = f"rtree_{LAYER}_{_GEOMETRY}_rowid"
        indexed = database.execute(f'SELECT count(*) FROM "{index}"').fetchone()[0]
        styles = database.execute(f'SELECT count(*) FROM "{STYLES}"').fetchone()[0]
        whole = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if (found, indexed, styles, whole) != (polygons, polygons, 1, "ok"):
        raise OSError("its end is missing")


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Turn what GDAL says of a file that it cannot write into one line."""
    import pyogrio

    name, _ = _DATE
    before = pyogrio.get_gdal_config_option(name)
    pyogrio.set_gdal_config_options(dict([_DATE]))
    try:
        yield
    except (HsiSuiteError, Stopped):
        raise
    except Exception as error:  # GDAL's and SQLite's errors have no common class
        raise OutputError(
            path, f"cannot be written ({reason_of(error)})", "a writable place with free space"
        ) from error
    finally:
        pyogrio.set_gdal_config_options({name: before})


def _style(class_names: Sequence[str], colours: NDArray[np.uint8]) -> str:
    """One filled symbol for each class, without outlines, which would hide small polygons."""
    # XML holds no control characters.
    entries = [
        f'<category value="{label}" type="long" symbol="{label}" label={quoteattr(plain(name))} '
        'render="true"/>'
        for label, name in enumerate(class_names, 1)
    ]
    symbols = [
        f'<symbol type="fill" name="{label}" alpha="1" clip_to_extent="1" force_rhr="0">'
        '<layer class="SimpleFill" enabled="1" locked="0" pass="0">'
        + _properties({"color": f"{colour},255", "style": "solid", "outline_style": "no"})
        + "</layer></symbol>"
        for label in range(1, len(class_names) + 1)
        for colour in [",".join(map(str, colours[label].tolist()))]
    ]
    return "\n".join(
        [
            "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>",
            '<qgis version="3.22" styleCategories="Symbology">',
            '<renderer-v2 type="categorizedSymbol" attr="class" symbollevels="0" '
            'enableorderby="0" forceraster="0">',
            "<categories>",
            *entries,
            "</categories>",
            "<symbols>",
            *symbols,
            "</symbols>",
            "</renderer-v2>",
            "<blendMode>0</blendMode>",
            "<featureBlendMode>0</featureBlendMode>",
            "<layerGeometryType>2</layerGeometryType>",
            "</qgis>",
            "",
        ]
    )


def _properties(values: dict[str, str]) -> str:
    """Properties of a symbol as QGIS before 3.18 reads them, and as it does since."""
    options = "".join(
        f'<Option type="QString" name="{key}" value="{value}"/>' for key, value in values.items()
    )
    props = "".join(f'<prop k="{key}" v="{value}"/>' for key, value in values.items())
    return f'<Option type="Map">{options}</Option>{props}'
