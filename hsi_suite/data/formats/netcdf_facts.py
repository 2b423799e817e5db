"""Where the pixels of a netCDF variable lie, by CF's grid mappings and coordinates."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ...memory import bytes_of, require_room
from ..scene import Georeference
from .array_axes import CubeAxes, axis_named
from .cf_grid import (
    BARE_DIMENSION,
    TRANSFORM,
    USUAL_MAPPINGS,
    VALID,
    counts_only,
    grid_of,
    map_info_of,
    read_geotransform,
    system_of,
)
from .reading_guard import reading

_KINDS = "iuf"


def netcdf_place(
    path: Path, dataset: h5py.Dataset, names: Collection[str]
) -> tuple[Georeference | None, tuple[str, ...]]:
    """The place of a cube, and what a user should know of it.

    Args:
        path: the file, for messages.
        dataset: the cube.
        names: of the data sets of the file, as `list_hdf5_arrays` found them; links are no part.
    """
    scales = {axis: scale for axis, scale in map(_scale, dataset.dims) if axis}
    if not {"x", "y"} <= scales.keys():
        return None, ()
    stated = _mapping(dataset, names)
    x, y = (_values(path, dataset, scales[axis], f"{axis}c", names) for axis in "xy")
    grid = grid_of(x, y, read_geotransform(stated.get(TRANSFORM)))
    if grid.problem:
        return None, (f"{path.name}: {grid.problem}, so the scene has no place on a map",)
    if grid.transform is None or (not stated and counts_only(grid.transform)):
        return None, ()
    system = system_of(stated)
    kept = map_info_of(stated, system, grid.transform)
    return Georeference(system, grid.transform, kept), ()


def netcdf_mask(
    path: Path, dataset: h5py.Dataset, axes: CubeAxes, names: Collection[str]
) -> ValidLines | None:
    """The variable that says which pixels hold data; None where there is none.

    Args:
        path: the file, for messages.
        dataset: the cube.
        axes: how its axes make the cube.
        names: as in `netcdf_place`.
    """
    item = _beside(dataset, VALID, names)
    whole = item is not None and item.dtype.kind in "biu"
    if item is None or not whole or tuple(item.shape) != axes.shape[:2]:
        return None
    return ValidLines(path, item)


class ValidLines:
    """Lines of a variable that is not 0 where there is data.

    Args:
        path: the file, for messages.
        dataset: lines × samples, of a file that others close.
    """

    def __init__(self, path: Path, dataset: h5py.Dataset) -> None:
        self._path = path
        self._dataset = dataset

    def read_lines(self, first_line: int, last_line: int) -> NDArray[np.bool_]:
        """Lines first_line … last_line - 1, False where there is no data."""
        with reading(self._path, "a netCDF file"):
            values: NDArray[np.bool_] = self._dataset[first_line:last_line] != 0
        return values

    def close(self) -> None:
        """Nothing: the cube closes the file."""


def is_bare_dimension(dataset: h5py.Dataset) -> bool:
    """Whether a data set only stands for a dimension, and holds no values."""
    return "NAME" in dataset.attrs and str(_text(dataset.attrs["NAME"])).startswith(BARE_DIMENSION)


def _scale(dimension: Any) -> tuple[str, h5py.Dataset | None]:
    """The axis of a dimension, "" where it has no scale, and its scale."""
    if not len(dimension):
        return "", None
    return axis_named(str(dimension[0].name)), dimension[0]


def _mapping(dataset: h5py.Dataset, names: Collection[str]) -> dict[str, Any]:
    """The attributes of the grid mapping."""
    told = _text(dataset.attrs.get("grid_mapping", ""))
    usual = (_beside(dataset, name, names) for name in (str(told), *USUAL_MAPPINGS) if name)
    item = next((each for each in usual if each is not None), None)
    if item is None:
        return {}
    keys: Sequence[str] = list(item.attrs)
    return {key: _text(item.attrs[key]) for key in keys}


def _values(
    path: Path,
    dataset: h5py.Dataset,
    scale: h5py.Dataset | None,
    turned: str,
    names: Collection[str],
) -> NDArray[np.float64] | None:
    """Coordinates of a dimension, or of all pixels; None where there are none."""
    item = scale if scale is not None and scale.name.strip("/") in names else None
    item = _beside(dataset, turned, names) if item is None else item
    if item is None or item.dtype.kind not in _KINDS or len(item.shape) not in (1, 2):
        return None
    require_room(path, bytes_of(item.shape, np.dtype(np.float64)))
    return np.asarray(item[()], np.float64)


def _beside(dataset: h5py.Dataset, name: str, names: Collection[str]) -> h5py.Dataset | None:
    """A data set of the same group, or of the root."""
    group = dataset.parent.name.strip("/")
    places = [f"{group}/{name}".strip("/"), name]
    return next((dataset.file[place] for place in places if place in names), None)


def _text(value: Any) -> Any:
    """Text as such, whatever way it is stored."""
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "SUO":
        value = value.reshape(-1)[0]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
