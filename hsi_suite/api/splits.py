"""Divisions of labelled pixels into training, validation and test, from a label map.

>>> import numpy as np
>>> labels = np.tile([1, 2], (20, 10)).repeat(2, 1)
>>> split = random(labels, train=0.3, seed=1)
>>> len(split.train), len(split.test), split.classes
(240, 560, (1, 2))
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import checked
from ..data.data_arrays import as_labels
from ..data.disjoint_split import disjoint_split
from ..data.polygon_split import polygon_split
from ..data.spatial_folds import SpatialFolds
from ..data.spatial_folds import spatial_folds as deal_out
from ..data.split_files import file_split
from ..data.splits import Split, random_split
from ..errors import SplitError
from ..seeding import SeedStreams
from .arrays import as_mask, as_polygons

__all__ = [
    "SpatialFolds", "Split", "disjoint", "masks", "polygons", "random", "read", "spatial_folds",
]  # fmt: skip
Rare = Literal["error", "train", "drop"]


@checked
def random(
    labels: ArrayLike,
    *,
    train: float = 0.3,
    validation: float = 0.0,
    seed: int = 0,
    rare: Rare = "error",
) -> Split:
    """Pixels drawn at random, class by class: what most papers do, and what leaks position.

    Args:
        labels: lines × samples, 0 = unlabelled.
        train: share of each class's pixels, or from 1 on their number.
        validation: share of the training pixels set apart.
        seed: as of `hsi train --seed`, which gives the same pixels.
        rare: what becomes of classes too small to divide.

    Raises:
        SplitError: the labels cannot be divided so.
    """
    truth = as_labels(labels)
    return random_split(
        truth,
        train=int(train) if train >= 1 else train,
        validation=validation,
        rare_classes=rare,
        generator=SeedStreams(seed, {}).numpy("split"),
    )


@checked
def disjoint(
    labels: ArrayLike,
    *,
    guard: int,
    train: float = 0.3,
    validation: float = 0.0,
    seed: int = 0,
    rare: Rare = "drop",
) -> Split:
    """Training and test in other places of the scene, with a guard kept free between them.

    Args:
        labels: lines × samples, 0 = unlabelled.
        guard: every training pixel is farther than this from every test pixel (pixels, the larger
            of the line and sample differences); at least the radius of the window, window // 2.
        train: share of the labelled pixels on the training side.
        validation: share of the training side set apart.
        seed: as of `hsi train --seed`.
        rare: what becomes of classes that do not come to lie on both sides.

    Raises:
        SplitError: the labels cannot be divided so.
    """
    return disjoint_split(
        as_labels(labels),
        train=train,
        guard=guard,
        validation=validation,
        rare_classes=rare,
        layout="auto",
        generator=SeedStreams(seed, {}).numpy("split"),
    )


@checked
def polygons(
    labels: ArrayLike,
    features: ArrayLike | None = None,
    *,
    guard: int,
    train: float = 0.3,
    validation: float = 0.0,
    seed: int = 0,
    rare: Rare = "drop",
) -> Split:
    """Whole polygons in training or in the test, class by class; none is divided.

    Args:
        labels: lines × samples, 0 = unlabelled.
        features: lines × samples, the number of the polygon that each pixel lies in, 0 for none,
            as `Scene.label_features` of drawn labels; None: areas of one label that touch.
        guard: every training pixel is farther than this from every test pixel (pixels, the larger
            of the line and sample differences); at least the radius of the window, window // 2.
        train: share of each class's pixels on the training side.
        validation: share of the training side set apart.
        seed: as of `hsi train --seed`.
        rare: what becomes of classes with a single polygon.

    Raises:
        SplitError: the labels cannot be divided so.
        ShapeError: `features` is of another size.
    """
    truth = as_labels(labels)
    return polygon_split(
        truth,
        None if features is None else as_polygons(features, truth.shape),
        train=train,
        guard=guard,
        validation=validation,
        rare_classes=rare,
        generator=SeedStreams(seed, {}).numpy("split"),
    )


@checked
def spatial_folds(
    labels: ArrayLike,
    features: ArrayLike | None = None,
    *,
    guard: int,
    folds: int = 5,
    validation: float = 0.0,
    seed: int = 0,
    rare: Rare = "drop",
) -> SpatialFolds:
    """Folds for spatial cross-validation: `splits` has one split of each.

    Args:
        labels: lines × samples, 0 = unlabelled.
        features: lines × samples, the number of the polygon that each pixel lies in, 0 for none:
            polygons are dealt out to the folds, else blocks of the scene.
        guard: every training pixel of a fold is farther than this from every test pixel of it
            (pixels, the larger of the line and sample differences).
        folds: their number.
        validation: share of each training side set apart.
        seed: as of `hsi train --seed`.
        rare: what becomes of classes that no fold can test.

    Raises:
        SplitError: the labels cannot be divided so.
        ShapeError: `features` is of another size.
    """
    truth = as_labels(labels)
    return deal_out(
        truth,
        None if features is None else as_polygons(features, truth.shape),
        folds=folds,
        guard=guard,
        validation=validation,
        rare_classes=rare,
        generator=SeedStreams(seed, {}).numpy("split"),
    )


@checked
def masks(
    labels: ArrayLike,
    train: ArrayLike,
    test: ArrayLike,
    validation: ArrayLike | None = None,
) -> Split:
    """A split of one's own, from masks of its parts.

    Args:
        labels: lines × samples, 0 = unlabelled.
        train: lines × samples, true where a pixel is learnt from; unlabelled pixels do not count.
        test: the same of what is reported on.
        validation: the same of what selects an epoch; None for none.

    Raises:
        SplitError: a pixel is in two parts, or a part is empty.
        ShapeError: a mask is of another size.
    """
    truth = as_labels(labels)
    flat = truth.reshape(-1) > 0
    parts = {}
    for name, mask in (("train", train), ("validation", validation), ("test", test)):
        inside = np.zeros(truth.shape, bool) if mask is None else as_mask(mask, truth.shape, name)
        parts[name] = np.flatnonzero(inside.reshape(-1) & flat).astype(np.int64)
        if mask is not None and not len(parts[name]):
            raise SplitError(name, "no labelled pixel", "at least one")
    together = np.concatenate(list(parts.values()))
    if len(np.unique(together)) < len(together):
        raise SplitError("masks", "pixels in two parts", "parts without a pixel in common")
    learnt = np.unique(truth.reshape(-1)[parts["train"]])
    unknown = set(np.unique(truth.reshape(-1)[parts["test"]])) - set(learnt)
    if unknown:
        raise SplitError(
            "test", f"classes {sorted(map(int, unknown))} without training pixels", "none"
        )
    return Split(
        kind="file", shape=truth.shape, classes=tuple(map(int, learnt)), guard=0, dropped={},
        train_only={}, lost={}, layout="", **parts,
    )  # fmt: skip


@checked
def read(path: str | Path, labels: ArrayLike) -> Split:
    """A split from a file, as of `hsi train --split-file`.

    Args:
        path: the file; TRAIN,TEST for two.
        labels: lines × samples, 0 = unlabelled.

    Raises:
        InputFileError: the file cannot be read.
        SplitError: it does not fit the labels.
    """
    return file_split(str(path), as_labels(labels), rare_classes="error", georeference=None)


def check_split(split: Split, labels: NDArray[np.integer]) -> Split:
    """A split, once it is known to be of these labels.

    Raises:
        SplitError: it is of others.
    """
    if split.shape != labels.shape:
        raise SplitError("split", f"of {split.shape} pixels", f"{labels.shape}, as the labels")
    used = np.concatenate([split.train, split.validation, split.test])
    if not np.isin(labels.reshape(-1)[used], split.classes).all():
        raise SplitError("split", "pixels of other classes than its own", "one of these labels")
    return split
