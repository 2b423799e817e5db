"""Splits made by others: masks, label maps or index lists of the literature's fixed splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError, SplitError
from .file_list import listed_files
from .formats.array_choice import size_text
from .formats.drawn_features import DrawnOptions
from .leakage import nearest_training_distance
from .scene import Georeference
from .split_contents import list_arrays, map_of_raster, parts_of_file, parts_of_files
from .split_pixels import OWN_ORDER, GivenPart, SplitReading, given_part
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


def _checked_parts(
    path: Path,
    given: Mapping[str, GivenPart],
    labels: NDArray[np.integer],
    valid: NDArray[np.bool_] | None,
) -> dict[str, Indices]:
    """The parts of a split that can be learnt from."""
    for each in given.values():
        if each.differing:
            raise InputFileError(
                each.path,
                f"{each.part} has other labels than the ground truth at {each.differing} pixels",
                "the same numbering of classes",
                "give masks, or the ground truth the split was made for",
            )
    parts = {part: np.empty(0, dtype=np.int64) for part in PARTS}
    parts |= {part: _with_data(each, valid) for part, each in given.items()}
    _check_parts(path, parts, labels)
    return parts


def _with_data(part: GivenPart, valid: NDArray[np.bool_] | None) -> Indices:
    """The pixels of a part without those of a map that hold no data, which have no label either."""
    if valid is None or part.listed:
        return part.pixels
    return part.pixels[valid.ravel()[part.pixels]]


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
                OWN_ORDER,
            )
    names = list(parts)
    for n, first in enumerate(names):
        for second in names[n + 1 :]:
            common = np.intersect1d(parts[first], parts[second]).size
            if common:
                raise InputFileError(
                    path, f"{common} pixels are in both {first} and {second}", "separate parts"
                )


def read_parts(
    paths: Sequence[Path], labels: NDArray[np.integer], reading: SplitReading
) -> dict[str, GivenPart]:
    """The parts of a split as its files have them, in any of the forms of `file_split`.

    Args:
        paths: one file, or those of training, test and perhaps validation.
        labels: lines × samples, 0 = unlabelled.
        reading: how they are read.

    Raises:
        InputFileError: a file is missing, damaged, lies elsewhere or is no split of such a scene.
    """
    given = (
        _one_file(paths[0], labels, reading)
        if len(paths) == 1 and not reading.train_alone
        else parts_of_files(paths, labels, reading.georeference, reading.drawing, reading.names)
    )
    sources = paths if len(paths) > 1 else [*paths] * len(given)
    return {
        part: given_part(path, part, array, labels, reading)
        for path, (part, array) in zip(sources, given.items(), strict=True)
    }


def _one_file(
    path: Path, labels: NDArray[np.integer], reading: SplitReading
) -> dict[str, NDArray[Any]]:
    codes = map_of_raster(path, labels, reading.georeference)
    if codes is not None:
        return parts_of_file(path, {"codes": lambda: codes}, labels, reading.names)
    arrays = list_arrays(path)
    if "about" not in arrays:
        return parts_of_file(path, arrays, labels, reading.names)
    own = load_split(path)
    shape = (labels.shape[0], labels.shape[1])
    if own.shape != shape:
        raise InputFileError(
            path,
            f"a split of {size_text(own.shape)} pixels",
            f"{size_text(shape)}, as the labels",
        )
    if reading.matlab_indices:
        remedy = "the indices of a split of hsi are never MATLAB's: leave it out"
        raise InputFileError(path, "--matlab-indices is given", "", remedy)
    return {part: getattr(own, part) for part in PARTS}


def file_split(
    path: Path | str,
    labels: NDArray[np.integer],
    *,
    rare_classes: RareClasses = "error",
    georeference: Georeference | None = None,
    drawing: DrawnOptions | None = None,
    valid: NDArray[np.bool_] | None = None,
) -> Split:
    """Read a fixed split.

    Accepted: .npz, .mat and HDF5 with arrays called train and test, validation if wanted (also
    TR/TE, TRLabel/TSLabel, train_gt/test_gt, train_idx/test_idx and the like); each a mask of
    lines × samples, a label map (0 = not in the part, else the ground truth's label), a list of
    flat indices from 0, line · samples + sample, or N × 2 with line and sample of each pixel, from
    0; .npy, TIFF, ENVI or PNG with one map of codes (0 = in no part, 1 = train, 2 = test, 3 =
    validation); two or three files, each with one part in any of these forms or drawn (GeoPackage
    and the like); a split.npz of an earlier run. Nothing is unpickled.

    The guard of the result is measured: one less than the smallest distance between the training
    side and the test. Labelled pixels in no part are nobody's loss and are not counted as lost.

    Args:
        path: the file, or "TRAIN,TEST" or "TRAIN,TEST,VALIDATION".
        labels: lines × samples, 0 = unlabelled.
        rare_classes: for classes in training or test only: "error" refuses, "drop" takes them
            out of every part, "train" learns untested the classes in training and takes out the
            others. Classes in no part are dropped and named in any case.
        georeference: of the scene, by which rasters with coordinates are placed.
        drawing: how drawn features are read; None: as they are by themselves.
        valid: lines × samples, False where the scene holds no data: what masks and label maps say
            of such pixels does not count; None: all hold data.

    Raises:
        InputFileError: a file is missing, damaged, lies elsewhere or is not a split of these
            labels.
        ShapeError: `labels` is not lines × samples.
        SplitError: fewer than two classes are left, or a class lies on one side under "error".
    """
    paths = listed_files(path)
    found = count_labels(labels)
    check_rare_classes(rare_classes)
    reading = SplitReading(georeference, drawing or DrawnOptions())
    parts = _checked_parts(paths[0], read_parts(paths, labels, reading), labels, valid)
    flat = labels.ravel()
    learned = set(np.unique(flat[parts["train"]]).tolist())
    tested = set(np.unique(flat[parts["test"]]).tolist())
    absent = {label: "in no part of the file" for label in found if label not in learned | tested}
    untested = {label: "no test pixel in the file" for label in found if label in learned - tested}
    unlearned = {
        label: "no training pixel in the file" for label in found if label in tested - learned
    }
    remedy = "set split.rare_classes to drop or train"
    dropped, train_only = apply_rare_policy(untested, rare_classes, remedy)
    if rare_classes == "error":
        apply_rare_policy(unlearned, "error", remedy)
    dropped = dict(sorted((dropped | unlearned | absent).items()))
    classes = tuple(label for label in found if label not in dropped)
    require_two_classes(classes, dropped, "give a split with two classes in training")
    parts = {part: pixels[np.isin(flat[pixels], classes)] for part, pixels in parts.items()}
    if not parts["test"].size:
        raise SplitError(paths[0], "no test pixel of a learned class", "at least one")
    layout = f"read from {' and '.join(each.name for each in paths)}"
    split = Split(
        "file", (labels.shape[0], labels.shape[1]), classes, **parts, guard=0, dropped=dropped,
        train_only=train_only, lost={}, layout=layout,
    )  # fmt: skip
    nearest = int(nearest_training_distance(split).min())
    return Split(**{**vars(split), "guard": nearest - 1})
