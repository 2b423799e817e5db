"""Cubes written block by block in the format that the file's ending names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..atomic import atomic_file
from ..errors import FormatLimitError, OutputError
from ..map_endings import check_cube_ending
from ..user_files import resolved
from .formats.cube_file import CubeFile
from .formats.envi_writer import header_and_values, write_envi, write_envi_blocks
from .formats.geolocation import WGS84
from .formats.netcdf_writer import write_netcdf
from .formats.side_masks import side_mask_of, write_side_mask
from .formats.tiff_writer import write_cube_tiff
from .value_scale import declared_scale


def check_cube_target(path: Path, source: CubeFile) -> None:
    """Refuse a place where a cube made from `source` cannot be written.

    Raises:
        OutputError: a folder, an unknown ending, or a file of the source itself.
    """
    if path.is_dir():
        raise OutputError(path, "this is a folder", "a file name", "end it in .hdr")
    check_cube_ending(path)
    targets = {resolved(each) for each in files_of_cube(path)}
    places = [] if source.geolocation is None else [source.geolocation.path]
    if targets & {resolved(Path(file)) for file in (*source.files, *places)}:
        raise OutputError(path, "is the input itself", "another name: no input is overwritten")


def files_of_cube(target: Path) -> list[Path]:
    """All files that a cube of this name may have: itself, values, mask, places of its pixels."""
    ending = target.suffix.lower()
    files = header_and_values(target)
    places = header_and_values(_igm_of(target)) if ending == ".hdr" else []
    masks = [] if ending in (".npy", ".nc") else [side_mask_of(files[-1])]
    return [*files, *masks, *places]


def write_cube_like(
    path: Path, source: CubeFile, dtype: np.dtype[Any], blocks: Iterable[NDArray[Any]]
) -> tuple[Path, ...]:
    """Write a cube with all that another one's file says of its bands, its place and its units.

    GeoTIFF keeps widths and marks of bands in GDAL's metadata; NPY holds the values alone. A mask
    becomes a file of its own beside the values, as GDAL has it; in netCDF it is a variable.

    Args:
        path: .hdr (ENVI), .tif, .nc (netCDF-4) or .npy.
        source: what describes the cube; of the same shape.
        dtype: of the values; `storable` says which the format can hold.
        blocks: lines × samples × bands each, from the first line to the last.

    Returns:
        The files written.

    Raises:
        OutputError: the place cannot be written, or the format cannot hold the type or the
            reference system, or the scale.
    """
    ending = path.suffix.lower()
    valid: list[NDArray[np.bool_]] = []
    if source.mask is not None and ending not in (".npy", ".nc"):
        blocks = _watched(blocks, source, valid)
    if ending == ".npy":
        with atomic_file(path) as temporary, temporary.open("wb") as file:
            header = {"descr": dtype.str, "fortran_order": False, "shape": source.shape}
            np.lib.format.write_array_header_1_0(file, header)
            for block in blocks:
                file.write(np.ascontiguousarray(block, dtype=dtype).data)
        return (path,)
    if ending == ".nc":
        write_netcdf(path, source, dtype, blocks, _single_scale(path, source))
        return (path,)
    if ending == ".hdr":
        data = write_envi_blocks(
            path, source.shape, dtype, blocks, _envi_fields(source), source.georeference
        )
        beside = _places_beside(path, source)
        return (path, data, *_mask_beside(data, valid), *beside)
    write_cube_tiff(
        path,
        source.shape,
        dtype,
        blocks,
        source.band_names,
        source.wavelengths,
        source.georeference,
        source.nodata,
        source.kept_fields,
        source.fwhm,
        source.geolocation,
    )
    return (path, *_mask_beside(path, valid))


def _watched(
    blocks: Iterable[NDArray[Any]], source: CubeFile, valid: list[NDArray[np.bool_]]
) -> Iterator[NDArray[Any]]:
    """The blocks; where they hold data is noted on the way, by the mask and by their values.

    GDAL asks a mask alone, and no nodata value, where there is one.
    """
    line = 0
    for block in blocks:
        found = source.valid(block, line)
        valid.append(np.ones(block.shape[:2], bool) if found is None else found)
        line += len(block)
        yield block


def _places_beside(header: Path, source: CubeFile) -> tuple[Path, ...]:
    """Where each pixel of a swath lies, as ENVI has it: NAME_igm, of two bands."""
    places = source.geolocation
    target = _igm_of(header)
    if places is None:
        return ()
    names = ("longitude", "latitude") if places.crs == WGS84 else ("easting", "northing")
    fields: dict[str, object] = {"description": "input geometry", "band names": names}
    if places.crs is not None:
        fields["coordinate system string"] = places.crs
    data = write_envi(target, places.read(), fields, None)
    return (target, data)


def _igm_of(header: Path) -> Path:
    return header.with_name(f"{header.stem}_igm.hdr")


def _single_scale(path: Path, source: CubeFile) -> tuple[float, float] | None:
    """The gain and offset of all bands, as CF has them; None where values stand for themselves."""
    scale = declared_scale(source)
    if scale is None:
        return None
    if len(set(scale.gain)) > 1 or len(set(scale.offset)) > 1:
        raise FormatLimitError(
            path,
            "each band has a scale of its own",
            "one scale for all, as netCDF has",
            "--scaled writes what the values stand for; .hdr and .tif hold a scale for each band",
        )
    return scale.gain[0], scale.offset[0]


def _mask_beside(values: Path, valid: list[NDArray[np.bool_]]) -> tuple[Path, ...]:
    if not valid:
        # One of a result that was here before would mask this one.
        side_mask_of(values).unlink(missing_ok=True)
        return ()
    return (write_side_mask(values, np.concatenate(valid)),)


def storable(dtype: np.dtype[Any], ending: str) -> np.dtype[Any]:
    """The type that holds the values of `dtype` in a file of this ending (".hdr", ".tif" …)."""
    ending = ending.lower()
    if dtype == np.float16 and ending != ".npy":
        return np.dtype(np.float32)
    if dtype == np.int8 and ending == ".hdr":
        return np.dtype(np.int16)
    return dtype


def _envi_fields(source: CubeFile) -> dict[str, object]:
    fields: dict[str, object] = dict(source.kept_fields)
    if source.band_names:
        fields["band names"] = source.band_names
    if source.wavelengths is not None:
        fields["wavelength units"] = "Nanometers"
        fields["wavelength"] = tuple(repr(float(centre)) for centre in source.wavelengths)
    if source.fwhm is not None:
        fields["fwhm"] = tuple(repr(float(width)) for width in source.fwhm)
    if source.default_bands is not None:
        fields["default bands"] = tuple(band + 1 for band in source.default_bands)
    if source.nodata is not None:
        fields["data ignore value"] = f"{source.nodata:.17g}"
    return fields
