"""EMIT L1B radiance and L2A reflectance: netCDF-4 files of NASA's LP DAAC.

Layout after the writer of the files (emit-sds/emit-utils, `daac_converter`) and the EMIT-Box reader
of the EnMAP-Box.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ....errors import InputFileError
from ...scene import Georeference
from ..array_axes import ArrayRequest
from ..array_choice import check_cube, size_text
from ..cube_file import CubeFile, LineSource, in_native_order
from ..geolocation import Geolocation
from ..georeferencing import simple_epsg
from ..hdf5_facts import Missing, missing_markers
from ..hdf5_files import refuse_shortened
from ..reading_guard import reading
from .facts import ProductBands, ProductFacts, require_known
from .flag_files import Flags, in_words, masked_by, require_fitting
from .hdf5_parts import WHAT, Hdf5Parts, nanometres, swath_places
from .lookup_grid import LookupGrid, SensorPixels

_BANDS = "sensor_band_parameters"
_AXES = ("y", "x", "band")
# What the array is called, and what its values stand for.
_CUBES = {
    "reflectance": ("L2A", "surface reflectance", "1"),
    "radiance": ("L1B", "top-of-atmosphere radiance", "uW cm-2 sr-1 nm-1"),
}
_VERSIONS = ("V001", "V002")
# Date, orbit and number of a scene, which all its files share.
_SCENE = re.compile(r"_\d{8}T\d{6}_\d+_\d+$")
# Flags of pixels in which the ground is not seen.
_UNSEEN = ("cloud flag", "spacecraft flag")
_COPY = "copy or fetch the file again"


def open_emit(parts: Hdf5Parts, request: ArrayRequest, marked: bool) -> CubeFile | None:
    """The cube of an EMIT product; None where the file is something else.

    It is read on the map grid of the product's lookup table, each place from the nearest pixel;
    `request.variable` names the array to have it as the sensor saw it.

    Args:
        parts: the open file.
        request: whether the array itself is meant; other variables are left to the reader of plain
            HDF5.
        marked: whether the product's own marks of missing values count.

    Raises:
        InputFileError: data sets or attributes are missing or cannot be what they should be.
    """
    if not isinstance(parts.find(_BANDS), h5py.Group):
        return None
    name = next((name for name in _CUBES if isinstance(parts.find(name), h5py.Dataset)), None)
    if name is None or request.variable not in (None, name):
        return None
    level, quantity, unit = _CUBES[name]
    version = parts.text(parts.file, "product_version")
    if version:
        require_known(
            parts.path, "EMIT product version", f"V{version.lstrip('vV0')[:20]:0>3}", _VERSIONS,
            f"--axes y,x,band --scene-variable {name} reads the array alone",
        )  # fmt: skip
    dataset = parts.dataset(name, 3)
    check_cube(parts.path, dataset.shape, dataset.dtype)
    missing = missing_markers(dataset) if marked else Missing()
    bands = _bands(parts, name, dataset.shape[2])
    swath = parts.lines(name, _AXES, missing)
    source: LineSource = swath
    shape: tuple[int, int, int] = tuple(dataset.shape)
    place = None
    position = "sensor geometry, without a map grid"
    if request.variable is None and parts.find("location/glt_x") is not None:
        source, shape, place = _on_the_map(parts, dataset, missing)
        position = (
            "map grid of the product's lookup table (GLT), each place from the nearest pixel; "
            f"--scene-variable {name} reads it as the sensor saw it"
        )
    flags = _flags(parts.path) if marked else None
    quality = in_words(
        [flags] if flags else [],
        "cirrus, dilated clouds and water" if flags
        else "clouds are flagged in the L2A mask file, which does not lie beside it: its flags",
    )  # fmt: skip
    facts = ProductFacts("EMIT", level, version, quantity, unit, position, quality)
    time = parts.text(parts.file, "time_coverage_start")
    cube = CubeFile(
        parts.path,
        "netCDF-4",
        shape,
        source,
        (parts.path,),
        wavelengths=bands.centres,
        fwhm=bands.widths if len(bands.widths) else None,
        georeference=place,
        geolocation=None if place else _places(parts, dataset.shape[:2]),
        nodata=missing.value,
        kept_fields={**bands.fields, "sensor type": facts.title}
        | ({"acquisition time": time} if time else {}),
        remarks=missing.remarks,
        product=facts,
    )
    return cube if flags is None else _masked(parts, cube, flags, dataset.shape, place is not None)


def _flags(path: Path) -> Flags | None:
    """The mask file of the same scene, which lies beside a product; None: there is none.

    Raises:
        InputFileError: it is damaged, or names no flag of clouds.
    """
    scene = _SCENE.search(path.stem)
    if scene is None:
        return None
    found = sorted(path.parent.glob(f"EMIT_L2A_MASK_*{scene[0]}.nc"))
    if not found:
        return None
    with reading(found[-1], WHAT), h5py.File(found[-1], "r", locking=False) as file:
        names = Hdf5Parts(found[-1], file).find(f"{_BANDS}/mask_bands")
        stored: Any = np.asarray(names[...]).ravel() if isinstance(names, h5py.Dataset) else []
    texts = [t.decode("utf-8", "replace") if isinstance(t, bytes) else str(t) for t in stored]
    layers = [at for at, name in enumerate(texts) if " ".join(name.lower().split()) in _UNSEEN]
    if not layers:
        raise InputFileError(
            found[-1], "names no flag of clouds", f"{_BANDS}/mask_bands with 'Cloud flag'",
            "copy or fetch the file again, or remove it",
        )  # fmt: skip
    return Flags(found[-1], (1,), "clouds and the spacecraft", layers)


def _masked(
    parts: Hdf5Parts, cube: CubeFile, flags: Flags, shape: tuple[int, int, int], on_the_map: bool
) -> CubeFile:
    """The cube without the pixels that the mask file flags, which knows the sensor's pixels."""
    beside: h5py.File | None = None
    try:
        with reading(flags.path, WHAT):
            beside = h5py.File(flags.path, "r", locking=False)
        other = Hdf5Parts(flags.path, beside)
        layers = other.dataset("mask", 3)
        require_fitting(replace(cube, shape=shape), flags, layers.shape)
        source: LineSource = other.lines("mask", _AXES)
        if on_the_map:
            source = _grid(parts, other, layers, Missing(), beside.close)
    except BaseException:
        cube.close()
        if beside is not None:
            beside.close()
        raise
    return masked_by(cube, flags, source)


