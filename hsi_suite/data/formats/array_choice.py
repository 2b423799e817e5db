"""Which of a file's arrays is meant, and whether it can be a cube at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from ...errors import InputFileError

SCENE_OPTION = "--scene-variable"
LABELS_OPTION = "--labels-variable"


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

    def __str__(self) -> str:
        return f"{self.name} ({size_text(self.shape)} {self.kind})"


def size_text(shape: Sequence[int]) -> str:
    """`shape` as people write it: "145 × 145 × 200"."""
    return " × ".join(map(str, shape))


def choose_array(
    path: Path, arrays: Sequence[StoredArray], *, ndim: int, variable: str | None, option: str
) -> StoredArray:
    """The array `variable`, or the only one that fits.

    Args:
        path: the file, for messages.
        arrays: what it holds.
        ndim: 3 for a cube; 2 for a label map, where a vector or scalar does not count.
        variable: the name the user gave, or None.
        option: the command-line option that gives it.

    Raises:
        InputFileError: no array fits, several do, or the named one is missing or of another kind.
    """
    what = "a cube (lines × samples × bands)" if ndim == 3 else "a label map (lines × samples)"
    listed = ", ".join(map(str, arrays[:20])) or "no arrays"
    if variable is not None:
        return _named(path, arrays, ndim, variable, what, listed, option)
    fitting = [array for array in arrays if _fits(array, ndim) and (ndim == 3 or _is_map(array))]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise InputFileError(path, f"holds {listed}", f"{what} of real numbers")
    raise InputFileError(
        path,
        f"holds several arrays that could be meant: {', '.join(map(str, fitting[:20]))}",
        "one",
        f"name it with {option}, e.g. {option} {fitting[0].name}",
    )


def _named(
    path: Path,
    arrays: Sequence[StoredArray],
    ndim: int,
    variable: str,
    what: str,
    listed: str,
    option: str,
) -> StoredArray:
    for array in arrays:
        if array.name == variable:
            if not _fits(array, ndim):
                raise InputFileError(
                    path, f"{array} is not what {option} needs", f"{what} of real numbers"
                )
            return array
    raise InputFileError(path, f"holds no variable {variable!r}", f"one of {listed}")


def _fits(array: StoredArray, ndim: int) -> bool:
    return len(array.shape) == ndim and (array.numeric or (ndim == 2 and array.logical))


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
