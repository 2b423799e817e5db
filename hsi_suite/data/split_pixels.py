"""The pixels that one part of a split stands for: a mask, a label map, indices or places."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from .formats.array_choice import size_text
from .formats.drawn_features import DrawnOptions
from .scene import Georeference
from .split_names import PartNames
from .splits import Indices

# Masks are 1 where a pixel is in the part, in pictures 255.
_MASKS = ({0, 1}, {0, 255})
OWN_ORDER = "indices count from 0 line by line, not from 1 down the columns as in MATLAB"
_EITHER_ORDER = (
    "indices count from 0 line by line; with --matlab-indices from 1 down the columns, as in MATLAB"
)


@dataclass(frozen=True, eq=False)
class GivenPart:
    """One part of a split as its file has it.

    Attributes:
        path: the file.
        part: train, validation or test.
        pixels: flat indices, sorted.
        listed: whether they are given one by one, not as a map.
        differing: pixels to which the file gives another label than the ground truth does.
    """

    path: Path
    part: str
    pixels: Indices
    listed: bool
    differing: int


@dataclass(frozen=True)
class SplitReading:
    """How the files of a split are read.

    Attributes:
        georeference: of the scene, by which rasters with coordinates are placed.
        drawing: how drawn features are read.
        names: of the arrays, where the user says them.
        matlab_indices: whether indices count from 1 down the columns, as in MATLAB.
        train_alone: whether a single file holds the training part alone.
    """

    georeference: Georeference | None = None
    drawing: DrawnOptions = field(default_factory=DrawnOptions)
    names: PartNames = field(default_factory=PartNames)
    matlab_indices: bool = False
    train_alone: bool = False

    @property
    def order_remedy(self) -> str:
        """What to do where indices are not those of the scene's labelled pixels."""
        if self.names.options:
            return _EITHER_ORDER
        return OWN_ORDER


def given_part(
    path: Path,
    part: str,
    array: NDArray[np.generic],
    labels: NDArray[np.integer],
    reading: SplitReading,
) -> GivenPart:
    """The pixels that a mask, a label map or a list of indices stands for.

    Args:
        path: of the file, for messages.
        part: train, validation or test.
        array: what stands for it.
        labels: lines × samples, 0 = unlabelled.
        reading: says how indices count.

    Raises:
        InputFileError: it stands for no pixels of such a scene, or for one twice.
    """
    if array.dtype.kind not in "biuf" or (
        array.dtype.kind == "f"
        and not ((np.abs(array) < 2**53) & (array == np.round(array.astype(float)))).all()
    ):
        raise InputFileError(path, f"{part} of type {array.dtype}", "whole numbers or a mask")
    if array.shape == labels.shape:
        given = array.astype(np.int64)
        wrong = (given != 0) & (given != labels) & (labels != 0)
        if wrong.any() and any(set(np.unique(given).tolist()) <= mask for mask in _MASKS):
            wrong[:] = False
        return GivenPart(path, part, np.flatnonzero(given), False, int(wrong.sum()))
    indices = np.sort(_flat(path, part, array, labels.shape, reading))
    if (np.diff(indices) == 0).any():
        raise InputFileError(path, f"{part} lists a pixel twice", "each pixel once")
    return GivenPart(path, part, indices, True, 0)


def _flat(
    path: Path, part: str, array: NDArray[Any], shape: tuple[int, ...], reading: SplitReading
) -> NDArray[np.int64]:
    """Flat indices of a list of them, or of a list of places: N × 2 (argwhere) or 2 × N."""
    columns, remedy = reading.matlab_indices, reading.order_remedy
    first = int(columns)
    mask = array.dtype.kind == "b"
    if array.size == max(array.shape, default=0) and not mask:
        _require_inside(path, f"{part} has index", array, math.prod(shape), first, remedy)
        indices = np.asarray(array.ravel(), np.int64)
        if not columns:
            return indices
        samples, lines = np.divmod(indices - 1, shape[0])
        return np.asarray(lines * shape[1] + samples, np.int64)
    # Of 2 × 2 nobody knows which are the lines.
    if mask or array.ndim != 2 or 2 not in array.shape or array.shape == (2, 2):
        raise InputFileError(
            path,
            f"{part} of {size_text(array.shape)}",
            f"a map of {size_text(shape)}, a list of indices, or N × 2 of lines and samples",
        )
    lines, samples = array.T if array.shape[1] == 2 else array
    _require_inside(path, f"{part} has line", lines, shape[0], first, remedy)
    _require_inside(path, f"{part} has sample", samples, shape[1], first, remedy)
    lines, samples = (np.asarray(each, np.int64) - first for each in (lines, samples))
    return np.asarray(lines * shape[1] + samples, np.int64)


def _require_inside(
    path: Path, what: str, values: NDArray[Any], count: int, first: int, remedy: str
) -> None:
    for value in (values.min(), values.max()) if values.size else ():
        if not first <= value < count + first:
            raise InputFileError(
                path, f"{what} {value:.0f}", f"{first} to {count - 1 + first}", remedy
            )
