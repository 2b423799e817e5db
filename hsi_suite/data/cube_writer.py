"""Cubes written block by block in the format that the file's ending names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..atomic import atomic_file
from ..errors import FormatLimitError, OutputError
from ..user_files import resolved
from .formats.cube_file import CubeFile
from .formats.envi_writer import write_envi_blocks
from .formats.netcdf_writer import write_netcdf
from .formats.side_masks import side_mask_of, write_side_mask
from .formats.tiff_writer import write_cube_tiff
from .value_scale import declared_scale

CUBE_ENDINGS = (".hdr", ".tif", ".tiff", ".nc", ".npy")


def check_cube_target(path: Path, source: CubeFile) -> None:
    """Refuse a place where a cube made from `source` cannot be written.

    Raises:
        OutputError: a folder, an unknown ending, or a file of the source itself.
    """
    if path.is_dir():
        raise OutputError(path, "this is a folder", "a file name", "end it in .hdr")
    if path.suffix.lower() not in CUBE_ENDINGS:
        raise OutputError(
            path, f"the ending {path.suffix!r} names no format", f"one of {', '.join(CUBE_ENDINGS)}"
        )
    targets = {resolved(path)}
    if path.suffix.lower() == ".hdr":
        targets.add(resolved(path.with_suffix(".img")))
    if targets & {resolved(Path(file)) for file in source.files}:
        raise OutputError(path, "is the input itself", "another name: no input is overwritten")


def files_of_cube(target: Path) -> list[Path]:
    """All files that a cube of this name may have: itself, its values, its mask."""
    ending = target.suffix.lower()
    data = [target.with_suffix(".img")] if ending == ".hdr" else []
    masks = [] if ending in (".npy", ".nc") else [side_mask_of(path) for path in (data or [target])]
    return [target, *data, *masks]


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
        return (path, data, *_mask_beside(data, source))
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
    )
    return (path, *_mask_beside(path, source))


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


def _mask_beside(values: Path, source: CubeFile) -> tuple[Path, ...]:
    if source.mask is None:
        # One of a result that was here before would mask this one.
        side_mask_of(values).unlink(missing_ok=True)
        return ()
    return (write_side_mask(values, source.mask.read_lines(0, source.shape[0])),)


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
