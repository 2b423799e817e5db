"""Arrays in HDF5 files: MATLAB v7.3, whose axes are stored in reverse, and plain HDF5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ...memory import bytes_of, require_room
from ...user_files import first_bytes
from .array_axes import CUBE_AXES, ArrayRequest, CubeAxes
from .array_choice import StoredArray, check_cube, choose_map, is_real, plain_axes
from .array_facts import find_cube
from .cube_file import CubeFile, LineSource, WholeArray, in_native_order
from .file_format import MATLAB_V73
from .hdf5_facts import (
    Missing,
    axis_names,
    bad_band_list,
    missing_markers,
    scaling,
    spectral_list,
)
from .netcdf_facts import is_bare_dimension, netcdf_mask, netcdf_place
from .reading_guard import reading
from .wavelength_units import in_nanometres, no_wavelengths

_PREAMBLE = 512
_WHAT = "an HDF5 or MATLAB v7.3 file"


def open_hdf5(path: Path, request: ArrayRequest, *, marked: bool = True) -> CubeFile:
    """The cube of an HDF5 file; lines are read as asked for, a matrix of spectra whole.

    Args:
        path: the file.
        request: which array is meant, and how it is read.
        marked: whether the values count that the file says mark missing data.

    Raises:
        InputFileError: the file is damaged or holds no or several cubes.
    """
    with reading(path, _WHAT):
        file = h5py.File(path, "r", locking=False)
    try:
        with reading(path, _WHAT):
            cube = _open_cube(path, file, request, marked)
    except BaseException:
        file.close()
        raise
    if not cube.by_lines:
        file.close()
    return cube


def _open_cube(path: Path, file: h5py.File, request: ArrayRequest, marked: bool) -> CubeFile:
    arrays = list_hdf5_arrays(file)

    def values(array: StoredArray) -> NDArray[np.float64]:
        return np.asarray(whole_dataset(path, file[array.name]), np.float64)

    def named(array: StoredArray) -> tuple[str, ...] | None:
        return axis_names(file[array.name])

    matlab = any(_is_matlab(file[array.name]) for array in arrays)
    found = find_cube(path, arrays, request, values, columns=matlab, named=named)
    dataset, axes = file[found.array.name], found.axes
    check_cube(path, axes.shape, dataset.dtype)
    bands = axes.shape[2]
    missing = missing_markers(dataset) if marked else Missing()
    centres = spectral_list(file, dataset, arrays, bands)
    widths = spectral_list(file, dataset, arrays, bands, widths=True)
    wavelengths = None if centres is None else centres.nanometres
    why = ""
    # Values that are none in any unit are named below, with their array.
    if centres is not None and in_nanometres(centres.values.tolist(), "") is not None:
        why = no_wavelengths(centres.values.tolist(), centres.unit)
    unknown = [f"{path.name}: its list of wavelengths {why}, and is left out"] if why else []
    bad = bad_band_list(dataset, wavelengths, arrays, bands)
    names = {array.name for array in arrays}
    place, unplaced = (None, ()) if matlab else netcdf_place(path, dataset, names)
    return CubeFile(
        path,
        "MATLAB v7.3" if _is_matlab(dataset) else "HDF5",
        axes.shape,
        _source(path, dataset, axes, missing),
        (path,),
        wavelengths=wavelengths,
        fwhm=None if not (widths and centres) or wavelengths is None else widths.widths(centres),
        georeference=place,
        nodata=missing.value,
        kept_fields=scaling(dataset, bands) | ({} if bad is None else {"bbl": bad}),
        axes=axes,
        mask=netcdf_mask(path, dataset, axes, names)
        if marked and not matlab and not axes.matrix
        else None,
        remarks=(*unknown, *unplaced, *missing.remarks, *found.remarks(wavelengths)),
    )


def _source(path: Path, dataset: h5py.Dataset, axes: CubeAxes, missing: Missing) -> LineSource:
    if not axes.matrix:
        return Hdf5Lines(path, dataset, axes, missing)
    name, matlab = dataset.name, _is_matlab(dataset)

    def load() -> NDArray[Any]:
        with reading(path, _WHAT), h5py.File(path, "r", locking=False) as file:
            values = whole_dataset(path, file[name])
        return missing.unified(axes.arrange(values.T if matlab else values))

    return WholeArray(path, axes.shape, np.dtype(dataset.dtype).newbyteorder("="), load)


def list_hdf5_arrays(file: h5py.File) -> list[StoredArray]:
    """The data sets of an open file, by their paths ("hsi/Data" for a field of a struct)."""
    found: list[StoredArray] = []

    def visit(name: str, item: object) -> None:
        # MATLAB keeps the contents of cells under #refs#, where no user would name them.
        if not isinstance(item, h5py.Dataset) or name.startswith("#") or item.shape is None:
            return
        if not is_bare_dimension(item):
            found.append(_describe(name, item))

    file.visititems(visit)
    return found


def load_hdf5_map(path: Path, variable: str | None, option: str) -> tuple[NDArray[Any], Missing]:
    """A two-dimensional array, whole, with MATLAB's axes in MATLAB's order, and what is missing.

    One value marks all that is.

    Raises:
        InputFileError: the file is damaged or holds no or several such arrays.
    """
    with reading(path, _WHAT), h5py.File(path, "r", locking=False) as file:
        arrays = list_hdf5_arrays(file)
    chosen = choose_map(path, arrays, variable=variable, option=option)
    values = load_hdf5_array(path, chosen.name)
    with reading(path, _WHAT), h5py.File(path, "r", locking=False) as file:
        missing = missing_markers(file[chosen.name], values)
    return missing.unified(in_native_order(values)), missing


def load_hdf5_array(path: Path, name: str) -> NDArray[Any]:
    """One array whatever its shape, whole, with MATLAB's axes in MATLAB's order.

    Raises:
        InputFileError: the file is damaged.
    """
    with reading(path, _WHAT), h5py.File(path, "r", locking=False) as file:
        dataset = file[name]
        values = whole_dataset(path, dataset)
        return values.T if _is_matlab(dataset) else values


def whole_dataset(path: Path, dataset: h5py.Dataset) -> NDArray[Any]:
    """All values of a data set of an open file.

    Raises:
        InputFileError: they lie in another file, do not fit into memory, or the file is cut.
    """
    require_room(path, bytes_of(dataset.shape, dataset.dtype))
    refuse_elsewhere(path, dataset)
    size = path.stat().st_size
    values: NDArray[Any] = dataset[()]
    refuse_shortened(path, size)
    return values


def refuse_elsewhere(path: Path, dataset: h5py.Dataset) -> None:
    """Refuse values that lie in other files: a file from elsewhere could name any of the user's.

    Where such a file is missing HDF5 reads fill values without a word.

    Raises:
        InputFileError: they do.
    """
    if dataset.external:
        found = [name for name, *_ in dataset.external]
    elif dataset.is_virtual:
        found = [source.file_name for source in dataset.virtual_sources()]
    else:
        return
    others = [str(name) for name in found if str(name) != "."]
    if others:
        raise InputFileError(
            path,
            f"the values of {dataset.name} lie in another file ({others[0]})",
            "an HDF5 file that holds its values",
            "copy them into one file, as h5repack does",
        )


def refuse_shortened(path: Path, size: int) -> None:
    """Refuse a file that has fewer bytes than before: HDF5 reads zeros behind its end.

    Raises:
        InputFileError: it has.
    """
    if path.stat().st_size < size:
        raise InputFileError(path, "the file became shorter while it was read", "", "read it again")


class Hdf5Lines:
    """Lines of a three-dimensional data set.

    Args:
        path: the file, for messages.
        dataset: of an open file, which `close` closes.
        axes: of the data set, in MATLAB's order for MATLAB's.
        missing: what marks missing values.
    """

    def __init__(self, path: Path, dataset: h5py.Dataset, axes: CubeAxes, missing: Missing) -> None:
        refuse_elsewhere(path, dataset)
        self._path = path
        self._dataset = dataset
        self._file = dataset.file
        self._missing = missing
        self._size = path.stat().st_size
        self._dtype: np.dtype[Any] = np.dtype(dataset.dtype).newbyteorder("=")
        names = axes.names[::-1] if _is_matlab(dataset) else axes.names
        kept = _kept_axes(dataset)
        # Of an axis of length 1 that is left out its only place is read, and the axis is gone.
        self._places: list[int | slice] = [0] * len(dataset.shape)
        for axis in kept:
            self._places[axis] = slice(None)
        self._line_axis = kept[names.index("y")]
        self._order = [names.index(name) for name in CUBE_AXES]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values in native byte order."""
        return self._dtype

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands."""
        wanted = self._places.copy()
        wanted[self._line_axis] = slice(first_line, last_line)
        with reading(self._path, _WHAT):
            values = self._dataset[tuple(wanted)]
            refuse_shortened(self._path, self._size)
        return self._missing.unified(in_native_order(values)).transpose(self._order)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _is_matlab(dataset: h5py.Dataset) -> bool:
    """Whether a data set's axes are MATLAB's: by its attribute, or the preamble of its file."""
    if "MATLAB_class" in dataset.attrs:
        return True
    if dataset.file.userblock_size < _PREAMBLE:
        return False
    return first_bytes(Path(dataset.file.filename), _PREAMBLE)[124:128] in MATLAB_V73


def _kept_axes(dataset: h5py.Dataset) -> tuple[int, ...]:
    """The axes of a cube, as they are stored; see `plain_axes`."""
    if not _is_matlab(dataset):
        return plain_axes(dataset.shape)
    last = len(dataset.shape) - 1
    return tuple(last - axis for axis in plain_axes(dataset.shape[::-1])[::-1])


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
        shape[::-1] if _is_matlab(dataset) else shape,
        matlab_class or str(dtype),
        is_real(dtype) and not logical and not other,
        logical,
    )
