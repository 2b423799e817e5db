"""Which labelled pixels train, select and test: the split, its random form, its file.

The spatially disjoint form is in `disjoint_split`, that by polygons in `polygon_split`, that by
whole scenes in `scene_split`, splits made by others in `split_files`, what a split lets slip from
training to test in `leakage`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..atomic import atomic_file
from ..errors import InputFileError, ShapeError, SplitError
from ..guard import parsing
from ..json_text import json_text
from ..shown import Rows, Shown
from ..user_files import parse_json, require_regular

RareClasses = Literal["drop", "train", "error"]
Indices = NDArray[np.int64]

PARTS = ("train", "validation", "test")
_FORMAT = "hsi_suite split 1"


@dataclass(frozen=True, eq=False, repr=False)
class Split(Shown):
    """A division of the labelled pixels of a scene.

    Pixels are flat indices, line · samples + sample, sorted; no pixel is in two parts.

    Attributes:
        kind: "random", "disjoint", "polygons", "spatial_folds" (one fold, or all of them
            together, whose training part is then empty), "scenes" or "file".
        shape: lines and samples of the scene.
        classes: the label values a model learns, in the order of its outputs.
        train: pixels to learn from.
        validation: pixels to select an epoch by, taken from the training side; may be empty.
        test: pixels to report on.
        guard: every pixel of the training side is farther than this from every test pixel of any
            class (pixels, Chebyshev distance: the larger of the line and sample differences);
            0 where nothing is kept free.
        dropped: why a label value is not learned; none of its pixels is in a part.
        train_only: why a label value is learned but not tested.
        lost: labelled pixels of a learned class that the guard keeps out of every part.
        layout: how the scene was partitioned, for people; "" where it was not.
    """

    kind: str
    shape: tuple[int, int]
    classes: tuple[int, ...]
    train: Indices
    validation: Indices
    test: Indices
    guard: int
    dropped: Mapping[int, str]
    train_only: Mapping[int, str]
    lost: Mapping[int, int]
    layout: str

    def shown(self) -> tuple[str, Rows]:
        """The sizes of its parts, and what is in none."""
        rows = [(part, f"{len(getattr(self, part)):,} pixels") for part in PARTS]
        rows.append(("classes", ", ".join(map(str, self.classes))))
        if self.guard:
            rows.append(("guard", f"{self.guard} pixels"))
        if self.lost:
            rows.append(("lost to the guard", f"{sum(self.lost.values()):,} pixels"))
        rows += [("dropped", f"class {label}: {why}") for label, why in self.dropped.items()]
        rows += [("not tested", f"class {label}: {why}") for label, why in self.train_only.items()]
        rows += [("layout", self.layout)] if self.layout else []
        lines, samples = self.shape
        return f"Split, {self.kind}, of {lines} × {samples} pixels", rows

    def counts(self, labels: NDArray[np.integer]) -> dict[int, dict[str, int]]:
        """Pixels of each learned class in each part and lost, by label value.

        Args:
            labels: lines × samples, the ground truth the split was made from.
        """
        flat = labels.ravel()
        found = {part: flat[getattr(self, part)] for part in PARTS}
        size = max(self.classes, default=0) + 1
        counts = {part: np.bincount(values, minlength=size) for part, values in found.items()}
        return {
            label: {part: int(numbers[label]) for part, numbers in counts.items()}
            | {"lost": int(self.lost.get(label, 0))}
            for label in self.classes
        }


def count_labels(labels: NDArray[np.integer]) -> dict[int, int]:
    """Pixels of each label value above 0, in rising order of the values.

    Raises:
        ShapeError: `labels` is not lines × samples.
        SplitError: labels that are not counting numbers, none at all, or a single class.
    """
    if labels.ndim != 2:
        raise ShapeError("labels", f"{labels.ndim} dimensions", "lines × samples")
    if not np.issubdtype(labels.dtype, np.integer):
        raise SplitError("labels", f"values of type {labels.dtype}", "whole numbers")
    values, counts = np.unique(labels, return_counts=True)
    if values.size and values[0] < 0:
        raise SplitError("labels", f"the value {values[0]}", "0 for unlabelled, classes from 1 on")
    found = {int(v): int(n) for v, n in zip(values, counts, strict=True) if v > 0}
    if len(found) < 2:
        what = f"only class {next(iter(found))} is labelled" if found else "no pixel is labelled"
        raise SplitError("labels", what, "at least two classes", "check the label file")
    return found


def pixels_by_label(labels: NDArray[np.integer]) -> dict[int, Indices]:
    """Flat indices, rising, of the pixels of each label value above 0.

    One sorting for all, so that many classes do not each go through the whole map.
    """
    flat = labels.ravel()
    order = np.argsort(flat, kind="stable")
    values, starts = np.unique(flat[order], return_index=True)
    pieces = np.split(order, starts[1:])
    return {int(value): piece for value, piece in zip(values, pieces, strict=True) if value > 0}


def check_fraction(name: str, value: float, *, allow_zero: bool = False) -> None:
    """Refuse a share outside (0, 1), or [0, 1) with `allow_zero`.

    Raises:
        SplitError: always naming `name` and the value.
    """
    if isinstance(value, bool) or not (0 < value < 1 or (allow_zero and value == 0)):
        low = "0 or more" if allow_zero else "more than 0"
        raise SplitError(name, f"a share of {value}", f"{low} and less than 1")


def check_guard(guard: int, lines: int, samples: int, keys: str = "split.guard") -> None:
    """Refuse a guard that leaves no two pixels of a scene for two sides.

    Args:
        guard: pixels that lie between the sides.
        lines: of the scene.
        samples: of the scene.
        keys: which can be lowered.

    Raises:
        SplitError: no two pixels are farther apart.
    """
    widest = max(lines, samples) - 2
    if guard > widest:
        raise SplitError(
            "split.guard",
            f"{guard} pixels in a scene of {lines} × {samples}",
            f"at most {widest}: none are farther apart",
            f"lower {keys}",
        )


def check_rare_classes(policy: str) -> None:
    """Refuse an unknown policy for classes that cannot be divided.

    Raises:
        SplitError: `policy` is none of drop, train, error.
    """
    if policy not in ("drop", "train", "error"):
        raise SplitError("split.rare_classes", repr(policy), "drop, train or error")


def apply_rare_policy(
    rare: Mapping[int, str], policy: RareClasses, remedy: str
) -> tuple[dict[int, str], dict[int, str]]:
    """Sort the classes that cannot be divided into (dropped, train_only).

    Args:
        rare: the reason by label value.
        policy: what to do with them.
        remedy: ends the message under "error".

    Raises:
        SplitError: there are some and the policy is "error".
    """
    if rare and policy == "error":
        named = "; ".join(f"class {label}: {reason}" for label, reason in rare.items())
        raise SplitError("labels", f"cannot be divided ({named})", "", remedy)
    return (dict(rare), {}) if policy == "drop" else ({}, dict(rare))


def require_two_classes(classes: tuple[int, ...], dropped: Mapping[int, str], remedy: str) -> None:
    """Refuse a split in which fewer than two classes are left to distinguish.

    Raises:
        SplitError: naming what was dropped and why.
    """
    if len(classes) < 2:
        named = "; ".join(f"class {label}: {reason}" for label, reason in dropped.items())
        raise SplitError(
            "split", f"{len(classes)} classes are left ({named})", "at least two", remedy
        )


def _apportion(counts: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    # Largest remainders of the whole number of pixels, as in scikit-learn's stratified split.
    # The rounding takes away what binary fractions add (0.29 × 100 = 28.999…).
    total = int(counts.sum())
    whole = int(np.floor(round(total * share, 9)))
    wanted = np.round(counts * (whole / total), 9)
    taken = np.floor(wanted).astype(np.int64)
    taken[np.argsort(taken - wanted, kind="stable")[: whole - int(taken.sum())]] += 1
    return taken


def _training_counts(counts: NDArray[np.int64], train: float) -> NDArray[np.int64]:
    if isinstance(train, int | np.integer) and not isinstance(train, bool):
        if train < 1:
            raise SplitError("train", f"{train} pixels per class", "1 or more")
        # No class has as many as an integer of NumPy cannot hold.
        return np.minimum(min(int(train), int(counts.max(initial=0))), counts // 2)
    check_fraction("train", train)
    return np.clip(_apportion(counts, train), 1, counts - 1)


def random_split(
    labels: NDArray[np.integer],
    *,
    train: float,
    validation: float = 0.0,
    rare_classes: RareClasses = "error",
    generator: np.random.Generator,
) -> Split:
    """Divide every class at random: the literature's usual split.

    Test pixels lie among training pixels, so the accuracy measures memory of the neighbourhood
    as much as the classifier (`leakage.audit` says how much).

    Rounding: the training side has the share of all pixels, rounded down; each class gets the
    whole part of its portion of them, the pixels left over go to the largest remainders (as in
    scikit-learn), then every class keeps at least one pixel on each side.

    Args:
        labels: lines × samples, 0 = unlabelled.
        train: share of each class's pixels on the training side, in (0, 1); or a whole number:
            that many pixels per class, at most half of them.
        validation: share of the training side set apart for selection, in [0, 1), rounded as
            above; at least one pixel of each class stays in training.
        rare_classes: for classes of a single pixel: "error" refuses, "drop" leaves them out,
            "train" learns them untested.
        generator: source of chance.

    Raises:
        ShapeError: `labels` is not lines × samples.
        SplitError: shares out of range, fewer than two classes, or a rare class under "error".
    """
    found = count_labels(labels)
    check_fraction("validation", validation, allow_zero=True)
    check_rare_classes(rare_classes)
    rare = {label: "a single labelled pixel" for label, n in found.items() if n < 2}
    dropped, train_only = apply_rare_policy(
        rare, rare_classes, "set split.rare_classes to drop or train"
    )
    divided = [label for label in found if label not in rare]
    classes = tuple(label for label in found if label not in dropped)
    require_two_classes(classes, dropped, "set split.rare_classes to train or label more pixels")
    if not divided:
        raise SplitError("labels", "no class has two pixels", "a class that can be divided")
    counts = np.array([found[label] for label in divided], dtype=np.int64)
    train_counts = _training_counts(counts, train)
    held_out = np.minimum(_apportion(train_counts, validation), train_counts - 1)
    parts: dict[str, list[Indices]] = {part: [] for part in PARTS}
    places = pixels_by_label(labels)
    for label, n_train, n_validation in zip(divided, train_counts, held_out, strict=True):
        pixels = generator.permutation(places[label]).astype(np.int64)
        pieces = np.split(pixels, [n_validation, n_train])
        for part, piece in zip(("validation", "train", "test"), pieces, strict=True):
            parts[part].append(piece)
    parts["train"] += [places[label] for label in train_only]
    joined = {part: np.sort(np.concatenate(pieces)) for part, pieces in parts.items()}
    return Split(
        "random", labels.shape, classes, **joined, guard=0, dropped=dropped,
        train_only=train_only, lost={}, layout="",
    )  # fmt: skip


def save_split(split: Split, path: Path) -> None:
    """Write a split as .npz, without loss; equal splits give equal bytes.

    Raises:
        OutputError: the place cannot be written.
    """
    values = {field.name: getattr(split, field.name) for field in fields(split)}
    arrays = {part: values.pop(part) for part in PARTS}
    for name in ("dropped", "train_only", "lost"):
        values[name] = {str(label): entry for label, entry in values[name].items()}
    about = json_text({"format": _FORMAT, **values}, path, compact=True)
    with atomic_file(Path(path)) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, about=np.array(about), **arrays)


def load_split(path: Path) -> Split:
    """Read what `save_split` wrote.

    Raises:
        InputFileError: the file is missing, damaged or of another kind.
    """
    expected = "a split.npz written by hsi"
    require_regular(path, expected)
    with parsing(path, expected, "make it again", found="not a whole split file"):
        with np.load(path, allow_pickle=False) as archive:
            about = parse_json(str(archive["about"]), path, expected)
            parts = {part: archive[part].astype(np.int64) for part in PARTS}
        if about.pop("format") != _FORMAT:
            raise InputFileError(path, "another format of split", expected)
        for name in ("dropped", "train_only", "lost"):
            about[name] = {int(label): entry for label, entry in about[name].items()}
        shape, classes = tuple(about.pop("shape")), tuple(about.pop("classes"))
        return Split(shape=shape, classes=classes, **parts, **about)
