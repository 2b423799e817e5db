"""Cubes of any format written anew as ENVI, GeoTIFF, netCDF or NPY, strip by strip."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..atomic import keeping
from ..errors import InputFileError
from ..memory import BARE_PROGRAM_BYTES, check_limit
from .band_order import with_selection
from .band_selection import GOOD
from .cube_writer import check_cube_target, files_of_cube, storable, write_cube_like
from .formats.cube_file import CubeFile
from .formats.envi_header import GAINS, OFFSETS
from .readers import open_cube
from .value_scale import FACTOR, ValueScale, declared_scale, rescaled

# Longer strips are no faster.
_STRIP_BYTES = 2**27
# A strip as it is read and once more as it is written.
_WRITING_COPIES = 1


@dataclass(frozen=True)
class ExportedCube:
    """What an export has written.

    Attributes:
        written: the files.
        shape: lines, samples, bands.
        dtype: of the values.
        remarks: what a user should know, a short line each.
    """

    written: tuple[Path, ...]
    shape: tuple[int, int, int]
    dtype: str
    remarks: tuple[str, ...]


def export_cube(
    path: Path | str,
    output: Path | str,
    *,
    variable: str | None = None,
    axes: str | None = None,
    shape: Sequence[int] | None = None,
    nodata: float | None = None,
    **options: Any,
) -> ExportedCube:
    """Write a cube in another format with all that its file says of bands, place and units.

    The values stay as they are stored, and their scale goes with them. Everything is written whole
    or not at all.

    Args:
        path: of the cube; see `readers.open_cube` for the options that say how it is read.
        output: as in `export_open_cube`.
        variable: which of several arrays is meant.
        axes: order of its axes.
        shape: lines and samples of a matrix of spectra.
        nodata: value of missing data.
        options: those of `export_open_cube`.

    Raises:
        InputFileError: the cube cannot be read, or has no scale although it is asked for.
        OutputError: the place cannot be written, or a file is there.
        ConfigError: one line does not fit into the memory limit, or the choice of bands does not
            suit the cube.
    """
    with open_cube(path, variable=variable, axes=axes, shape=shape, nodata=nodata) as file:
        return export_open_cube(file, output, **options)


def export_open_cube(
    file: CubeFile,
    output: Path | str,
    *,
    bands: str | None = None,
    drop_water: bool = False,
    scaled: bool = False,
    memory_limit: float = 2e9,
    overwrite: bool = False,
) -> ExportedCube:
    """Write a cube that is open, as `export_cube` does.

    Args:
        file: the cube.
        output: .hdr (ENVI), .tif, .nc (netCDF-4) or .npy, which holds the values alone.
        bands: which are written, see `band_selection`; None: all, with the marks of bad ones.
        drop_water: leave out the bands in which water vapour leaves hardly any light.
        scaled: write what the values stand for, as float32, NaN where they are missing; their scale
            is 1 then.
        memory_limit: bytes for the whole process.
        overwrite: whether files that are there may be replaced.

    Raises:
        InputFileError: the cube has no scale although it is asked for.
        OutputError: the place cannot be written, or a file is there.
        ConfigError: one line does not fit into the memory limit, or the choice of bands does not
            suit the cube.
    """
    output = Path(output)
    if bands is not None or drop_water:
        file = with_selection(file, bands or GOOD, drop_water=drop_water)
    remarks = file.remarks
    check_cube_target(output, file)
    if scaled:
        file = _in_units(file)
    elif output.suffix.lower() in (".tif", ".tiff"):
        file = _with_gains(file, declared_scale(file))
    if output.suffix.lower() == ".npy":
        remarks += ("NPY holds the values alone, not what they are; .hdr, .tif and .nc hold both",)
    dtype = storable(file.dtype, output.suffix)
    height = _strip_lines(file, memory_limit)
    with keeping(files_of_cube(output), overwrite=overwrite):
        written = write_cube_like(output, file, dtype, _strips(file, height))
    return ExportedCube(written, file.shape, str(dtype), remarks)


def _with_gains(file: CubeFile, scale: ValueScale | None) -> CubeFile:
    """The cube with its scale as gains and offsets, the only form that GeoTIFF has."""
    if scale is None:
        return file
    pairs = ((GAINS, scale.gain), (OFFSETS, scale.offset))
    kept = {name: value for name, value in file.kept_fields.items() if name != FACTOR}
    fields = {name: tuple(map(repr, values)) for name, values in pairs}
    return replace(file, kept_fields={**kept, **fields})


def _in_units(file: CubeFile) -> CubeFile:
    """A cube of what the values of another one stand for."""
    scale = declared_scale(file)
    if scale is None:
        raise InputFileError(
            file.path, "does not say what its values stand for", "a scale", "leave --scaled out"
        )
    bands = file.shape[2]
    wanted = ValueScale((1.0,) * bands, (0.0,) * bands)
    file = rescaled(file, scale, wanted)
    # Without a scale, they would not be brought to that of other files.
    return _with_gains(replace(file, nodata=math.nan), wanted)


def _strip_lines(file: CubeFile, memory_limit: float) -> int:
    """Lines in a strip, within the limit.

    Raises:
        ConfigError: not even one keeps within it.
    """
    lines, samples, bands = file.shape
    line = samples * bands * file.dtype.itemsize

    def needed(height: int) -> float:
        return BARE_PROGRAM_BYTES + file.reading_bytes(height) + _WRITING_COPIES * height * line

    height = min(lines, max(1, _STRIP_BYTES // line))
    while height > 1 and needed(height) > memory_limit:
        height = (height + 1) // 2
    check_limit(memory_limit, needed(height), f"one line of {file.path.name}")
    return height


def _strips(file: CubeFile, height: int) -> Iterator[NDArray[Any]]:
    with np.errstate(over="ignore"):
        for start in range(0, file.shape[0], height):
            yield file.read(start, min(start + height, file.shape[0]))
