"""TIFF and GeoTIFF files of maps and layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import tifffile
from numpy.typing import NDArray

from ...atomic import atomic_file
from ...errors import OutputError
from ..scene import Georeference
from .envi_header import GAINS, OFFSETS, HeaderValue
from .geolocation import Geolocation
from .geotiff_tags import ExtraTag, control_point_tags, geotiff_tags
from .map_styles import write_map_sides

_ASCII = 2
_GDAL_METADATA, _GDAL_NODATA = 42112, 42113


def write_map_tiff(
    path: Path,
    labels: NDArray[np.unsignedinteger],
    class_names: Sequence[str],
    colours: NDArray[np.uint8],
    georeference: Georeference | None,
) -> None:
    """Write labels (lines × samples) with a colour table; 0 is nodata.

    Class names stand in GDAL's metadata as CLASS_1, CLASS_2, …, since GeoTIFF has no place for
    them, and in the files beside it that `map_styles` writes.

    Raises:
        OutputError: the file cannot be written, or rasterio is needed for the reference system.
    """
    table = _colour_table(colours, labels.dtype)
    tags = _map_tags(path, class_names, georeference)
    _write(path, labels, tags, photometric="palette", colormap=table)
    write_map_sides(path, class_names, colours)


def start_map_tiff(
    file: Path,
    path: Path,
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    class_names: Sequence[str],
    colours: NDArray[np.uint8],
    georeference: Georeference | None,
    remark: str | None = None,
) -> int:
    """As `write_map_tiff`, for labels that are still to come: uncompressed and all 0.

    Args:
        file: what is written.
        path: what it will be called, for messages.
        shape: lines, samples.
        dtype: of the labels.
        class_names: names of the labels from 1 on.
        colours: RGB of the labels from 0 on.
        georeference: None when unknown.
        remark: what GDAL's metadata say beside that, as REMARK.

    Returns:
        Where the labels start, in bytes.

    Raises:
        OutputError: the file cannot be written, or rasterio is needed for the reference system.
    """
    table = _colour_table(colours, dtype)
    tags = _map_tags(path, class_names, georeference, remark)
    return _start(file, path, shape, dtype, tags, photometric="palette", colormap=table)


def write_layers_tiff(
    path: Path,
    layers: NDArray[np.floating[Any]],
    band_names: Sequence[str],
    georeference: Georeference | None,
    nodata: float | None,
) -> None:
    """Write layers (lines × samples × bands), one plane for each band.

    Raises:
        OutputError: the file cannot be written, or rasterio is needed for the reference system.
    """
    planes = np.ascontiguousarray(layers.transpose(2, 0, 1))
    planar = {"planarconfig": "separate"} if len(planes) > 1 else {}
    _write(
        path,
        planes if len(planes) > 1 else planes[0],
        [*_gdal_tags({}, band_names, nodata), *_geo(path, georeference)],
        photometric="minisblack",
        **planar,
    )


def write_cube_tiff(
    path: Path,
    shape: tuple[int, int, int],
    dtype: np.dtype[Any],
    blocks: Iterable[NDArray[Any]],
    band_names: Sequence[str],
    wavelengths: NDArray[np.float64] | None,
    georeference: Georeference | None,
    nodata: float | None,
    kept_fields: Mapping[str, HeaderValue] | None = None,
    fwhm: NDArray[np.float64] | None = None,
    geolocation: Geolocation | None = None,
) -> None:
    """Write a cube that comes in blocks of lines: uncompressed, interleaved by pixel.

    Wavelengths stand in GDAL's metadata as it writes those of an ENVI file: WAVELENGTH and
    WAVELENGTH_UNITS of each band; beside them FWHM, in the same unit, and BBL (0: a bad band).

    Raises:
        OutputError: the file cannot be written, or rasterio is needed for the reference system.
    """
    with atomic_file(path) as temporary:
        place = start_cube_tiff(
            temporary,
            path,
            shape,
            dtype,
            band_names,
            wavelengths,
            georeference,
            nodata,
            kept_fields,
            fwhm=fwhm,
            geolocation=geolocation,
        )
        with temporary.open("r+b") as file:
            file.seek(place)
            for block in blocks:
                file.write(np.ascontiguousarray(block, dtype=dtype).data)


def start_cube_tiff(
    file: Path,
    path: Path,
    shape: tuple[int, int, int],
    dtype: np.dtype[Any],
    band_names: Sequence[str],
    wavelengths: NDArray[np.float64] | None,
    georeference: Georeference | None,
    nodata: float | None,
    kept_fields: Mapping[str, HeaderValue] | None = None,
    remark: str | None = None,
    fwhm: NDArray[np.float64] | None = None,
    geolocation: Geolocation | None = None,
) -> int:
    """As `write_cube_tiff`, for values that are still to come; all are 0.

    Args:
        file: what is written.
        path: what it will be called, for messages.
        shape: lines, samples, bands.
        dtype: of the values.
        band_names: one for each band, or none.
        wavelengths: centres of the bands in nm; None when unknown.
        georeference: None when unknown.
        nodata: the value that marks missing pixels; None: there is none.
        kept_fields: see `CubeFile`; of these a TIFF file holds the scale, the offset and the marks
            of the bands.
        remark: what GDAL's metadata say beside that, as REMARK.
        fwhm: widths of the bands in nm; None when unknown.
        geolocation: of a swath, of which the file holds ground control points.

    Returns:
        Where the values start, in bytes.

    Raises:
        OutputError: the file cannot be written, or rasterio is needed for the reference system.
    """
    further = [] if wavelengths is None else _wavelength_items(wavelengths)
    further += _band_items("FWHM", () if fwhm is None else map(repr, fwhm.tolist()))
    further += _band_items("BBL", (kept_fields or {}).get("bbl", ()))
    further += _scaling_items(kept_fields or {})
    items = {} if remark is None else {"REMARK": remark}
    tags = [*_gdal_tags(items, band_names, nodata, further), *_geo(path, georeference)]
    points = geolocation.points() if geolocation is not None and georeference is None else ()
    if geolocation is not None and len(points) > 2:
        tags += control_point_tags(path, np.asarray(points), geolocation.crs)
    if shape[2] == 1:
        return _start(file, path, shape[:2], dtype, tags, photometric="minisblack")
    return _start(file, path, shape, dtype, tags, photometric="minisblack", planarconfig="contig")


def _start(
    file: Path,
    path: Path,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    tags: list[ExtraTag],
    **options: Any,
) -> int:
    try:
        place = tifffile.imwrite(
            file,
            shape=shape,
            dtype=dtype,
            metadata=None,
            software=False,
            returnoffset=True,
            extratags=tags,
            **options,
        )
    except ValueError as error:
        raise OutputError(path, f"cannot be written ({error})", "", "write .npy") from error
    assert place is not None
    return int(place[0])


def _colour_table(colours: NDArray[np.uint8], dtype: np.dtype[Any]) -> NDArray[np.uint16]:
    table = np.zeros((3, 2 ** (8 * dtype.itemsize)), np.uint16)
    table[:, : len(colours)] = colours.T.astype(np.uint16) * 257
    return table


def _map_tags(
    path: Path,
    class_names: Sequence[str],
    georeference: Georeference | None,
    remark: str | None = None,
) -> list[ExtraTag]:
    names = {f"CLASS_{label}": name for label, name in enumerate(class_names, 1)}
    if remark is not None:
        names["REMARK"] = remark
    return [*_gdal_tags(names, (), 0.0), *_geo(path, georeference)]


def _wavelength_items(wavelengths: NDArray[np.float64]) -> list[str]:
    units = ["Nanometers"] * len(wavelengths)
    # Every digit, and none that says nothing: "418.24", "425".
    written = [np.format_float_positional(centre, trim="-") for centre in wavelengths]
    return [
        *_band_items("WAVELENGTH", written),
        *_band_items("WAVELENGTH_UNITS", units),
    ]


def _band_items(name: str, values: Iterable[str]) -> list[str]:
    return [
        f'<Item name="{name}" sample="{band}">{escape(value)}</Item>'
        for band, value in enumerate(values)
    ]


def _scaling_items(fields: Mapping[str, HeaderValue]) -> list[str]:
    return [
        f'<Item name="{role.upper()}" sample="{band}" role="{role}">{escape(value)}</Item>'
        for role, name in (("scale", GAINS), ("offset", OFFSETS))
        for band, value in enumerate(fields.get(name, ()))
    ]


def _geo(path: Path, georeference: Georeference | None) -> list[ExtraTag]:
    return [] if georeference is None else geotiff_tags(path, georeference)


def _gdal_tags(
    items: Mapping[str, str],
    band_names: Sequence[str],
    nodata: float | None,
    further: Sequence[str] = (),
) -> list[ExtraTag]:
    # GDAL escapes the text itself before the XML does, and undoes both when it reads.
    rows = [
        f"<Item name={quoteattr(key)}>{escape(escape(text))}</Item>" for key, text in items.items()
    ]
    rows += [
        f'<Item name="DESCRIPTION" sample="{band}" role="description">{escape(escape(name))}</Item>'
        for band, name in enumerate(band_names)
    ]
    rows += further
    tags: list[ExtraTag] = []
    if rows:
        text = "\n".join(["<GDALMetadata>", *rows, "</GDALMetadata>"])
        tags.append((_GDAL_METADATA, _ASCII, 0, text.encode(), True))
    if nodata is not None:
        tags.append((_GDAL_NODATA, _ASCII, 0, f"{nodata:.17g}", True))
    return tags


def _write(path: Path, array: NDArray[Any], tags: list[ExtraTag], **options: Any) -> None:
    with atomic_file(path) as temporary:
        try:
            tifffile.imwrite(
                temporary,
                array,
                compression="zlib",
                metadata=None,
                software=False,
                extratags=tags,
                **options,
            )
        except ValueError as error:
            raise OutputError(path, f"cannot be written ({error})", "", "write .npy") from error
