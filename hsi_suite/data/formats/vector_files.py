"""Vector files: GeoPackage, GeoJSON, Shapefile, KML, FlatGeobuf."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ...errors import InputFileError
from .drawn_features import DrawnFeatures, chosen_layer
from .drawn_formats import DrawnFormat
from .reading_guard import muted_errors, reading

_CRS_MEMBER = re.compile(rb'"crs"\s*:\s*\{')
_CRS_NAME = re.compile(rb'^"crs"\s*:\s*\{[^{}]*\{[^{}]*"name"\s*:\s*"([^"]*)"')
_LONGEST_MEMBER = 2000
# A Shapefile is several files; those that decide what is read.
_SIDES = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def read_vectors(path: Path, kind: DrawnFormat, layer: str | None) -> DrawnFeatures:
    """The features of a vector file's layer.

    Args:
        path: the file.
        kind: its format.
        layer: which of several layers; None where there is one.

    Raises:
        InputFileError: the file is damaged, empty, or holds several layers and none is named.
    """
    places = vector_layers(path, kind)
    name = chosen_layer(path, list(places), layer)
    with reading(path, f"a {kind}"), muted_errors():
        from pyogrio.raw import read
        from shapely import from_wkb

        about, _, shapes, columns = read(places[name], layer=name, force_2d=True)
        if shapes is None or not len(shapes):
            raise InputFileError(path, f"the layer {name} is empty", "at least one feature")
        geometries = from_wkb(shapes)
        fields = {
            str(field): _plain(values)
            for field, values in zip(about["fields"], columns, strict=True)
        }
    remarks = (f"{path.name}: layer {name}",) if len(places) > 1 else ()
    crs = about["crs"] or None
    assumed = kind is DrawnFormat.GEOJSON and not _names_system(path)
    if kind is DrawnFormat.GEOJSON and not assumed:
        _refuse_unknown_system(path)
    files = _files(path, kind)
    return DrawnFeatures(path, geometries, fields, crs, "unknown", files, remarks, assumed)


def _names_system(path: Path) -> bool:
    """Whether a GeoJSON file has the member "crs" of GeoJSON 2008; RFC 7946 dropped it."""
    return bool(_system_member(path))


def _system_member(path: Path) -> bytes:
    """The beginning of that member; empty where there is none."""
    with reading(path, "a GeoJSON file"), path.open("rb") as file:
        kept = b""
        while block := file.read(2**20):
            if found := _CRS_MEMBER.search(kept + block):
                return (kept + block + file.read(_LONGEST_MEMBER))[found.start() :][
                    :_LONGEST_MEMBER
                ]
            kept = block[-64:]
    return b""


def _refuse_unknown_system(path: Path) -> None:
    """Refuse a system that is not known here: GDAL would take degrees instead, without a word."""
    from rasterio.crs import CRS
    from rasterio.env import Env
    from rasterio.errors import CRSError

    found = _CRS_NAME.search(_system_member(path))
    name = found[1].decode("utf-8", "replace") if found else ""
    try:
        with Env():
            CRS.from_user_input(name)
    except CRSError:
        said = (
            f"names the reference system {name[:60]!r}" if name else 'its member "crs" has no name'
        )
        hint = "write it into the file: ogr2ogr -a_srs EPSG:NUMBER new.geojson old.geojson"
        raise InputFileError(path, said, "one that is known here", hint) from None


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """A column as numbers or as objects; dates are texts."""
    return values if values.dtype.kind in "biufO" else values.astype(str).astype(object)


def vector_layers(path: Path, kind: DrawnFormat) -> dict[str, str]:
    """Layers of points, lines or polygons, and what GDAL calls the file of each.

    Raises:
        InputFileError: the file is damaged.
    """
    if kind is DrawnFormat.ZIPPED_SHAPEFILE:
        return _inside(path)
    place = str(path.absolute())
    with reading(path, f"a {kind}"), muted_errors():
        from pyogrio import list_layers

        return {str(name): place for name, shapes in list_layers(place) if shapes is not None}


def _inside(path: Path) -> dict[str, str]:
    """The Shapefiles in an archive."""
    with reading(path, "a zipped Shapefile"), zipfile.ZipFile(path) as archive:
        shapes = [name for name in archive.namelist() if name.lower().endswith(".shp")]
    # Archives of macOS hold a shadow of every file.
    shapes = [name for name in shapes if not name.startswith("__MACOSX")]
    return {Path(name).stem: f"/vsizip/{{{path.absolute()}}}/{name}" for name in shapes}


def _files(path: Path, kind: DrawnFormat) -> tuple[Path, ...]:
    if kind is not DrawnFormat.SHAPEFILE:
        return (path,)
    beside = (path.with_suffix(end) for ending in _SIDES for end in (ending, ending.upper()))
    return tuple(dict.fromkeys([path, *(side for side in beside if side.is_file())]))
