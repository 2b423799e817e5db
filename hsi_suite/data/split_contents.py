"""What the files of a split made by others hold, by the part it is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from .drawn_geometry import SceneGrid
from .drawn_labels import drawn_mask
from .formats.array_choice import size_text
from .formats.drawn_features import DrawnOptions
from .formats.drawn_formats import recognise_drawn
from .formats.file_format import FileFormat, recognise_format
from .formats.label_files import read_labels
from .formats.matlab_files import list_matlab_arrays, load_matlab_array
from .formats.numpy_files import list_npz_arrays, load_npy_array, load_npz_array
from .formats.reading_guard import reading
from .label_alignment import align_labels
from .scene import Georeference
from .split_names import PartNames, named_part, names_of

EXPECTED = (
    "train and test as masks, label maps or lists of indices (.npz, .mat), codes (.npy, .tif), or "
    "two files: TRAIN,TEST"
)
_REST = ", or --rest-is-test: all other labelled pixels are"
_CODES = {1: "train", 2: "test", 3: "validation"}
_RASTERS = (
    FileFormat.TIFF, FileFormat.ENVI_HEADER, FileFormat.ENVI_DATA, FileFormat.PNG, FileFormat.OTHER,
)  # fmt: skip
Labels = NDArray[np.integer]
Array = NDArray[np.generic]


def list_arrays(path: Path) -> dict[str, Callable[[], NDArray[Any]]]:
    """What loads each array of a file, by name; the only one of a raster or .npy is "codes".

    Raises:
        InputFileError: the file is damaged, or of a kind that holds no arrays.
    """
    kind = recognise_format(path)
    if kind is FileFormat.NPY:
        return {"codes": partial(load_npy_array, path)}
    if kind is FileFormat.NPZ:
        return {a.name: partial(load_npz_array, path, a) for a in list_npz_arrays(path)}
    if kind is FileFormat.MATLAB:
        return {a.name: partial(load_matlab_array, path, a) for a in list_matlab_arrays(path)}
    if kind is FileFormat.HDF5:
        import h5py

        from .formats.hdf5_files import list_hdf5_arrays, load_hdf5_array

        with reading(path, "a MATLAB v7.3 file"), h5py.File(path, "r", locking=False) as file:
            names = [array.name for array in list_hdf5_arrays(file)]
        return {name: partial(load_hdf5_array, path, name) for name in names}
    raise InputFileError(path, f"the content is {kind}", EXPECTED)


def parts_of_file(
    path: Path,
    arrays: Mapping[str, Callable[[], NDArray[Any]]],
    labels: Labels,
    names: PartNames | None = None,
) -> dict[str, Array]:
    """The parts that one file holds: arrays with their names, or one map of codes.

    Args:
        path: the file, for messages.
        arrays: what loads each of its arrays.
        labels: lines × samples, 0 = unlabelled.
        names: of the arrays, where the user says them.

    Raises:
        InputFileError: a part is missing or stands there twice, or the map is none of codes.
    """
    names = names or PartNames()
    if list(arrays) == ["codes"]:
        names.refuse(path)
        return _from_codes(path, arrays["codes"](), labels, names)
    parts = named_parts(path, arrays, labels, names)
    if not parts and len(arrays) == 1:
        return _from_codes(path, next(iter(arrays.values()))(), labels, names)
    for part in ("train", "test"):
        if part not in parts:
            raise InputFileError(
                path,
                f"no {part} among {', '.join(arrays) or 'no arrays'}",
                EXPECTED,
                names.remedy(part, list(arrays)),
            )
    return parts


def named_parts(
    path: Path,
    arrays: Mapping[str, Callable[[], NDArray[Any]]],
    labels: Labels | None = None,
    names: PartNames | None = None,
) -> dict[str, Array]:
    """The parts that stand in a file under a name that splits use; see `parts_of_file`."""
    given = names or PartNames()
    found = {part: named_part(path, part, arrays, labels, given) for part in _CODES.values()}
    return {part: values for part, values in found.items() if values is not None}


def parts_of_files(
    paths: Sequence[Path],
    labels: Labels,
    georeference: Georeference | None,
    drawing: DrawnOptions,
    names: PartNames,
) -> dict[str, Array]:
    """The parts that files of their own hold: training, test and, if wanted, validation.

    Each holds one mask, label map, list of indices or drawn features; rasters and features lie
    where their coordinates say.

    Args:
        paths: in this order.
        labels: lines × samples, 0 = unlabelled.
        georeference: of the scene; None when unknown.
        drawing: how drawn features are read.
        names: of the arrays, where the user says them.

    Raises:
        InputFileError: there are too many files, or one holds something else.
    """
    if len(paths) > len(_CODES):
        raise InputFileError(paths[0], f"one of {len(paths)} files", "TRAIN,TEST[,VALIDATION]")
    return {
        part: _part(path, part, labels, georeference, drawing, names)
        for path, part in zip(paths, _CODES.values(), strict=False)
    }


def map_of_raster(path: Path, labels: Labels, georeference: Georeference | None) -> Array | None:
    """The values of a raster or picture on the scene's grid; None for other files.

    Raises:
        InputFileError: it is damaged, or lies elsewhere.
    """
    if recognise_drawn(path) is not None:
        raise InputFileError(
            path,
            "drawn shapes do not say by themselves which are for training",
            "two files: TRAIN,TEST",
            "or give --split polygons, which divides them",
        )
    if recognise_format(path) not in _RASTERS:
        return None
    truth = read_labels(path, unlabelled=0)
    shape = (labels.shape[0], labels.shape[1])
    return align_labels(path, truth, georeference, shape, warp=None).labels


def refuse_test_part(path: Path) -> None:
    """Refuse a file that is to hold the training part alone and holds a test part too.

    Raises:
        InputFileError: it does, or is damaged.
    """
    if recognise_drawn(path) is not None or recognise_format(path) in _RASTERS:
        return
    arrays = list_arrays(path)
    if found := names_of("test", arrays):
        raise InputFileError(
            path, f"--rest-is-test is given, and {found[0]} is a test part", "", "leave it out"
        )


def _part(
    path: Path,
    part: str,
    labels: Labels,
    georeference: Georeference | None,
    drawing: DrawnOptions,
    names: PartNames,
) -> Array:
    if recognise_drawn(path) is not None:
        names.refuse(path, [part])
        grid = SceneGrid((labels.shape[0], labels.shape[1]), georeference)
        return drawn_mask([path], grid, drawing) & (labels > 0)
    values = map_of_raster(path, labels, georeference)
    if values is not None:
        names.refuse(path, [part])
        return values
    arrays = list_arrays(path)
    if list(arrays) == ["codes"]:
        names.refuse(path, [part])
    named = named_part(path, part, arrays, labels, names)
    if named is not None:
        return named
    if len(arrays) != 1:
        raise InputFileError(
            path,
            f"{len(arrays)} arrays ({', '.join(arrays)})",
            f"one, or one called {part}",
            names.remedy(part, list(arrays)),
        )
    return next(iter(arrays.values()))()


def _from_codes(path: Path, codes: Array, labels: Labels, names: PartNames) -> dict[str, Array]:
    if codes.dtype.kind in "biuf" and codes.shape == labels.shape and _is_label_map(codes, labels):
        raise InputFileError(
            path,
            "this is a label map: it does not say which pixels are for training",
            EXPECTED,
            f"give it as {'LABELS' if names.options else '--labels'}, or the label maps of both "
            f"parts: {names.split_option} TRAIN,TEST{_REST if names.options else ''}",
        )
    if codes.shape != labels.shape and (codes.ndim < 2 or min(codes.shape) <= 2):
        raise InputFileError(
            path,
            f"an array of {size_text(codes.shape)}: the pixels of one part, not of two",
            EXPECTED,
            f"give a file for each part: {names.split_option} TRAIN,TEST"
            f"{_REST if names.options else ''}",
        )
    if codes.shape != labels.shape or not set(np.unique(codes).tolist()) <= {0, *_CODES}:
        raise InputFileError(
            path,
            f"an array of {size_text(codes.shape)}, type {codes.dtype}",
            f"a map of {size_text(labels.shape)} with 0 = in no part, 1 = train, 2 = test, "
            "3 = validation",
        )
    parts: dict[str, Array] = {part: codes == code for code, part in _CODES.items()}
    if names.options and parts["train"].any() and not parts["test"].any():
        remedy = f"give a file for each part: {names.split_option} TRAIN,TEST{_REST}"
        raise InputFileError(path, "no test pixel: a mask of one part", EXPECTED, remedy)
    return parts


def _is_label_map(values: Array, labels: Labels) -> bool:
    """Whether values are the labels of the scene wherever they are not 0."""
    inside = values != 0
    return bool(inside.any()) and bool((values[inside] == labels[inside]).all())
