"""Arrays in HDF5 files: MATLAB v7.3, whose axes are stored in reverse, and plain HDF5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from .array_choice import SCENE_OPTION, StoredArray, check_cube, choose_array, is_real
from .cube_file import CubeFile, in_native_order
from .reading_guard import reading

_WHAT = "an HDF5 or MATLAB v7.3 file"


def open_hdf5(path: Path, variable: str | None) -> CubeFile:
    """The cube of an HDF5 file; lines are read as asked for.

    Raises:
        InputFileError: the file is damaged or holds no or several cubes.
    """
    source = Hdf5Lines(path, variable)
    return CubeFile(path, source.format, source.shape, source, (path,))


def list_hdf5_arrays(file: h5py.File) -> list[StoredArray]:
    """The data sets of an open file, by their paths ("hsi/Data" for a field of a struct)."""
    found: list[StoredArray] = []

    def visit(name: str, item: object) -> None:
        # MATLAB keeps the contents of cells under #refs#, where no user would name them.
        if isinstance(item, h5py.Dataset) and not name.startswith("#") and item.shape is not None:
            found.append(_describe(name, item))

    file.visititems(visit)
    return found


def load_hdf5_array(path: Path, variable: str | None, option: str, ndim: int) -> NDArray[Any]:
    """One array, whole, with MATLAB's axes in MATLAB's order.

    Raises:
        InputFileError: the file is damaged or holds no or several such arrays.
    """
    with reading(path, _WHAT), h5py.File(path, "r", locking=False) as file:
        arrays = list_hdf5_arrays(file)
        chosen = choose_array(path, arrays, ndim=ndim, variable=variable, option=option)
        dataset = file[chosen.name]
        values: NDArray[Any] = dataset[()]
        return values.T if _is_matlab(dataset) else values


class Hdf5Lines:
    """Lines of a three-dimensional data set.

    Args:
        path: the file.
        variable: the data set's path inside it, or None.
    """

    def __init__(self, path: Path, variable: str | None) -> None:
        self._path = path
        with reading(path, _WHAT):
            self._file = h5py.File(path, "r", locking=False)
        try:
            with reading(path, _WHAT):
                arrays = list_hdf5_arrays(self._file)
            chosen = choose_array(path, arrays, ndim=3, variable=variable, option=SCENE_OPTION)
            self._dataset = self._file[chosen.name]
            self._reversed = _is_matlab(self._dataset)
            lines, samples, bands = chosen.shape
            self.shape = (lines, samples, bands)
            self.format = "MATLAB v7.3" if self._reversed else "HDF5"
            self._dtype: np.dtype[Any] = np.dtype(self._dataset.dtype).newbyteorder("=")
            check_cube(path, self.shape, self._dtype)
        except BaseException:
            self._file.close()
            raise

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values in native byte order."""
        return self._dtype

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands."""
        with reading(self._path, _WHAT):
            if self._reversed:
                values = self._dataset[:, :, first_line:last_line].transpose(2, 1, 0)
            else:
                values = self._dataset[first_line:last_line]
        return in_native_order(values)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _is_matlab(dataset: h5py.Dataset) -> bool:
    return "MATLAB_class" in dataset.attrs


def _describe(name: str, dataset: h5py.Dataset) -> StoredArray:
    stored = dataset.attrs.get("MATLAB_class", b"")
    matlab_class = stored.decode("ascii", "replace") if isinstance(stored, bytes) else str(stored)
    shape = tuple(int(size) for size in dataset.shape)
    if "MATLAB_empty" in dataset.attrs:
        shape = (0,)
    dtype = np.dtype(dataset.dtype)
    logical = matlab_class == "logical" or dtype.kind == "b"
    other = matlab_class in {"char", "cell", "function_handle"}
    return StoredArray(
        name,
        shape[::-1] if matlab_class else shape,
        matlab_class or str(dtype),
        is_real(dtype) and not logical and not other,
        logical,
    )
