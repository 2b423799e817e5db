"""Anybody's split as it is, faults and all: what an audit counts, and what it cannot do without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError, SplitError
from .split_contents import refuse_test_part
from .split_files import read_parts
from .split_pixels import GivenPart, SplitReading
from .splits import PARTS, Indices, Split, count_labels


@dataclass(frozen=True, eq=False)
class SplitParts:
    """The labelled pixels of a split's parts, which may have pixels in common.

    Attributes:
        split: the parts; unlike other splits this one may hold a pixel twice.
        side: the pixels of the training side, sorted: those of training and validation.
        shared: pixels both of the training side (training or validation) and of the test.
        unlabelled: by part, its pixels without a label, which count nowhere.
        differing: by part, its pixels to which the split gives another label than the ground
            truth, which counts.
    """

    split: Split
    side: Indices
    shared: int
    unlabelled: Mapping[str, int]
    differing: Mapping[str, int]


def parts_of_split(split: Split, labels: NDArray[np.integer]) -> SplitParts:
    """The parts of a split made by the suite.

    Raises:
        SplitError: as in `checked_parts`.
    """
    parts = {part: getattr(split, part) for part in PARTS}
    return checked_parts(labels, parts, {}, "split", split.kind)


def parts_of_files(
    paths: Iterable[Path],
    labels: NDArray[np.integer],
    reading: SplitReading,
    *,
    rest_is_test: bool = False,
) -> SplitParts:
    """The parts of a split in files of any of the forms of `split_files.file_split`.

    Args:
        paths: one file, or those of training, test and perhaps validation.
        labels: lines × samples, 0 = unlabelled.
        reading: how they are read.
        rest_is_test: one file names the training pixels alone; all other labelled ones are tested.

    Raises:
        InputFileError: a file is damaged or no split of these labels: of another size, with most
            labels unlike theirs, or with indices of unlabelled pixels.
        SplitError: as in `checked_parts`.
    """
    paths = tuple(paths)
    if rest_is_test and len(paths) > 1:
        raise InputFileError(
            paths[1], "--rest-is-test is given beside a second file", "one of both"
        )
    if rest_is_test:
        refuse_test_part(paths[0])
    given = read_parts(paths, labels, replace(reading, train_alone=rest_is_test))
    for each in given.values():
        _refuse_foreign(each, labels, reading)
    parts = {part: each.pixels for part, each in given.items()}
    if rest_is_test:
        rest = labels.ravel() > 0
        rest[parts["train"]] = False
        parts["test"] = np.flatnonzero(rest)
    differing = {part: each.differing for part, each in given.items() if each.differing}
    return checked_parts(labels, parts, differing, str(paths[0]), "file")


def _refuse_foreign(part: GivenPart, labels: NDArray[np.integer], reading: SplitReading) -> None:
    inside = labels.ravel()[part.pixels] > 0
    if part.listed and not inside.all():
        raise InputFileError(
            part.path,
            f"{int((~inside).sum()):,} of the {len(inside):,} {part.part} indices are of "
            "unlabelled pixels",
            "pixels with a label",
            reading.order_remedy,
        )
    if 2 * part.differing > inside.sum():
        raise InputFileError(
            part.path,
            f"{part.differing:,} of the {int(inside.sum()):,} {part.part} pixels have other labels "
            "than the ground truth",
            "the same numbering of classes",
            "give masks, or the label map that the split was made for",
        )


def checked_parts(
    labels: NDArray[np.integer],
    parts: Mapping[str, Indices],
    differing: Mapping[str, int],
    name: str,
    kind: str,
) -> SplitParts:
    """Parts that can be audited, without their unlabelled pixels.

    Args:
        labels: lines × samples, 0 = unlabelled.
        parts: flat indices by part.
        differing: see `SplitParts`.
        name: of the split, for messages.
        kind: of the split.

    Raises:
        SplitError: no training or test pixel has a label, or training or all labels are of a
            single class.
    """
    classes = tuple(count_labels(labels))
    flat = labels.ravel()
    kept = {part: pixels[flat[pixels] > 0] for part, pixels in parts.items()}
    for part, words in (("train", "training"), ("test", "test")):
        if not len(kept.get(part, ())):
            found = f"no {words} pixel" + (" with a label" if len(parts.get(part, ())) else "")
            raise SplitError(name, found, "pixels of training and of test")
    kept.setdefault("validation", np.empty(0, np.int64))
    # Masks, as sets of millions of indices take seconds each.
    learnt = np.zeros(labels.size, bool)
    learnt[kept["train"]] = learnt[kept["validation"]] = True
    side = np.flatnonzero(learnt)
    if (flat[side] == flat[side[0]]).all():
        raise SplitError(name, f"only class {flat[side[0]]} in training", "at least two classes")
    split = Split(
        kind, (labels.shape[0], labels.shape[1]), classes, **kept, guard=0, dropped={},
        train_only={}, lost={}, layout="",
    )  # fmt: skip
    lost = {part: len(parts[part]) - len(kept[part]) for part in parts}
    unlabelled = {part: number for part, number in lost.items() if number}
    return SplitParts(split, side, int(learnt[kept["test"]].sum()), unlabelled, dict(differing))
