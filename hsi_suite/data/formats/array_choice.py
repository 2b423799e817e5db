"""Which of a file's arrays is meant, and whether it can be a cube at all."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from ...errors import InputFileError
from .array_axes import SHAPE_OPTION, ArrayRequest

SCENE_OPTION = "--scene-variable"
LABELS_OPTION = "--labels-variable"
# What MATLAB packs arrays in, and how one of them is named.
_CONTAINERS = {"struct": ".FIELD", "cell": "{1}"}


@dataclass(frozen=True)
class StoredArray:
    """An array in a file that holds several.

    Attributes:
        name: how the file calls it.
        shape: its shape as the user thinks of it (MATLAB's order for MATLAB files).
        kind: its type in the file's own words ("double", "uint16", "cell").
        numeric: whether it holds real numbers.
        logical: whether it holds truth values, which can be labels but no cube.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    numeric: bool
    logical: bool = False

    @property
    def plain_shape(self) -> tuple[int, ...]:
        """The shape without axes of length 1 where there are more than three axes."""
        return tuple(self.shape[axis] for axis in plain_axes(self.shape))

    def __str__(self) -> str:
        return f"{self.name} ({size_text(self.shape)} {self.kind})"


def plain_axes(shape: Sequence[int]) -> tuple[int, ...]:
    """The axes that are left when those of length 1 go, the first ones first, down to three.

    All of them where more than three are longer: there is a choice to be made along one.
    """
    left = list(range(len(shape)))
    for axis, size in enumerate(shape):
        if size == 1 and len(left) > 3:
            left.remove(axis)
    return tuple(left) if len(left) <= 3 else tuple(range(len(shape)))


def size_text(shape: Sequence[int]) -> str:
    """`shape` as people write it: "145 × 145 × 200"."""
    return " × ".join(map(str, shape))


def axes_left_out(name: str, shape: Sequence[int]) -> str:
    """What `plain_axes` leaves out of a cube, in words; "" for nothing."""
    if len(shape) <= 3:
        return ""
    return f"{name} is {size_text(shape)}: its axes of length 1 are left out"


def choose_map(
    path: Path, arrays: Sequence[StoredArray], *, variable: str | None, option: str
) -> StoredArray:
    """The label map `variable`, or the only array that fits; vectors and numbers do not count.

    Args:
        path: the file, for messages.
        arrays: what it holds.
        variable: the name the user gave, or None.
        option: the command-line option that gives it.

    Raises:
        InputFileError: no array fits, several do, or the named one is missing or of another kind.
    """
    what = "a label map (lines × samples)"
    if variable is not None:
        return _named(path, arrays, (2,), variable, what, option)
    fitting = [array for array in arrays if _fits(array, (2,)) and _is_map(array)]
    if not fitting:
        found = f"holds {_listed(arrays)}"
        raise InputFileError(path, found, f"{what} of real numbers", _inside_remedy(arrays))
    return _only(path, fitting, option)


def choose_cube(
    path: Path,
    arrays: Sequence[StoredArray],
    request: ArrayRequest,
    matrices: Collection[str] = (),
) -> StoredArray:
    """The cube, or the matrix of the spectra of all pixels, that is meant.

    Args:
        path: the file, for messages.
        arrays: what it holds.
        request: what the user says of it.
        matrices: names of the matrices of which the file gives lines and samples.

    Raises:
        InputFileError: no array fits, several do, or the named one is missing or of another kind.
    """
    what = "a cube (lines × samples × bands)"
    if request.variable is not None:
        named = _named(path, arrays, (2, 3), request.variable, what, SCENE_OPTION)
        if len(named.shape) == 2 and request.shape is None and named.name not in matrices:
            raise InputFileError(
                path,
                f"{named} does not say which pixels lie beside each other",
                what,
                f"if it holds spectra, give {SHAPE_OPTION} LINES,SAMPLES",
            )
        return named
    fitting = [
        array
        for array in arrays
        if _fits(array, (3,)) or (_is_matrix(array) and array.name in matrices)
    ]
    if request.shape is not None:
        pixels = math.prod(request.shape)
        shaped = [array for array in arrays if _is_matrix(array) and pixels in array.shape]
        fitting = shaped or fitting
    if not fitting:
        remedy = f"{SHAPE_OPTION} LINES,SAMPLES makes a cube of a matrix of spectra"
        raise InputFileError(
            path,
            f"holds {_listed(arrays)}",
            f"{what} of real numbers",
            _cut_remedy(arrays)
            or (remedy if any(map(_is_matrix, arrays)) else _inside_remedy(arrays)),
        )
    return _only(path, fitting, SCENE_OPTION)


def _cut_remedy(arrays: Sequence[StoredArray]) -> str:
    """What to do with the first array of too many axes; "" where there is none."""
    large = [array for array in arrays if array.numeric and len(array.plain_shape) > 3]
    return f"save a part of {large[0].name} with three axes in a file" if large else ""


def _inside_remedy(arrays: Sequence[StoredArray]) -> str:
    """How to take an array out of MATLAB's first struct or cell; "" where there is none."""
    for array in arrays:
        if array.kind in _CONTAINERS:
            inside = f"{array.name}{_CONTAINERS[array.kind]}"
            return f"save what it holds as a variable: x = {inside}; save('x.mat', 'x')"
    return ""


def _only(path: Path, fitting: Sequence[StoredArray], option: str) -> StoredArray:
    if len(fitting) == 1:
        return fitting[0]
    largest = max(fitting, key=lambda array: math.prod(array.shape))
    raise InputFileError(
        path,
        f"holds several arrays that could be meant: {', '.join(map(str, fitting[:20]))}",
        "one",
        f"name it with {option}, e.g. {option} {largest.name}",
    )


def _listed(arrays: Sequence[StoredArray]) -> str:
    return ", ".join(map(str, arrays[:20])) or "no arrays"


def _named(
    path: Path,
    arrays: Sequence[StoredArray],
    dimensions: tuple[int, ...],
    variable: str,
    what: str,
    option: str,
) -> StoredArray:
    for array in arrays:
        if array.name == variable:
            if not _fits(array, dimensions):
                found = f"{array} is not what {option} needs"
                raise InputFileError(
                    path, found, f"{what} of real numbers", _inside_remedy([array])
                )
            return array
    raise InputFileError(path, f"holds no variable {variable!r}", f"one of {_listed(arrays)}")


def _fits(array: StoredArray, dimensions: tuple[int, ...]) -> bool:
    logical = array.logical and dimensions == (2,)
    axes = len(array.shape if dimensions == (2,) else array.plain_shape)
    return axes in dimensions and (array.numeric or logical)


def _is_matrix(array: StoredArray) -> bool:
    return array.numeric and len(array.shape) == 2 and _is_map(array)


def _is_map(array: StoredArray) -> bool:
    return min(array.shape) > 1


def check_cube(path: Path, shape: Sequence[int], dtype: DTypeLike) -> None:
    """Refuse what cannot be a cube.

    Raises:
        InputFileError: the array has no element, or holds something else than real numbers.
    """
    if len(shape) != 3 or min(shape) < 1:
        raise InputFileError(
            path, f"an array of {size_text(shape)}", "lines × samples × bands, each at least 1"
        )
    kind = np.dtype(dtype)
    if not is_real(kind):
        raise InputFileError(path, f"values of type {kind}", "integers or real numbers")


def is_real(dtype: np.dtype[np.generic]) -> bool:
    """Whether `dtype` holds integers or real numbers of at most 64 bits."""
    return dtype.kind in "iuf" and dtype.itemsize <= 8