def _bands(parts: Hdf5Parts, name: str, count: int) -> ProductBands:
    # The first files called them after their array.
    first = f"{_BANDS}/wavelengths"
    if parts.find(first) is None and parts.find(f"{_BANDS}/{name}_wl") is not None:
        first = f"{_BANDS}/{name}_wl"
    centres = nanometres(parts, first)
    if len(centres) != count:
        raise InputFileError(
            parts.path, f"{first} lists {len(centres)} bands", f"the {count} of {name}", _COPY
        )
    second = f"{_BANDS}/{'fwhm' if first.endswith('wavelengths') else f'{name}_fwhm'}"
    widths = nanometres(parts, second) if parts.find(second) is not None else np.zeros(0)
    marks = f"{_BANDS}/good_wavelengths"
    good = parts.values(marks) != 0 if parts.find(marks) is not None else np.zeros(0)
    return ProductBands(parts.path, centres, widths, good=good)


def _places(parts: Hdf5Parts, shape: tuple[int, int]) -> Geolocation | None:
    return swath_places(parts, [("location/lon", "location/lat")], shape)


def _on_the_map(
    parts: Hdf5Parts, dataset: h5py.Dataset, missing: Missing
) -> tuple[LookupGrid, tuple[int, int, int], Georeference]:
    source = _grid(parts, parts, dataset, missing, parts.file.close)
    lines, samples = parts.dataset("location/glt_y", 2).shape
    return source, (lines, samples, dataset.shape[2]), _place(parts)


def _grid(
    parts: Hdf5Parts,
    holder: Hdf5Parts,
    dataset: h5py.Dataset,
    missing: Missing,
    close: Callable[[], None],
) -> LookupGrid:
    """An array of the sensor's pixels, which another file may hold, on the grid of the product."""
    tables = [parts.dataset(f"location/glt_{axis}", 2) for axis in "yx"]
    sizes = {tuple(table.shape) for table in tables}
    if len(sizes) != 1 or any(table.dtype.kind not in "iu" for table in tables):
        found = " and ".join(f"{size_text(t.shape)} {t.dtype}" for t in tables)
        raise InputFileError(
            parts.path, f"location/glt_y and glt_x are {found}", "whole numbers on one grid", _COPY
        )
    size, held = parts.path.stat().st_size, holder.path.stat().st_size
    markers = [missing_markers(table).value for table in tables]

    def table(first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        with reading(parts.path, WHAT):
            lines, samples = (np.asarray(each[first:last], np.int64) for each in tables)
            refuse_shortened(parts.path, size)
        for values, marker in zip((lines, samples), markers, strict=True):
            if marker is not None:
                values[values == marker] = 0
        return lines, samples

    def read(top: int, bottom: int, left: int, right: int) -> NDArray[Any]:
        with reading(holder.path, WHAT):
            values = dataset[top:bottom, left:right]
            refuse_shortened(holder.path, held)
        return missing.unified(in_native_order(values))

    dtype: np.dtype[Any] = np.dtype(dataset.dtype).newbyteorder("=")
    pixels = SensorPixels(holder.path, tuple(dataset.shape), dtype, read)
    nothing = np.nan if dtype.kind == "f" else 0
    filling = nothing if missing.value is None else missing.value
    return LookupGrid(pixels, table, filling, close)


def _place(parts: Hdf5Parts) -> Georeference:
    numbers = parts.numbers(parts.file, "geotransform")
    if len(numbers) != 6 or not np.isfinite(numbers).all() or not numbers[1] or not numbers[5]:
        raise InputFileError(
            parts.path,
            f"the attribute geotransform is {', '.join(f'{n:g}' for n in numbers[:6])}",
            "six numbers, as GDAL has them",
            _COPY,
        )
    # GDAL begins with x; see `Georeference`.
    c, a, b, f, d, e = map(float, numbers)
    system = parts.text(parts.file, "spatial_ref")
    code = simple_epsg(system)
    return Georeference(f"EPSG:{code}" if code else system or None, (a, b, c, d, e, f))
