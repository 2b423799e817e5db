"""Arrays in MATLAB files up to version 7 (v4, v5, v6, v7), through SciPy."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ...memory import bytes_of, require_room
from ...user_files import first_bytes
from .array_axes import ArrayRequest
from .array_choice import StoredArray, check_cube
from .array_facts import find_cube
from .cube_file import CubeFile, LineSource, WholeArray
from .matlab_elements import MatlabElement, find_matlab_element
from .raw_lines import RawLines
from .reading_guard import reading

_WHAT = "a MATLAB file"
# SciPy's bytes, and the array made of them.
_COPIES = 2
_NUMERIC = {"double", "single"} | {f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)}


def list_matlab_arrays(path: Path) -> list[StoredArray]:
    """The variables of a MATLAB file; only their headers are read.

    Raises:
        InputFileError: the file is damaged.
    """
    from scipy.io import whosmat

    with reading(path, _WHAT), path.open("rb") as file:
        variables = whosmat(file, appendmat=False)
    return [
        StoredArray(name, tuple(map(int, shape)), kind, kind in _NUMERIC, kind == "logical")
        for name, shape, kind in variables
        # MATLAB keeps a part of its own beside the variables, __function_workspace__.
        if not name.startswith("__")
    ]


def load_matlab_array(path: Path, array: StoredArray) -> NDArray[Any]:
    """One variable in the type it is stored in, in MATLAB's (column) memory order.

    Raises:
        InputFileError: the file is damaged.
    """
    from scipy.io import loadmat

    element = None if _is_v4(path) else _checked_element(path, array)
    dtype = np.dtype(np.float64) if element is None else element.dtype
    require_room(path, bytes_of(array.shape, dtype, _COPIES))
    if dtype.kind == "c":
        # Where a damaged file only claims an imaginary part, SciPy takes what follows for one and
        # ends the process.
        raise InputFileError(path, f"variable {array.name!r} is complex", "real numbers")
    with reading(path, _WHAT), path.open("rb") as file:
        value = loadmat(file, variable_names=[array.name], appendmat=False)[array.name]
    # SciPy puts a message in the place of a variable that it could not read.
    if not isinstance(value, np.ndarray) or value.shape != array.shape:
        raise _damaged(path, array)
    return value


def open_matlab(path: Path, request: ArrayRequest) -> CubeFile:
    """The cube of a MATLAB file; a compressed one is read at the first need, then kept.

    A matrix of spectra counts as one where the file or the user gives lines and samples.

    Raises:
        InputFileError: the file is damaged or holds no or several cubes.
    """
    arrays = list_matlab_arrays(path)

    def values(array: StoredArray) -> NDArray[np.float64]:
        return np.asarray(load_matlab_array(path, array), np.float64)

    found = find_cube(path, arrays, request, values, columns=True)
    chosen, axes = found.array, found.axes
    source: LineSource
    if _is_v4(path):
        held = load_matlab_array(path, chosen)
        dtype, offset = held.dtype, None
    else:
        element = _checked_element(path, chosen)
        dtype, offset = element.dtype, element.offset
    check_cube(path, axes.shape, dtype)
    if offset is None:
        source = WholeArray(
            path,
            axes.shape,
            dtype.newbyteorder("="),
            lambda: axes.arrange(load_matlab_array(path, chosen)),
        )
    else:
        order = axes.stored(column_order=True)
        source = RawLines(path, offset=offset, dtype=dtype, shape=axes.shape, order=order)
    return CubeFile(
        path,
        "MATLAB",
        axes.shape,
        source,
        (path,),
        wavelengths=found.wavelengths,
        fwhm=found.widths,
        kept_fields=found.kept_fields,
        axes=axes,
        remarks=found.remarks(found.wavelengths),
    )


def _checked_element(path: Path, array: StoredArray) -> MatlabElement:
    element = find_matlab_element(path, array.name)
    if element.count != math.prod(array.shape):
        raise _damaged(path, array)
    return element


def _is_v4(path: Path) -> bool:
    return first_bytes(path, 128, _WHAT)[124:] not in (b"\x00\x01IM", b"\x01\x00MI")


def _damaged(path: Path, array: StoredArray) -> InputFileError:
    return InputFileError(
        path,
        f"variable {array.name!r} cannot be read",
        f"{_WHAT}, complete and undamaged",
        "copy or fetch the file again",
    )
