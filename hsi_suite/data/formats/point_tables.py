"""Labelled points as text: x, y and class, or shapes as well-known text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ...user_files import read_text
from .drawn_features import DrawnFeatures
from .drawn_formats import coordinate_columns, split_line
from .table_text import separated_cells, separator_of, table_lines

_EXPECTED = "a table with columns x, y and class"
_DEGREES = "EPSG:4326"


def read_point_table(path: Path) -> DrawnFeatures:
    """The points of a table.

    With a header, columns called x and y (or easting and northing) are coordinates of the
    scene's system, lon and lat degrees (WGS 84), line and sample (or row and column) pixels from
    0, and wkt shapes. Without one, three columns are x, y and class.

    Raises:
        InputFileError: the file is no such table, or a coordinate is no number.
    """
    header, rows = _rows(path)
    names = header or ["x", "y", "class"]
    found = coordinate_columns(names)
    if found is None:  # the head of a damaged file looked like it
        raise InputFileError(path, "no columns of coordinates", _EXPECTED)
    kind, places = found
    columns = {
        name: np.array([row[at] for row in rows], dtype=object)
        for at, name in enumerate(names)
        if at not in places
    }
    if kind == "wkt":
        geometries = _shapes(path, [row[places[0]] for row in rows])
    else:
        geometries = _points(path, rows, places, names, whole=kind == "pixels")
    frame: Literal["scene", "pixels", "unknown"] = "pixels" if kind == "pixels" else "scene"
    crs = _DEGREES if kind == "degrees" else None
    return DrawnFeatures(path, geometries, columns, crs, frame, (path,))


def _rows(path: Path) -> tuple[list[str] | None, list[list[str]]]:
    """The names of the columns, where the table has a header, and its rows."""
    text = read_text(path, _EXPECTED, "save it as UTF-8")
    lines = table_lines(text)
    if not lines:
        raise InputFileError(path, "holds no row", _EXPECTED)
    separator = separator_of(lines[0])
    if separator is None:
        rows = [line.split(None, 2) if len(line.split()) > 3 else line.split() for line in lines]
        rows = [[cell.strip() for cell in row] for row in rows]
    else:
        rows = separated_cells(path, lines, separator, _EXPECTED)
        if not rows:
            raise InputFileError(path, "holds no row", _EXPECTED)
    header = rows[0] if coordinate_columns(split_line(lines[0])) else None
    if header is not None and separator is None:
        rows = [line.split() for line in lines]
    body = rows[1:] if header is not None else rows
    width = len(rows[0])
    for number, row in enumerate(body, 1 + (header is not None)):
        if len(row) != width:
            raise InputFileError(
                path, f"row {number} has {len(row)} columns", f"{width}, as the first row has"
            )
    if not body:
        raise InputFileError(path, "holds no row below its header", _EXPECTED)
    if header is None and width != 3:
        raise InputFileError(path, f"{width} columns without names", _EXPECTED)
    return header, body


def _points(
    path: Path, rows: list[list[str]], places: tuple[int, ...], names: list[str], *, whole: bool
) -> NDArray[Any]:
    from shapely import points

    found = np.empty((len(rows), 2))
    for axis, place in enumerate(places):
        for number, row in enumerate(rows):
            found[number, axis] = _number(path, row[place], f"{names[place]} of point {number + 1}")
    if whole:
        if (found != np.round(found)).any():
            raise InputFileError(path, "lines or samples with fractions", "whole numbers from 0")
        found += 0.5  # the centre of the pixel
    return np.asarray(points(found), dtype=object)


def _number(path: Path, text: str, what: str) -> float:
    # A comma for the point, where semicolons separate.
    plain = text.replace(",", ".") if re.fullmatch(r"[-+]?\d+,\d+", text) else text
    try:
        value = float(plain)
    except ValueError:
        raise InputFileError(path, f"{what} is {text!r}", "a number") from None
    if not np.isfinite(value):
        raise InputFileError(path, f"{what} is {text!r}", "a finite number")
    return value


def _shapes(path: Path, texts: list[str]) -> NDArray[Any]:
    from shapely import force_2d, from_wkt

    from .reading_guard import reading

    with reading(path, "a table of shapes as well-known text"):
        return np.asarray(force_2d(from_wkt([text or None for text in texts])), dtype=object)
