"""Arrays in NumPy's files: NPY, read line by line, and NPZ."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from ...errors import InputFileError
from ...memory import bytes_of, require_room
from .array_axes import ArrayRequest, cube_axes, matrix_axes
from .array_choice import (
    StoredArray,
    axes_left_out,
    check_cube,
    choose_map,
    is_real,
    plain_axes,
)
from .array_facts import find_cube
from .cube_file import CubeFile, WholeArray
from .raw_lines import RawLines
from .reading_guard import reading

_NPY = "an NPY file"
_NPZ = "an NPZ file"


def open_npy(path: Path, request: ArrayRequest) -> CubeFile:
    """The cube of an NPY file; lines are read as asked for.

    Raises:
        InputFileError: the file is damaged or its array is not a cube.
    """
    with reading(path, _NPY), path.open("rb") as file:
        shape, column_order, dtype = _read_header(file)
        offset = file.tell()
    if len(shape) == 2:
        axes = matrix_axes(path, shape, request, size=None, columns=False)
    else:
        plain = [shape[axis] for axis in plain_axes(shape)]
        check_cube(path, plain, dtype)
        axes = cube_axes(path, plain, request)
    check_cube(path, axes.shape, dtype)
    order = axes.stored(column_order)
    source = RawLines(path, offset=offset, dtype=dtype, shape=axes.shape, order=order)
    dropped = axes_left_out("its array", shape)
    remarks = (dropped,) if dropped else ()
    return CubeFile(path, "NPY", axes.shape, source, (path,), axes=axes, remarks=remarks)


def load_npy_map(path: Path) -> NDArray[Any]:
    """The two-dimensional array of an NPY file.

    Raises:
        InputFileError: the file is damaged or its array is of another kind.
    """
    with reading(path, _NPY), path.open("rb") as file:
        array = _stored("array", file)
    choose_map(path, [array], variable="array", option="a label map")
    return load_npy_array(path)


def load_npy_array(path: Path) -> NDArray[Any]:
    """The array of an NPY file, whatever its shape.

    Raises:
        InputFileError: the file is damaged, or holds objects.
    """
    with reading(path, _NPY), path.open("rb") as file:
        _check_size(path, file, path.stat().st_size)
        return npy_format.read_array(file, allow_pickle=False)


def open_npz(path: Path, request: ArrayRequest) -> CubeFile:
    """The cube of an NPZ file; its values are read at the first need, then kept.

    A matrix of spectra counts as one where the file or the user gives lines and samples.

    Raises:
        InputFileError: the file is damaged or holds no or several cubes.
    """
    arrays = list_npz_arrays(path)

    def values(array: StoredArray) -> NDArray[np.float64]:
        return np.asarray(load_npz_array(path, array), np.float64)

    found = find_cube(path, arrays, request, values, columns=False)
    chosen, axes = found.array, found.axes
    dtype = np.dtype(chosen.kind).newbyteorder("=")
    check_cube(path, axes.shape, dtype)
    source = WholeArray(path, axes.shape, dtype, lambda: axes.arrange(load_npz_array(path, chosen)))
    return CubeFile(
        path,
        "NPZ",
        axes.shape,
        source,
        (path,),
        wavelengths=found.wavelengths,
        fwhm=found.widths,
        kept_fields=found.kept_fields,
        axes=axes,
        remarks=found.remarks(found.wavelengths),
    )


def list_npz_arrays(path: Path) -> list[StoredArray]:
    """The arrays of an NPZ file; only their headers are read.

    Raises:
        InputFileError: the file is damaged.
    """
    found = []
    with reading(path, _NPZ), zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.endswith(".npy"):
                with archive.open(member) as file:
                    found.append(_stored(member.removesuffix(".npy"), file))
    return found


def load_npz_array(path: Path, array: StoredArray) -> NDArray[Any]:
    """One array of an NPZ file.

    Raises:
        InputFileError: the file is damaged.
    """
    with (
        reading(path, _NPZ),
        zipfile.ZipFile(path) as archive,
        archive.open(array.name + ".npy") as file,
    ):
        _check_size(path, file, archive.getinfo(array.name + ".npy").file_size)
        values: NDArray[Any] = npy_format.read_array(file, allow_pickle=False)
        # The archive's own checksum is compared only when the end is reached.
        if file.read(1):
            raise InputFileError(path, f"{array.name} is longer than its header says")
    return values


def _check_size(path: Path, file: IO[bytes], held: int) -> None:
    """Refuse an array that its file does not hold, or that memory does not; back to its start."""
    shape, _, dtype = _read_header(file)
    needed = bytes_of(shape, dtype)
    if not dtype.hasobject and file.tell() + needed > held:
        raise EOFError(f"it ends after {held:,} bytes, its array asks for {needed:,.0f}")
    require_room(path, needed)
    file.seek(0)


def _stored(name: str, file: IO[bytes]) -> StoredArray:
    shape, _, dtype = _read_header(file)
    return StoredArray(name, shape, str(dtype), is_real(dtype), dtype.kind == "b")


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy_format.read_magic(file)
    if version == (1, 0):
        header = npy_format.read_array_header_1_0(file)
    elif version == (2, 0):
        header = npy_format.read_array_header_2_0(file)
    else:
        raise ValueError(f"version {version[0]}.{version[1]}, which only arrays of records need")
    # NumPy takes True for a size, and a negative one for a long array.
    if any(type(size) is not int or size < 0 for size in header[0]):
        raise ValueError(f"a shape of {header[0]}")
    return header
