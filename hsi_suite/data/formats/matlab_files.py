"""Arrays in MATLAB files up to version 7 (v4, v5, v6, v7), through SciPy."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, whosmat

from ...errors import InputFileError
from .array_choice import SCENE_OPTION, StoredArray, check_cube, choose_array
from .cube_file import CubeFile, LineSource, WholeArray
from .matlab_elements import MatlabElement, find_matlab_element
from .raw_lines import RawLines
from .reading_guard import reading

_WHAT = "a MATLAB file"
_NUMERIC = {"double", "single"} | {f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)}


def list_matlab_arrays(path: Path) -> list[StoredArray]:
    """The variables of a MATLAB file; only their headers are read.

    Raises:
        InputFileError: the file is damaged.
    """
    with reading(path, _WHAT), path.open("rb") as file:
        variables = whosmat(file, appendmat=False)
    return [
        StoredArray(name, tuple(map(int, shape)), kind, kind in _NUMERIC, kind == "logical")
        for name, shape, kind in variables
    ]


def load_matlab_array(path: Path, array: StoredArray) -> NDArray[Any]:
    """One variable in the type it is stored in, in MATLAB's (column) memory order.

    Raises:
        InputFileError: the file is damaged.
    """
    if not _is_v4(path):
        _checked_element(path, array)
    with reading(path, _WHAT), path.open("rb") as file:
        value = loadmat(file, variable_names=[array.name], appendmat=False)[array.name]
    # SciPy puts a message in the place of a variable that it could not read.
    if not isinstance(value, np.ndarray) or value.shape != array.shape:
        raise _damaged(path, array)
    return value


def open_matlab(path: Path, variable: str | None) -> CubeFile:
    """The cube of a MATLAB file; a compressed one is read at the first need, then kept.

    Raises:
        InputFileError: the file is damaged or holds no or several cubes.
    """
    arrays = list_matlab_arrays(path)
    chosen = choose_array(path, arrays, ndim=3, variable=variable, option=SCENE_OPTION)
    element = _checked_element(path, chosen)  # v4 files hold matrices only
    check_cube(path, chosen.shape, element.dtype)
    lines, samples, bands = chosen.shape
    shape = (lines, samples, bands)
    source: LineSource
    if element.offset is None:
        native = element.dtype.newbyteorder("=")
        source = WholeArray(path, shape, native, lambda: load_matlab_array(path, chosen))
    else:
        source = RawLines(
            path, offset=element.offset, dtype=element.dtype, shape=shape, order="BSL"
        )
    return CubeFile(path, "MATLAB", shape, source, (path,))


def _checked_element(path: Path, array: StoredArray) -> MatlabElement:
    element = find_matlab_element(path, array.name)
    if element.count != math.prod(array.shape):
        raise _damaged(path, array)
    return element


def _is_v4(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(124)
        return file.read(4) not in (b"\x00\x01IM", b"\x01\x00MI")


def _damaged(path: Path, array: StoredArray) -> InputFileError:
    return InputFileError(
        path,
        f"variable {array.name!r} cannot be read",
        f"{_WHAT}, complete and undamaged",
        "copy or fetch the file again",
    )
