"""The georeference in a TIFF file's tags, read and written with or without rasterio."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ...errors import FormatLimitError
from ...process_wide import ignoring
from ..scene import Georeference
from .georeferencing import Affine, is_geographic, simple_epsg
from .reading_guard import muted_errors

PIXEL_SCALE, TIEPOINT, TRANSFORMATION = 33550, 33922, 34264
GEO_KEYS, GEO_DOUBLES, GEO_TEXTS = 34735, 34736, 34737
_MODEL_TYPE, _RASTER_TYPE, _GEOGRAPHIC_CODE, _PROJECTED_CODE = 1024, 1025, 2048, 3072
_USER_DEFINED = 32767
_ASCII, _SHORT, _DOUBLE = 2, 3, 12
ExtraTag = tuple[int, int, int, Any, bool]


def read_geotiff(path: Path, page: tifffile.TiffPage) -> Georeference | None:
    """The georeference of a TIFF page; None when it has none.

    The reference system is "EPSG:n" when the tags give a code; another one is read by rasterio
    where that is installed and is None elsewhere.
    """
    keys = _geo_keys(page)
    transform = _transform(page, keys.get(_RASTER_TYPE) == 2)
    if transform is None:
        return None
    code = keys.get(_PROJECTED_CODE) or keys.get(_GEOGRAPHIC_CODE)
    if _PROJECTED_CODE not in keys and keys.get(_MODEL_TYPE) == 1:
        code = None  # a projection of its own on a geographic system with a code
    if code and 0 < code < _USER_DEFINED:
        return Georeference(f"EPSG:{code}", transform)
    return Georeference(_crs_by_rasterio(path) if keys else None, transform)


def copied_geotiff_tags(page: tifffile.TiffPage) -> tuple[ExtraTag, ...]:
    """The tags that say where a page lies, as they stand; () where it does not say.

    A tag of another type than GeoTIFF gives it is damaged and says nothing.
    """
    codes = {GEO_KEYS: _SHORT, GEO_TEXTS: _ASCII} | dict.fromkeys(
        (PIXEL_SCALE, TIEPOINT, TRANSFORMATION, GEO_DOUBLES), _DOUBLE
    )
    found = [page.tags[code] for code in codes if code in page.tags]
    return tuple(
        (tag.code, int(tag.dtype), tag.count, tag.value, True)
        for tag in found
        if int(tag.dtype) == codes[tag.code]
    )


def geotiff_tags(path: Path, georeference: Georeference) -> list[ExtraTag]:
    """The tags that give a TIFF file `georeference`, as tifffile takes them.

    Args:
        path: the file they are for, named in messages.
        georeference: where the raster lies.

    Raises:
        OutputError: the reference system needs rasterio, or is one that rasterio does not know.
    """
    return [*_transform_tags(georeference.transform), *_crs_tags(path, georeference.crs)]


def control_point_tags(path: Path, points: NDArray[np.float64], crs: str | None) -> list[ExtraTag]:
    """The tags that give a TIFF file ground control points.

    Args:
        path: the file they are for, named in messages.
        points: sample, line, x, y of each; two at least.
        crs: their reference system; None when unknown.

    Raises:
        OutputError: the reference system needs rasterio, or is one that rasterio does not know.
    """
    flat = np.zeros((len(points), 6))
    flat[:, [0, 1, 3, 4]] = points
    return [(TIEPOINT, _DOUBLE, flat.size, tuple(flat.ravel()), True), *_crs_tags(path, crs)]


def _geo_keys(page: tifffile.TiffPage) -> dict[int, int]:
    """Those GeoTIFF keys whose value is a number standing in the key itself."""
    directory = _values(page, GEO_KEYS)
    entries = zip(*(directory[start::4] for start in range(4, 8)), strict=False)
    return {int(key): int(value) for key, place, _, value in entries if place == 0}


def _values(page: tifffile.TiffPage, code: int) -> tuple[float, ...]:
    value = page.tags.valueof(code, ())
    return tuple(value) if isinstance(value, tuple | list) else ()


def _transform(page: tifffile.TiffPage, pixel_is_point: bool) -> Affine | None:
    matrix = _values(page, TRANSFORMATION)
    scale, tie = _values(page, PIXEL_SCALE), _values(page, TIEPOINT)
    if len(matrix) == 16:
        a, b, _, c, d, e, _, f = matrix[:8]
    elif len(scale) >= 2 and len(tie) == 6:
        sample, line, _, x, y, _ = tie
        a, b, d, e = scale[0], 0.0, 0.0, -scale[1]
        c, f = x - sample * scale[0], y + line * scale[1]
    else:
        return None
    if pixel_is_point:  # the tags then speak of the pixel's centre
        c, f = c - (a + b) / 2, f - (d + e) / 2
    return (float(a), float(b), float(c), float(d), float(e), float(f))


def _transform_tags(transform: Sequence[float]) -> list[ExtraTag]:
    a, b, c, d, e, f = transform
    if b == 0.0 == d and a > 0 > e:
        return [
            (PIXEL_SCALE, _DOUBLE, 3, (a, -e, 0.0), True),
            (TIEPOINT, _DOUBLE, 6, (0.0, 0.0, 0.0, c, f, 0.0), True),
        ]
    matrix = (a, b, 0.0, c, d, e, 0.0, f, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    return [(TRANSFORMATION, _DOUBLE, 16, matrix, True)]


def _crs_tags(path: Path, crs: str | None) -> list[ExtraTag]:
    if crs is None:
        return []
    epsg = simple_epsg(crs)
    if epsg is None:
        return _crs_tags_by_rasterio(path, crs)
    model, code = (2, _GEOGRAPHIC_CODE) if is_geographic(epsg) else (1, _PROJECTED_CODE)
    keys = [(_MODEL_TYPE, 0, 1, model), (_RASTER_TYPE, 0, 1, 1), (code, 0, 1, epsg)]
    flat = (1, 1, 0, len(keys), *(number for key in keys for number in key))
    return [(GEO_KEYS, _SHORT, len(flat), flat, True)]


def _crs_tags_by_rasterio(path: Path, crs: str) -> list[ExtraTag]:
    """The keys of any reference system, taken from a file of one pixel that rasterio writes."""
    try:
        from rasterio.crs import CRS
        from rasterio.errors import CRSError
        from rasterio.io import MemoryFile
    except ImportError:
        raise FormatLimitError(
            path,
            f"the reference system {crs[:60]} needs rasterio",
            "UTM or a common geographic system, which do not",
            "install hsi-suite[geo], or write .npy or .png",
        ) from None
    try:
        system = CRS.from_user_input(crs)
    except CRSError as error:
        raise FormatLimitError(
            path, f"unknown reference system {crs[:60]}", "WKT or EPSG:n"
        ) from error
    with ignoring(), MemoryFile() as memory:
        profile = {"width": 1, "height": 1, "count": 1, "dtype": "uint8", "driver": "GTiff"}
        with memory.open(crs=system, **profile):
            pass
        with tifffile.TiffFile(io.BytesIO(memory.read())) as tiff:
            tags = tiff.pages.first.tags
            return [
                (code, tags[code].dtype, tags[code].count, tags[code].value, True)
                for code in (GEO_KEYS, GEO_DOUBLES, GEO_TEXTS)
                if code in tags
            ]


def _crs_by_rasterio(path: Path) -> str | None:
    try:
        import rasterio
    except ImportError:
        return None
    # Outside an Env GDAL prints its warnings on the terminal.
    # PROJ writes to the terminal by itself, and so does rasterio where GDAL says what is no UTF-8.
    with muted_errors(), rasterio.Env(), rasterio.open(path) as dataset:
        return str(dataset.crs.to_wkt()) if dataset.crs else None
