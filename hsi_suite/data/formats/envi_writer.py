"""ENVI pairs: a raw data file and its header, put in place together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...atomic import atomic_file
from ...errors import FormatLimitError
from ..scene import Georeference
from .envi_header import format_envi_header
from .georeferencing import make_map_info, simple_epsg

_ENVI_CODES = {"u1": 1, "i2": 2, "i4": 3, "f4": 4, "f8": 5, "u2": 12, "u4": 13, "i8": 14, "u8": 15}


def header_and_values(path: Path) -> list[Path]:
    """The files that are written under a name: an ENVI header has its values beside it."""
    return [path, path.with_suffix(".img")] if path.suffix.lower() == ".hdr" else [path]


def write_envi(
    header: Path,
    layers: NDArray[Any],
    fields: dict[str, object],
    georeference: Georeference | None,
) -> Path:
    """Write `layers` as band-sequential ENVI beside `header`, under its name with ".img".

    Both files are complete before either takes its name, the header last.

    Args:
        header: the .hdr file.
        layers: lines × samples × bands.
        fields: what the header says beyond shape, type and georeference.
        georeference: None when unknown.

    Returns:
        The data file.

    Raises:
        OutputError: a file cannot be written, or ENVI cannot hold the georeference.
    """
    stored = layers.dtype.newbyteorder("<")
    described = describe_envi(header, layers.shape, stored, "bsq", fields, georeference)
    data = header.with_suffix(".img")
    with atomic_file(header) as new_header, atomic_file(data) as new_data:
        new_header.write_text(described, encoding="utf-8", newline="\n")
        with new_data.open("wb") as file:
            for band in range(layers.shape[2]):
                file.write(np.ascontiguousarray(layers[:, :, band], dtype=stored).data)
    return data


def write_envi_blocks(
    header: Path,
    shape: tuple[int, int, int],
    dtype: np.dtype[Any],
    blocks: Iterable[NDArray[Any]],
    fields: dict[str, object],
    georeference: Georeference | None,
) -> Path:
    """As `write_envi`, band-interleaved by line, for a cube that comes in blocks of lines.

    Args:
        header: the .hdr file.
        shape: lines, samples, bands.
        dtype: of the values.
        blocks: lines × samples × bands each, from the first line to the last.
        fields: what the header says beyond shape, type and georeference.
        georeference: None when unknown.

    Returns:
        The data file.

    Raises:
        OutputError: a file cannot be written, or ENVI cannot hold the type or the georeference.
    """
    stored = dtype.newbyteorder("<")
    described = describe_envi(header, shape, stored, "bil", fields, georeference)
    data = header.with_suffix(".img")
    with atomic_file(header) as new_header, atomic_file(data) as new_data:
        new_header.write_text(described, encoding="utf-8", newline="\n")
        with new_data.open("wb") as file:
            for block in blocks:
                file.write(np.ascontiguousarray(block.transpose(0, 2, 1), dtype=stored).data)
    return data


def describe_envi(
    header: Path,
    shape: tuple[int, ...],
    stored: np.dtype[Any],
    interleave: str,
    fields: dict[str, object],
    georeference: Georeference | None,
) -> str:
    """The text of a header.

    Args:
        header: what it will be called, for messages.
        shape: lines, samples, bands.
        stored: type of the values, little-endian.
        interleave: bsq, bil or bip.
        fields: what it says beyond shape, type and georeference.
        georeference: None when unknown.

    Raises:
        OutputError: ENVI cannot hold the type or the georeference.
    """
    code = _ENVI_CODES.get(stored.str[1:])
    if code is None:
        raise FormatLimitError(header, f"ENVI has no type {stored.name}", "", "write .npy instead")
    lines, samples, bands = shape
    return format_envi_header(
        {
            "samples": samples,
            "lines": lines,
            "bands": bands,
            "header offset": 0,
            "file type": "ENVI Standard",
            "data type": code,
            "interleave": interleave,
            "byte order": 0,
            **fields,
            **_georeference_fields(header, georeference),
        }
    )


def classification_fields(
    class_names: Sequence[str], colours: NDArray[np.uint8]
) -> dict[str, object]:
    """What the header of a classification says beyond that of a cube.

    Args:
        class_names: names of the labels from 1 on.
        colours: RGB of the labels from 0 on, (classes + 1) × 3.
    """
    return {
        "file type": "ENVI Classification",
        "classes": len(class_names) + 1,
        "class names": ("Unclassified", *class_names),
        "class lookup": tuple(int(value) for value in colours.ravel()),
        "band names": ("class",),
    }


def _georeference_fields(header: Path, georeference: Georeference | None) -> dict[str, object]:
    if georeference is None:
        return {}
    epsg = simple_epsg(georeference.crs)
    info = georeference.map_info or make_map_info(georeference.transform, epsg)
    if info is None:
        raise FormatLimitError(
            header, "ENVI cannot hold a sheared or mirrored grid", "", "write .tif instead"
        )
    fields: dict[str, object] = {"map info": info}
    text = _coordinate_system(header, georeference, epsg)
    if text:
        fields["coordinate system string"] = text
    return fields


def _coordinate_system(header: Path, georeference: Georeference, epsg: int | None) -> str | None:
    """WKT for the header: an ENVI file's own unchanged, otherwise in the dialect ENVI expects."""
    crs = georeference.crs
    is_code = crs is not None and crs.upper().startswith("EPSG:")
    if crs is None or (georeference.map_info and not is_code):
        return crs
    try:
        from rasterio.crs import CRS
        from rasterio.enums import WktVersion
        from rasterio.errors import CRSError
    except ImportError:
        if epsg is not None:  # map info says it all
            return None if is_code else crs
        if is_code:
            raise FormatLimitError(
                header,
                f"the reference system {crs} needs rasterio to be spelled out",
                "UTM or a common geographic system, which do not",
                "install hsi-suite[geo], or write .npy or .png",
            ) from None
        return crs
    try:
        system = CRS.from_user_input(crs)
        # Some systems mean something else once said in ESRI's dialect.
        for version in (WktVersion.WKT1_ESRI, WktVersion.WKT1_GDAL):
            text = str(system.to_wkt(version=version))
            if CRS.from_wkt(text) == system:
                return text
    except CRSError as error:
        raise FormatLimitError(
            header, f"the reference system {crs[:60]} has no form that ENVI reads", "", "write .tif"
        ) from error
    return text
