"""Cubes as netCDF-4 files with CF attributes, as xarray and rioxarray read and write them.

Such a file is HDF5 whose axes are dimension scales (NetCDF User's Guide, appendix "File Format").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ...atomic import atomic_file
from ..missing_data import representable
from .array_facts import GOOD_BANDS
from .cf_grid import (
    BARE_DIMENSION,
    GRID_MAPPING,
    VALID,
    centres,
    is_turned,
    mapping_attributes,
    turned_centres,
)
from .cube_file import CubeFile
from .geolocation import WGS84, Geolocation

_PLANE = ("y", "x")
_BLOCK_VALUES = 2**22


@dataclass(frozen=True)
class _Variables:
    """Variables of an open file, by their dimensions."""

    file: h5py.File
    sizes: dict[str, int]

    def coordinate(self, name: str, values: NDArray[Any] | None, **attributes: Any) -> None:
        """A dimension, and the variable of its name where there is one."""
        if values is None:
            item = self.file.create_dataset(name, (self.sizes[name],), ">f4")
            item.make_scale(f"{BARE_DIMENSION}.{self.sizes[name]:10d}")
            return
        item = self.file.create_dataset(name, data=values)
        item.attrs.update(attributes)
        item.make_scale(name)

    def variable(self, name: str, dims: tuple[str, ...], dtype: Any, **attributes: Any) -> Any:
        """A variable over dimensions that are there."""
        item = self.file.create_dataset(name, tuple(self.sizes[dim] for dim in dims), dtype)
        for axis, dim in enumerate(dims):
            item.dims[axis].attach_scale(self.file[dim])
        item.attrs.update(attributes)
        return item


def write_netcdf(
    path: Path,
    source: CubeFile,
    dtype: np.dtype[Any],
    blocks: Iterable[NDArray[Any]],
    scale: tuple[float, float] | None,
) -> None:
    """Write a cube of dimensions y, x and wavelength (band, where no wavelengths are known).

    Args:
        path: the file.
        source: what describes the cube.
        dtype: of the values.
        blocks: lines × samples × bands each, from the first line to the last.
        scale: what values are multiplied by, and what is added then; None: they stand for
            themselves.

    Raises:
        OutputError: the place cannot be written.
    """
    axis = "band" if source.wavelengths is None else "wavelength"
    name = "reflectance" if source.product and "reflectance" in source.product.quantity else "cube"
    with atomic_file(path) as temporary, h5py.File(temporary, "w", locking=False) as file:
        file.attrs["Conventions"] = "CF-1.8"
        variables = _Variables(file, dict(zip((*_PLANE, axis), source.shape, strict=True)))
        turned = _write_place(variables, source)
        variables.coordinate(axis, source.wavelengths, units="nm")
        beside = _write_bands(variables, source, axis)
        cube = variables.variable(name, (*_PLANE, axis), dtype)
        cube.attrs.update(_attributes(source, dtype, scale))
        valid = None
        if source.mask is not None:
            valid = variables.variable(VALID, _PLANE, np.int8)
            beside.append(VALID)
        if turned or beside:
            cube.attrs["coordinates"] = " ".join([*turned, *beside])
        line = 0
        for block in blocks:
            end = line + len(block)
            cube[line:end] = block
            if valid is not None and source.mask is not None:
                valid[line:end] = source.mask.read_lines(line, end)
            line = end


def _attributes(
    source: CubeFile, dtype: np.dtype[Any], scale: tuple[float, float] | None
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if source.product is not None:
        found |= {"long_name": source.product.quantity, "source": source.product.title}
    if source.georeference is not None:
        found["grid_mapping"] = GRID_MAPPING
    missing = representable(source.nodata, dtype)
    if missing is not None:
        found["_FillValue"] = np.array([missing], dtype)
    if scale is not None:
        found |= {"scale_factor": scale[0], "add_offset": scale[1]}
    return found


def _write_place(variables: _Variables, source: CubeFile) -> list[str]:
    """The dimensions of lines and samples, where they lie, and what else says so, by its name."""
    place, (lines, samples, _) = source.georeference, source.shape
    if place is None or is_turned(place.transform):
        for name in _PLANE:
            variables.coordinate(name, None)
    else:
        x, y = centres(place.transform, lines, samples)
        variables.coordinate("y", y, axis="Y")
        variables.coordinate("x", x, axis="X")
    if place is None:
        return [] if source.geolocation is None else _write_swath(variables, source.geolocation)
    mapping = variables.file.create_dataset(GRID_MAPPING, data=np.int64(0))
    mapping.attrs.update(mapping_attributes(place.crs, place.transform, place.map_info))
    if not is_turned(place.transform):
        return []
    for name, values in zip(
        ("xc", "yc"), turned_centres(place.transform, lines, samples), strict=True
    ):
        variables.variable(name, _PLANE, np.float64)[...] = values
    return ["xc", "yc"]


def _write_swath(variables: _Variables, places: Geolocation) -> list[str]:
    """Coordinates of each pixel, as CF has them for swaths; the names of their variables."""
    names, kinds = ("xc", "yc"), ({"long_name": "easting"}, {"long_name": "northing"})
    if places.crs == WGS84:
        names = ("lon", "lat")
        kinds = (
            {"standard_name": "longitude", "units": "degrees_east"},
            {"standard_name": "latitude", "units": "degrees_north"},
        )
    layers = [
        variables.variable(name, _PLANE, np.float64, **kind)
        for name, kind in zip(names, kinds, strict=True)
    ]
    lines, samples = places.shape
    step = max(1, _BLOCK_VALUES // samples)
    for start in range(0, lines, step):
        end = min(start + step, lines)
        for layer, values in zip(layers, np.moveaxis(places.read(start, end), 2, 0), strict=True):
            layer[start:end] = values
    return list(names)


def _write_bands(variables: _Variables, source: CubeFile, axis: str) -> list[str]:
    """Widths and marks of the bands, by their names."""
    found = []
    if source.fwhm is not None:
        variables.variable("fwhm", (axis,), np.float64, units="nm")[...] = source.fwhm
        found.append("fwhm")
    if "bbl" in source.kept_fields:
        good = np.ones(source.shape[2], np.uint8)
        good[list(source.bad_bands)] = 0
        variables.variable(GOOD_BANDS[0], (axis,), np.uint8)[...] = good
        found.append(GOOD_BANDS[0])
    return found
