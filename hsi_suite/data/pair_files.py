"""Pairs from files: aligned matrices of features with labels, as the retrieval benchmarks have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checksums import hash_file
from ..errors import InputFileError
from ..memory import bytes_of, require_room
from .formats.array_choice import StoredArray
from .formats.file_format import FileFormat, recognise_format
from .formats.matlab_files import list_matlab_arrays, load_matlab_array
from .formats.numpy_files import list_npz_arrays, load_npz_array
from .pairs import Labelled, Pairs, Targets

_TYPE = np.dtype(np.float32)
# Each array by our name and by those of the benchmark files of DSCMR (Zhen et al. 2019).
_NAMES = {
    "first": ("first", "train_first", "train_img"),
    "second": ("second", "train_second", "train_txt"),
    "labels": ("labels", "train_labels", "train_img_lab", "train_lab"),
    "test_first": ("test_first", "test_img"),
    "test_second": ("test_second", "test_txt"),
    "test_labels": ("test_labels", "test_img_lab", "test_lab"),
    "extra_first": ("extra_first",),
    "extra_first_labels": ("extra_first_labels",),
    "extra_second": ("extra_second",),
    "extra_second_labels": ("extra_second_labels",),
}
# The benchmark files have a list of labels for either side; a pair has one set of classes.
_SECOND_LISTS = {
    "labels": ("labels_second", "train_txt_lab"),
    "test_labels": ("test_labels_second", "test_txt_lab"),
}
_NEEDED = ("first", "second", "labels")
_SUFFIXES = (".mat", ".npz")
_LARGEST_LABEL = 100_000

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class PairFiles:
    """What files of pairs hold.

    Attributes:
        name: of the file or folder, without its ending.
        pairs: for training; all there are where no test part is given.
        test: None where the files have no test part.
        extra: items without a partner, of the first and the second modality.
        class_names: "class 1" and so on: the files have none.
        checksums: SHA-256 of the files, by name.
    """

    name: str
    pairs: Pairs
    test: Pairs | None
    extra: tuple[Labelled | None, Labelled | None]
    class_names: tuple[str, ...]
    checksums: Mapping[str, str]


def read_pairs(path: Path) -> PairFiles:
    """The pairs of an .npz or .mat file, or of a folder of such.

    The arrays are called `first`, `second` (items × dimensions each, row by row of the same pair)
    and `labels` (one class for each, or 0/1 of items × classes); `test_first`, `test_second` and
    `test_labels` are a test part; `extra_first`, `extra_first_labels` and the same of the second
    are items without a partner. The names of DSCMR's benchmark files (`train_img`, `train_txt`,
    `train_img_lab`, ...) do too; where they have labels of either side, these must agree.

    Raises:
        InputFileError: a file is missing, damaged or of another kind, an array is missing or has
            another shape, labels are neither classes nor 0 and 1, or those of the two sides of
            pairs contradict each other.
        ShapeError: the modalities do not have as many items.
    """
    files = _files(path)
    arrays = _known(path, _all_arrays(files))
    for name in _NEEDED:
        if name not in arrays:
            raise InputFileError(
                path,
                f"holds no array {name!r}",
                f"{', '.join(_NEEDED)}",
                f"call it {' or '.join(_NAMES[name])}",
            )
    coded = _targets(path, {k: v for k, v in arrays.items() if k.endswith("labels")})
    features = {k: _features(path, k, v) for k, v in arrays.items() if not k.endswith("labels")}
    pairs = Pairs(features["first"], features["second"], coded["labels"])
    if not len(pairs):
        raise InputFileError(path, "holds no pairs", "at least one")
    return PairFiles(
        name=path.stem,
        pairs=pairs,
        test=_test(path, features, coded, pairs),
        extra=(
            _extra(path, features, coded, "first"),
            _extra(path, features, coded, "second"),
        ),
        class_names=tuple(f"class {k}" for k in range(1, pairs.targets.shape[1] + 1)),
        checksums={file.name: hash_file(file) for file in files},
    )


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES)
    if not files:
        raise InputFileError(path, "a folder without .mat or .npz files", "files of pairs")
    return files


def _all_arrays(files: list[Path]) -> dict[str, NDArray[Any]]:
    loaders: dict[str, tuple[StoredArray, Callable[[], NDArray[Any]]]] = {}
    for file in files:
        kind = recognise_format(file)
        if kind == FileFormat.NPZ:
            listed, load = list_npz_arrays(file), load_npz_array
        elif kind == FileFormat.MATLAB:
            listed, load = list_matlab_arrays(file), load_matlab_array
        else:
            raise InputFileError(file, f"{kind} files hold no pairs", "an .npz or .mat file")
        for array in filter(lambda each: each.numeric, listed):
            loaders[array.name] = (array, partial(load, file, array))
    # Each fits by itself, says its reader; all stay in memory together, in single precision.
    require_room(
        max(files, key=lambda file: file.stat().st_size),
        sum(bytes_of(array.shape, _TYPE) for array, _ in loaders.values()),
    )
    return {name: load() for name, (_, load) in loaders.items()}


def _known(path: Path, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays by our names."""
    known = {}
    for name, others in _NAMES.items():
        there = [other for other in others if other in arrays]
        if len(there) > 1:
            raise InputFileError(path, f"holds both {there[0]} and {there[1]}", "one of them")
        if there:
            known[name] = arrays[there[0]]
    for name, others in _SECOND_LISTS.items():
        for other in others:
            if other not in arrays:
                continue
            if name in known:
                own = next(known_as for known_as in _NAMES[name] if known_as in arrays)
                _refuse_contradictions(path, (own, known[name]), (other, arrays[other]))
            else:
                known[name] = arrays[other]
    return known


