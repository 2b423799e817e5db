"""What the values of a stored label map mean: which is unlabelled, and whether 0 is a class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ..scene import Georeference
from .array_choice import size_text
from .class_names import ClassNames, names_nothing

_HIGHEST_LABEL = 65535
_EXPECTED = "whole numbers from 0 (unlabelled) on"


@dataclass(frozen=True)
class LabelFile:
    """A label map as a file holds it.

    Attributes:
        labels: lines × samples, 0 = unlabelled.
        class_names: names of the labels from 1 on; None when the file has none.
        colours: RGB of the labels from 0 on; None when the file has no colour table.
        georeference: None when unknown.
        files: all files that were read.
        first_value: what the file calls label 1: 0 where 0 is a class of its own there, else 1.
        remarks: what a user should know of how the file was read, a short line each.
        placement: where labels were placed by their coordinates, what stands for the result beside
            the file's checksum, by name; part of a run's identity.
        features: lines × samples, the number of the drawn feature that labels each pixel, from 1
            on, 0 where none does; None for label maps.
    """

    labels: NDArray[np.int32]
    class_names: tuple[str, ...] | None
    colours: NDArray[np.uint8] | None
    georeference: Georeference | None
    files: tuple[Path, ...]
    first_value: int = 1
    remarks: tuple[str, ...] = ()
    placement: Mapping[str, str] = field(default_factory=dict)
    features: NDArray[np.int32] | None = None


@dataclass(frozen=True)
class StoredLabels:
    """A label map as it is stored, before it is known which value means what."""

    path: Path
    values: NDArray[Any]
    nodata: float | None = None
    names: ClassNames | None = None
    colours: NDArray[np.uint8] | None = None
    georeference: Georeference | None = None
    files: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = ()
    held: NDArray[np.bool_] | None = None  # False where a mask of the file says "no data"


def understood_labels(stored: StoredLabels, unlabelled: float | None) -> LabelFile:
    """The label map that stored values stand for.

    Args:
        stored: the values, and what the file says of them.
        unlabelled: as in `read_labels`.

    Raises:
        InputFileError: a value is no label, or it is open whether 0 is a class.
    """
    path, values = stored.path, stored.values
    if values.dtype.kind not in "biuf":
        raise InputFileError(path, f"values of type {values.dtype}", _EXPECTED)
    replaced = unlabelled not in (None, 0) and stored.nodata == 0  # the user's word counts more
    missing = _equal(values, None if replaced else stored.nodata)
    if stored.held is not None:
        missing |= ~stored.held
    if unlabelled is None:
        _ask_for_zero(stored, missing)
    else:
        missing |= _equal(values, unlabelled)
    known = np.where(missing, np.zeros((), values.dtype), values) if missing.any() else values
    labels = _as_labels(path, known)
    zero_is_class = unlabelled not in (None, 0) and bool(((labels == 0) & ~missing).any())
    remarks = list(stored.remarks)
    names: dict[int, str] = {}
    remark = ""
    if stored.names is not None:
        names, remark = stored.names.by_value(int(labels.max()), zero_is_class)
    remarks += [f"{path.name}: {remark}"] if remark else []
    shift = int(zero_is_class)
    if shift:
        labels = np.where(missing, np.int32(0), labels + np.int32(1))
        remarks.append(f"{path.name}: 0 is a class of its own: value k is label k + 1 in maps")
    return LabelFile(
        labels,
        _names_of_labels(names, shift),
        _colours_of_labels(stored.colours, int(labels.max()), shift),
        stored.georeference,
        stored.files,
        1 - shift,
        tuple(remarks),
    )


def _equal(values: NDArray[Any], value: float | None) -> NDArray[np.bool_]:
    """Where the map holds `value`, rounded as its type rounds."""
    if value is None:
        return np.zeros(values.shape, bool)
    if np.isnan(value):
        return np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.asarray(values == np.array(value).astype(values.dtype))
    return np.asarray(values == value)


def _ask_for_zero(stored: StoredLabels, missing: NDArray[np.bool_]) -> None:
    """Refuse a map that marks its missing pixels by another value than 0 and holds 0 as well."""
    nodata, names = stored.nodata, stored.names
    declared = nodata is not None and nodata != 0 and _can_hold(stored.values.dtype, nodata)
    masked = stored.held is not None and not stored.held.all() and nodata != 0
    said = names is not None and (names.first is not None or names_nothing(names.listed[0]))
    if not (declared or masked) or said or not ((stored.values == 0) & ~missing).any():
        return
    how, value = (f"nodata is {nodata:g}", f"{nodata:g}") if declared else ("pixels are masked", -1)
    raise InputFileError(
        stored.path,
        f"{how}, and 0 occurs too: it may be a class or unlabelled",
        "",
        f"give --unlabelled {value} if 0 is a class, or --unlabelled 0 if it is none",
    )


def _can_hold(dtype: np.dtype[Any], value: float) -> bool:
    if dtype.kind == "f":
        return True
    limits = np.iinfo(dtype) if dtype.kind in "iu" else np.iinfo(np.uint8)
    return float(value).is_integer() and limits.min <= value <= limits.max


def _names_of_labels(by_value: dict[int, str], shift: int) -> tuple[str, ...] | None:
    """Names of the labels from 1 on, of names by the file's values; None where there are none."""
    known = {value + shift: name for value, name in by_value.items() if value + shift > 0}
    if not known:
        return None
    return tuple(known.get(label) or f"class {label - shift}" for label in range(1, max(known) + 1))


def _colours_of_labels(
    colours: NDArray[np.uint8] | None, highest: int, shift: int
) -> NDArray[np.uint8] | None:
    if colours is None:
        return None
    if shift:
        colours = np.concatenate([np.zeros((1, 3), np.uint8), colours])
    return colours[: highest + 1]


def _as_labels(path: Path, values: NDArray[Any]) -> NDArray[np.int32]:
    """`values` as labels, contiguous."""
    if values.size == 0:
        raise InputFileError(path, f"an array of {size_text(values.shape)}", "a label map")
    if values.dtype.kind == "f":
        # Of a NaN that warns, as damage makes them, the refusal says it.
        with np.errstate(invalid="ignore"):
            broken = values[~np.isfinite(values) | (values != np.floor(values))]
        if broken.size:
            found = f"{broken.flat[0]:g}"
            remedy = "" if np.isfinite(broken.flat[0]) else _remedy(found)
            raise InputFileError(path, f"the value {found} as a label", _EXPECTED, remedy)
    lowest, highest = values.min(), values.max()
    if lowest < 0 or highest > _HIGHEST_LABEL:
        wrong = int(lowest if lowest < 0 else highest)
        raise InputFileError(
            path, f"the label {wrong}", f"{_EXPECTED}, up to {_HIGHEST_LABEL}", _remedy(str(wrong))
        )
    return np.ascontiguousarray(values, dtype=np.int32)


def _remedy(value: str) -> str:
    return f"give --unlabelled {value} if it marks unlabelled pixels"
