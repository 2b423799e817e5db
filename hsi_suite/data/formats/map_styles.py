"""Class names and colours of a GeoTIFF map, in the files beside it where a GIS looks for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from ...atomic import write_text
from ...printable import plain

_UNLABELLED = "Unclassified"
# Of GDAL's attribute tables: name of a column, type (0 integer, 2 text), what it is for.
_COLUMNS = (
    ("Value", "Integer", 0, "MinMax", 5),
    ("Class", "String", 2, "Name", 2),
    ("Red", "Integer", 0, "Red", 6),
    ("Green", "Integer", 0, "Green", 7),
    ("Blue", "Integer", 0, "Blue", 8),
)


def side_names(name: str) -> tuple[str, str]:
    """What the files beside a GeoTIFF map are called: GDAL's and QGIS's."""
    return f"{name}.aux.xml", f"{Path(name).stem}.qml"


def map_sides(name: str, class_names: Sequence[str], colours: NDArray[np.uint8]) -> dict[str, str]:
    """The files beside a map, by name: GDAL's (.aux.xml) and QGIS's style (.qml).

    Args:
        name: of the map's file.
        class_names: names of the labels from 1 on.
        colours: RGB of the labels from 0 on.
    """
    # XML holds no control characters.
    names = [_UNLABELLED, *map(plain, class_names)]
    texts = _attribute_table(names, colours), _style(names, colours)
    return dict(zip(side_names(name), texts, strict=True))


def write_map_sides(path: Path, class_names: Sequence[str], colours: NDArray[np.uint8]) -> None:
    """Write the files beside the map `path`; see `map_sides`.

    Raises:
        OutputError: a file cannot be written.
    """
    for name, text in map_sides(path.name, class_names, colours).items():
        write_text(path.with_name(name), text)


def _attribute_table(names: Sequence[str], colours: NDArray[np.uint8]) -> str:
    """Category names and a raster attribute table, as GDAL writes them (PAM)."""
    fields = (
        f'<FieldDefn index="{place}"><Name>{column}</Name>'
        f'<Type typeAsString="{kind}">{type_number}</Type>'
        f'<Usage typeAsString="{usage}">{usage_number}</Usage></FieldDefn>'
        for place, (column, kind, type_number, usage, usage_number) in enumerate(_COLUMNS)
    )
    rows = (
        f'<Row index="{value}"><F>{value}</F><F>{escape(name)}</F>'
        + "".join(f"<F>{part}</F>" for part in colours[value])
        + "</Row>"
        for value, name in enumerate(names)
    )
    return "\n".join(
        [
            "<PAMDataset>",
            '<PAMRasterBand band="1">',
            "<CategoryNames>",
            *(f"<Category>{escape(name)}</Category>" for name in names),
            "</CategoryNames>",
            '<GDALRasterAttributeTable tableType="thematic">',
            *fields,
            *rows,
            "</GDALRasterAttributeTable>",
            "</PAMRasterBand>",
            "</PAMDataset>",
            "",
        ]
    )


def _style(names: Sequence[str], colours: NDArray[np.uint8]) -> str:
    """A paletted renderer; QGIS applies the file when the map is opened."""
    entries = (
        f'<paletteEntry value="{value}" label={quoteattr(name)} '
        f'color="#{"".join(f"{part:02x}" for part in colours[value])}" alpha="255"/>'
        for value, name in enumerate(names)
        if value
    )
    return "\n".join(
        [
            "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>",
            '<qgis version="3.22" styleCategories="Symbology">',
            "<pipe>",
            '<rasterrenderer type="paletted" band="1" opacity="1" alphaBand="-1" nodataColor="">',
            "<rasterTransparency/>",
            "<colorPalette>",
            *entries,
            "</colorPalette>",
            "</rasterrenderer>",
            "</pipe>",
            "</qgis>",
            "",
        ]
    )
