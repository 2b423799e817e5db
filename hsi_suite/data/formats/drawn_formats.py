"""Telling apart, by content, the files that hold labels as people draw them."""

from __future__ import annotations

import re
import zipfile
from enum import StrEnum
from pathlib import Path

from ...user_files import first_bytes
from .file_format import header_beside
from .table_text import table_lines

_HEAD = 4096
_TEXT_ENDINGS = (".geojson", ".json", ".kml", ".xml", ".csv", ".tsv", ".txt")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_SEPARATOR = r"(?:\s*[,;\t]\s*|\s+)"
_THREE_COLUMNS = re.compile(rf"\s*{_NUMBER}{_SEPARATOR}{_NUMBER}{_SEPARATOR}[^\s,;][^,;\t]*")
# Pairs of column names that mean coordinates, x before y: on the map, in degrees, in pixels.
MAP_COLUMNS = (("x", "y"), ("easting", "northing"), ("east", "north"), ("mapx", "mapy"))
DEGREE_COLUMNS = (("longitude", "latitude"), ("lon", "lat"), ("long", "lat"), ("lng", "lat"))
PIXEL_COLUMNS = (("sample", "line"), ("column", "row"), ("col", "row"))
GEOMETRY_COLUMNS = ("wkt", "geometry", "geom")


class DrawnFormat(StrEnum):
    """The formats of drawn labels, by the names that messages use."""

    GEOPACKAGE = "GeoPackage"
    GEOJSON = "GeoJSON"
    SHAPEFILE = "Shapefile"
    ZIPPED_SHAPEFILE = "zipped Shapefile"
    KML = "KML"
    FLATGEOBUF = "FlatGeobuf"
    TABLE = "table of points"
    ROI_XML = "ENVI ROI (.xml)"
    ROI_TEXT = "ENVI ROI (text)"


def recognise_drawn(path: Path) -> DrawnFormat | None:
    """The format of drawn labels; None for whatever else is there, or is not."""
    try:
        if not path.is_file():
            return None
    except (OSError, ValueError):
        return None
    head = first_bytes(path, _HEAD)
    if head.startswith(b"SQLite format 3\0"):
        return DrawnFormat.GEOPACKAGE
    if head.startswith(b"fgb\x03fgb"):
        return DrawnFormat.FLATGEOBUF
    if head[:4] == b"\x00\x00\x27\x0a" and head[28:32] == b"\xe8\x03\x00\x00":
        return DrawnFormat.SHAPEFILE
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path)
    if b"\0" in head or _has_own_header(path):
        return None
    return _text_format(head)


def _has_own_header(path: Path) -> bool:
    """Whether an ENVI header beside a file is its own: plot.hdr beside plot.csv is a scene's."""
    header = header_beside(path)
    if header is None:
        return False
    return header.stem == path.name or path.suffix.lower() not in _TEXT_ENDINGS


def _zipped(path: Path) -> DrawnFormat | None:
    try:
        with zipfile.ZipFile(path) as archive:
            endings = {Path(name).suffix.lower() for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return None  # of damage the reader of archives tells
    if ".shp" in endings:
        return DrawnFormat.ZIPPED_SHAPEFILE
    return DrawnFormat.KML if ".kml" in endings else None


def _text_format(head: bytes) -> DrawnFormat | None:
    # The last letter may be cut.
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace").lstrip()
    if text.startswith("<"):
        if "<RegionsOfInterest" in text:
            return DrawnFormat.ROI_XML
        return DrawnFormat.KML if re.search(r"<(?:\w+:)?kml\b", text) else None
    if text.startswith("{"):
        return DrawnFormat.GEOJSON if '"type"' in text else None
    if text.startswith(";"):
        return DrawnFormat.ROI_TEXT if re.search(r"(?i);\s*(envi output of )?roi", text) else None
    lines = table_lines(text)
    first = lines[0] if lines else ""
    if coordinate_columns(split_line(first)) or _THREE_COLUMNS.fullmatch(first):
        return DrawnFormat.TABLE
    return None


def split_line(line: str) -> list[str]:
    """The plain names of a line's columns, whatever separates them."""
    pieces = re.split(r"[,;\t]" if re.search(r"[,;\t]", line) else r"\s+", line.strip())
    return [piece.strip().strip("\"'").strip() for piece in pieces]


def coordinate_columns(names: list[str]) -> tuple[str, tuple[int, ...]] | None:
    """What the columns of coordinates mean ("map", "degrees", "pixels", "wkt") and where they are.

    Args:
        names: of all columns, as they stand in the first line.
    """
    plain = [re.sub(r"[\s_\-.]|\(.*\)", "", name.lower()) for name in names]
    if len(set(plain)) < len(plain) or len(plain) < 2:
        return None
    kinds = (("pixels", PIXEL_COLUMNS), ("map", MAP_COLUMNS), ("degrees", DEGREE_COLUMNS))
    for kind, pairs in kinds:
        for x, y in pairs:
            if x in plain and y in plain:
                return kind, (plain.index(x), plain.index(y))
    for name in GEOMETRY_COLUMNS:
        if name in plain:
            return "wkt", (plain.index(name),)
    return None
