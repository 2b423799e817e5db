"""Splits made by others: masks, label maps or index lists of the literature's fixed splits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError, SplitError
from .formats.array_choice import size_text
from .formats.file_format import FileFormat, recognise_format
from .formats.hdf5_files import list_hdf5_arrays, load_hdf5_map
from .formats.matlab_files import list_matlab_arrays, load_matlab_array
from .formats.numpy_files import list_npz_arrays, load_npy_map, load_npz_array
from .formats.reading_guard import reading
from .leakage import nearest_training_distance
from .splits import (
    PARTS,
    Indices,
    RareClasses,
    Split,
    apply_rare_policy,
    check_rare_classes,
    count_labels,
    load_split,
    require_two_classes,
)

_EXPECTED = "train and test as masks, label maps or lists of indices (.npz, .mat), or codes (.npy)"

# Names under which published splits keep their parts, in lower case.
_NAMES = {
    "train": ("train", "training", "tr", "trlabel", "train_gt", "train_mask", "train_indices"),
    "validation": ("validation", "val", "va", "val_gt", "val_mask", "val_indices"),
    "test": ("test", "testing", "te", "tslabel", "test_gt", "test_mask", "test_indices"),
}
_CODES = {1: "train", 2: "test", 3: "validation"}


def _list_arrays(path: Path) -> dict[str, Callable[[], NDArray[Any]]]:
    """What loads each array of a file, by name; the single array of .npy is called "codes"."""
    kind = recognise_format(path)
    if kind is FileFormat.NPY:
        return {"codes": partial(load_npy_map, path)}
    if kind is FileFormat.NPZ:
        return {a.name: partial(load_npz_array, path, a) for a in list_npz_arrays(path)}
    if kind is FileFormat.MATLAB:
        return {a.name: partial(load_matlab_array, path, a) for a in list_matlab_arrays(path)}
    if kind is FileFormat.HDF5:
        with reading(path, "a MATLAB v7.3 file"), h5py.File(path, "r", locking=False) as file:
            names = [array.name for array in list_hdf5_arrays(file)]
        return {name: partial(load_hdf5_map, path, name, name) for name in names}
    raise InputFileError(path, f"the content is {kind}", _EXPECTED)


def _from_codes(
    path: Path, codes: NDArray[np.generic], shape: tuple[int, int]
) -> dict[str, NDArray[np.generic]]:
    if codes.shape != shape or not set(np.unique(codes).tolist()) <= {0, *_CODES}:
        raise InputFileError(
            path,
            f"an array of {size_text(codes.shape)}, type {codes.dtype}",
            f"a map of {size_text(shape)} with 0 = in no part, 1 = train, 2 = test, 3 = validation",
        )
    return {part: codes == code for code, part in _CODES.items()}


def _pick_parts(
    path: Path, arrays: Mapping[str, Callable[[], NDArray[Any]]]
) -> dict[str, NDArray[np.generic]]:
    parts: dict[str, NDArray[np.generic]] = {}
    for part, names in _NAMES.items():
        present = [name for name in arrays if name.lower() in names]
        if len(present) > 1:
            raise InputFileError(
                path, f"{part} twice, as {' and '.join(present)}", "one array for each part"
            )
        if present:
            parts[part] = arrays[present[0]]()
        elif part != "validation":
            raise InputFileError(
                path, f"no {part} among {', '.join(arrays) or 'no arrays'}", _EXPECTED
            )
    return parts


def _pixels(
    path: Path, part: str, array: NDArray[np.generic], labels: NDArray[np.integer]
) -> Indices:
    """The flat indices that a mask, a label map or a list of indices stands for."""
    if array.dtype.kind not in "biuf" or (
        array.dtype.kind == "f" and not np.array_equal(array, np.round(array.astype(float)))
    ):
        raise InputFileError(path, f"{part} of type {array.dtype}", "whole numbers or a mask")
    if array.shape == labels.shape:
        given = array.astype(np.int64)
        inside = given != 0
        wrong = inside & (given != labels) & (labels != 0)
        if wrong.any() and not set(np.unique(given).tolist()) <= {0, 1}:
            raise InputFileError(
                path,
                f"{part} has other labels than the ground truth at {int(wrong.sum())} pixels",
                "the same numbering of classes",
                "give masks, or the ground truth the split was made for",
            )
        return np.flatnonzero(inside)
    if array.ndim > 2 or array.size != max(array.shape, default=0) or array.dtype.kind == "b":
        raise InputFileError(
            path,
            f"{part} of {size_text(array.shape)}",
            f"a map of {size_text(labels.shape)} or a list of indices",
        )
    indices = np.sort(array.ravel().astype(np.int64))
    if indices.size and (indices[0] < 0 or indices[-1] >= labels.size):
        outside = indices[0] if indices[0] < 0 else indices[-1]
        raise InputFileError(path, f"{part} has index {outside}", f"0 to {labels.size - 1}")
    if (np.diff(indices) == 0).any():
        raise InputFileError(path, f"{part} lists a pixel twice", "each pixel once")
    return indices


def _check_parts(path: Path, parts: dict[str, Indices], labels: NDArray[np.integer]) -> None:
    for part, pixels in parts.items():
        if not pixels.size and part != "validation":
            raise InputFileError(path, f"no {part} pixel", "at least one")
        unlabelled = int((labels.ravel()[pixels] == 0).sum())
        if unlabelled:
            raise InputFileError(
                path,
                f"{unlabelled} unlabelled pixels in {part}",
                "pixels with a label only",
                "indices count from 0 line by line, not from 1 down the columns as in MATLAB",
            )
    names = list(parts)
    for n, first in enumerate(names):
        for second in names[n + 1 :]:
            common = np.intersect1d(parts[first], parts[second]).size
            if common:
                raise InputFileError(
                    path, f"{common} pixels are in both {first} and {second}", "separate parts"
                )


def _read_parts(path: Path, labels: NDArray[np.integer]) -> dict[str, Indices]:
    shape = (labels.shape[0], labels.shape[1])
    arrays = _list_arrays(path)
    if "about" in arrays:
        own = load_split(path)
        if own.shape != shape:
            raise InputFileError(
                path,
                f"a split of {size_text(own.shape)} pixels",
                f"{size_text(shape)}, as the labels",
            )
        given: dict[str, NDArray[Any]] = {part: getattr(own, part) for part in PARTS}
    elif list(arrays) == ["codes"]:
        given = _from_codes(path, arrays["codes"](), shape)
    else:
        given = _pick_parts(path, arrays)
    parts = {part: np.empty(0, dtype=np.int64) for part in PARTS}
    parts |= {part: _pixels(path, part, array, labels) for part, array in given.items()}
    _check_parts(path, parts, labels)
    return parts


def file_split(
    path: Path, labels: NDArray[np.integer], *, rare_classes: RareClasses = "error"
) -> Split:
    """Read a fixed split.

    Accepted: .npz and .mat with arrays called train and test, validation if wanted
    (also TR/TE, TRLabel/TSLabel, train_gt/test_gt and the like); each a mask of lines × samples,
    a label map (0 = not in the part, else the ground truth's label) or a list of flat indices
    from 0, line · samples + sample; .npy with one map of codes (0 = in no part, 1 = train,
    2 = test, 3 = validation); a split.npz of an earlier run. Nothing is unpickled.

    The guard of the result is measured: one less than the smallest distance between the training
    side and the test. Labelled pixels in no part are nobody's loss and are not counted as lost.

    Args:
        path: the file.
        labels: lines × samples, 0 = unlabelled.
        rare_classes: for classes in training or test only: "error" refuses, "drop" takes them
            out of every part, "train" learns untested the classes in training and takes out the
            others. Classes in no part are dropped and named in any case.

    Raises:
        InputFileError: the file is missing, damaged or not a split of these labels.
        ShapeError: `labels` is not lines × samples.
        SplitError: fewer than two classes are left, or a class lies on one side under "error".
    """
    path = Path(path)
    found = count_labels(labels)
    check_rare_classes(rare_classes)
    parts = _read_parts(path, labels)
    flat = labels.ravel()
    learned = set(np.unique(flat[parts["train"]]).tolist())
    tested = set(np.unique(flat[parts["test"]]).tolist())
    absent = {label: "in no part of the file" for label in found if label not in learned | tested}
    untested = {label: "no test pixel in the file" for label in found if label in learned - tested}
    unlearned = {
        label: "no training pixel in the file" for label in found if label in tested - learned
    }
    remedy = "set rare_classes to drop or train"
    dropped, train_only = apply_rare_policy(untested, rare_classes, remedy)
    if rare_classes == "error":
        apply_rare_policy(unlearned, "error", remedy)
    dropped = dict(sorted((dropped | unlearned | absent).items()))
    classes = tuple(label for label in found if label not in dropped)
    require_two_classes(classes, dropped, "give a split with two classes in training")
    parts = {part: pixels[np.isin(flat[pixels], classes)] for part, pixels in parts.items()}
    if not parts["test"].size:
        raise SplitError(path, "no test pixel of a learned class", "at least one")
    split = Split(
        "file", (labels.shape[0], labels.shape[1]), classes, **parts, guard=0, dropped=dropped,
        train_only=train_only, lost={}, layout=f"read from {path.name}",
    )  # fmt: skip
    nearest = int(nearest_training_distance(split).min())
    return Split(**{**vars(split), "guard": nearest - 1})
