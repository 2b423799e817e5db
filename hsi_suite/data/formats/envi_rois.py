"""Regions of interest of ENVI: the XML of ENVI 5 and the text that ENVI Classic writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ...user_files import read_text
from .drawn_features import DrawnFeatures
from .reading_guard import reading

_XML, _TEXT = "ENVI regions of interest (.xml)", "ENVI regions of interest as text"
_FIELD = "name"


def read_roi_xml(path: Path) -> DrawnFeatures:
    """The regions of an XML file of ENVI 5; each shape is a feature of its region's name.

    Raises:
        InputFileError: the file is damaged, or no region has shapes in one reference system.
    """
    text = read_text(path, _XML)
    # ENVI writes no document type; one could make a small file expand without end.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InputFileError(path, "declares a document type", _XML)
    with reading(path, _XML):
        root = ElementTree.fromstring(text)
        regions = [each for each in root.iter() if _tag(each) == "Region"]
        found = [(region.get("name") or "", s) for region in regions for s in _shapes_of(region)]
        systems = {
            " ".join((each.text or "").split())
            for each in root.iter()
            if _tag(each) == "CoordSysStr"
        }
    if not found:
        said = "no region is drawn by polygons, lines or points"
        raise InputFileError(path, said if regions else "holds no region", _XML)
    if len(systems) > 1:
        raise InputFileError(path, "regions in several reference systems", "one for all")
    named = next(iter(systems), "")
    drawn = {name for name, _ in found}
    left_out = len({region.get("name") or "" for region in regions} - drawn)
    remarks = (
        (f"{path.name}: {left_out} regions hold no polygon, line or point, and are left out",)
        if left_out
        else ()
    )
    pixels = named.lower() in ("", "none")
    return DrawnFeatures(
        path,
        _objects([shape for _, shape in found]),
        {_FIELD: np.array([name for name, _ in found], dtype=object)},
        None if pixels else named,
        "pixels" if pixels else "unknown",
        (path,),
        remarks,
    )


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _shapes_of(region: ElementTree.Element) -> Iterator[Any]:
    from shapely import LineString, MultiPoint, Polygon

    for element in region.iter():
        kind = _tag(element)
        if kind == "Polygon":
            shells = [c for part in element if _tag(part) == "Exterior" for c in _coordinates(part)]
            holes = [c for part in element if _tag(part) == "Interior" for c in _coordinates(part)]
            yield from (Polygon(shell, holes) for shell in shells)
        elif kind == "LineString":
            yield from (LineString(places) for places in _coordinates(element))
        elif kind in ("Point", "MultiPoint"):
            yield from (MultiPoint(places) for places in _coordinates(element))


def _coordinates(element: ElementTree.Element) -> list[NDArray[np.float64]]:
    """Those of every list below an element, N × 2."""
    lists = [each.text or "" for each in element.iter() if _tag(each) == "Coordinates"]
    return [
        np.array(re.split(r"[\s,]+", text.strip()), dtype=float).reshape(-1, 2) for text in lists
    ]


def read_roi_text(path: Path) -> DrawnFeatures:
    """The regions of a text file of ENVI Classic, which lists their pixels.

    Pixels of a region that touch, at a corner at least, are a feature, as they were drawn together.

    Raises:
        InputFileError: the file is damaged, or does not list the pixels' places.
    """
    lines = read_text(path, _TEXT).splitlines()
    names = [_after(line) for line in lines if re.match(r";\s*ROI name", line, re.IGNORECASE)]
    counts = [_after(line) for line in lines if re.match(r";\s*ROI npts", line, re.IGNORECASE)]
    if (
        not names
        or len(names) != len(counts)
        or not all(c.isdigit() and len(c) < 10 for c in counts)
    ):
        raise InputFileError(path, "names and numbers of pixels of its regions", _TEXT)
    places = _places(path, lines)
    listed = sum(map(int, counts))
    if len(places) != listed:
        raise InputFileError(
            path, f"{len(places):,} pixels are listed", f"{listed:,}, as its regions have"
        )
    pieces = np.split(places, np.cumsum([int(count) for count in counts])[:-1])
    found = [
        (name, group)
        for name, piece in zip(names, pieces, strict=True)
        for group in _touching(piece)
    ]
    if not found:
        raise InputFileError(path, "lists no pixel", _TEXT)
    return DrawnFeatures(
        path,
        _objects([_pixels(group) for _, group in found]),
        {_FIELD: np.array([name for name, _ in found], dtype=object)},
        None,
        "pixels",
        (path,),
    )


def _after(line: str) -> str:
    return line.partition(":")[2].strip()


def _places(path: Path, lines: list[str]) -> NDArray[np.float64]:
    """Samples and lines of all pixels in turn, from 0."""
    columns: list[str] = []
    rows = []
    for number, line in enumerate(lines, 1):
        if line.startswith(";"):
            words = re.sub(r"(?i)map\s+", "map", line.strip("; \t")).upper().split()
            columns = words if {"X", "Y"} <= set(words) else columns
        elif line.strip():
            cells = re.split(r"[\s,]+", line.strip())
            if not columns:
                raise InputFileError(
                    path, "no columns X and Y", "the pixels' places", "write them with their place"
                )
            try:
                rows.append([float(cells[columns.index(axis)]) for axis in ("X", "Y")])
            except (ValueError, IndexError):
                raise InputFileError(path, f"line {number} is no pixel", _TEXT) from None
    places = np.array(rows, dtype=float).reshape(-1, 2) - 1
    if not np.isfinite(places).all() or (places != np.round(places)).any():
        raise InputFileError(path, "X or Y is no whole number", _TEXT)
    return places


def _touching(places: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Pixels in groups of those that touch."""
    if not len(places):
        return []
    # They take 14 MB, which scenes without such a file do without.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    pairs = KDTree(places).query_pairs(1.0, p=np.inf, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(places), len(places)))
    count, group = connected_components(links, directed=False)
    return [places[group == each] for each in range(count)]


def _pixels(places: NDArray[np.float64]) -> Any:
    from shapely import MultiPoint

    return MultiPoint(places + 0.5)


def _objects(shapes: list[Any]) -> NDArray[np.object_]:
    found = np.empty(len(shapes), dtype=object)
    found[:] = shapes
    return found