def _refuse_contradictions(
    path: Path, first: tuple[str, NDArray[Any]], second: tuple[str, NDArray[Any]]
) -> None:
    """Refuse labels of the two sides that say different things of the same pairs."""
    names = f"{first[0]} and {second[0]}"
    one, other = (_flat(path, name, array) for name, array in (first, second))
    if one.ndim != other.ndim:
        raise InputFileError(path, f"{names}: one as classes, one as 0/1", "one form of labels")
    if one.shape != other.shape:
        raise InputFileError(path, f"{names} of shapes {one.shape} and {other.shape}", "equal ones")
    differs = (one != other).reshape(len(one), -1).any(1)
    if differs.any():
        raise InputFileError(
            path,
            f"{names} contradict each other in {int(differs.sum()):,} of {len(one):,} pairs",
            "the same classes for both items of a pair",
            "correct one of them, or leave one out",
        )


def _features(path: Path, name: str, array: NDArray[Any]) -> NDArray[np.float32]:
    if array.ndim != 2 or not array.shape[1]:
        raise InputFileError(path, f"{name} of shape {array.shape}", "items × dimensions")
    values = np.asarray(array, np.float32)
    if not np.isfinite(values).all():
        raise InputFileError(path, f"{name} holds values that are not finite", "finite features")
    return np.ascontiguousarray(values)


def _targets(path: Path, labels: Arrays) -> dict[str, Targets]:
    """All labels as 0/1 of items × classes, the classes of all arrays together."""
    flat = {name: _flat(path, name, array) for name, array in labels.items()}
    if len({array.ndim for array in flat.values()}) > 1:
        raise InputFileError(path, "labels as classes and as 0/1 in one place", "one form")
    if next(iter(flat.values())).ndim == 2:
        widths = {array.shape[1] for array in flat.values()}
        if len(widths) > 1:
            raise InputFileError(path, f"labels of {sorted(widths)} columns", "equal numbers")
        return {name: array.astype(np.uint8) for name, array in flat.items()}
    values = np.unique(np.concatenate(list(flat.values())))
    if len(values) < 2:
        raise InputFileError(path, "labels of a single class", "at least two")
    return {name: (array[:, None] == values).astype(np.uint8) for name, array in flat.items()}


def _flat(path: Path, name: str, array: NDArray[Any]) -> NDArray[np.int64]:
    """Whole numbers, one for each item or 0/1 of items × classes."""
    if not np.isfinite(array).all() or (array != np.round(array)).any():
        raise InputFileError(path, f"{name} holds values that are no whole numbers", "classes")
    if array.size and (array.min() < 0 or array.max() > _LARGEST_LABEL):
        found = f"{name} from {array.min()} to {array.max()}"
        raise InputFileError(path, found, f"classes from 0 to {_LARGEST_LABEL}")
    whole = array.astype(np.int64)
    if whole.ndim == 1 or (whole.ndim == 2 and 1 in whole.shape):
        return whole.reshape(-1)
    if whole.ndim != 2:
        raise InputFileError(path, f"{name} of shape {array.shape}", "items, or items × classes")
    if whole.max(initial=0) > 1:
        raise InputFileError(path, f"{name} with values up to {whole.max()}", "0 and 1")
    return whole


def _test(
    path: Path, features: Arrays, targets: Mapping[str, Targets], pairs: Pairs
) -> Pairs | None:
    names = ("test_first", "test_second", "test_labels")
    there = [name for name in names if name in features or name in targets]
    if not there:
        return None
    if len(there) < len(names):
        missing = next(name for name in names if name not in there)
        raise InputFileError(path, f"a test part without {missing}", ", ".join(names))
    test = Pairs(features[names[0]], features[names[1]], targets[names[2]])
    for name, own, learnt in (
        (names[0], test.first, pairs.first),
        (names[1], test.second, pairs.second),
    ):
        if own.shape[1] != learnt.shape[1]:
            raise InputFileError(
                path, f"{name} of {own.shape[1]} dimensions", f"{learnt.shape[1]} as in training"
            )
    return test


def _extra(
    path: Path, features: Arrays, targets: Mapping[str, Targets], side: str
) -> Labelled | None:
    items, labels = features.get(f"extra_{side}"), targets.get(f"extra_{side}_labels")
    if items is None and labels is None:
        return None
    if items is None or labels is None:
        missing = f"extra_{side}" if items is None else f"extra_{side}_labels"
        raise InputFileError(path, f"extra items without {missing}", "both arrays")
    return Labelled(items, labels)
