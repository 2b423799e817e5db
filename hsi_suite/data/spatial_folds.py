"""Folds for spatial cross-validation: every labelled pixel is tested once, away from training.

Blocks of the scene, or whole polygons, are dealt out to k folds; each fold is tested by a model
that learns from all others, but not from pixels within the guard of a test pixel (Roberts et al.
2017, Ecography 40, 913-929, "block cross-validation"). `fold_search` finds who goes where.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from ..errors import SplitError
from ..shown import Rows, Shown
from .disjoint_split import Layout, validation_blocks, whole_units
from .fold_search import FoldProblem, search_folds
from .partition_problem import Mask
from .polygons import polygons_of, touching_groups
from .splits import (
    Indices,
    RareClasses,
    Split,
    apply_rare_policy,
    check_fraction,
    check_rare_classes,
    count_labels,
)

_REMEDY = "lower split.folds, or model.window and split.guard"


@dataclass(frozen=True, eq=False, repr=False)
class SpatialFolds(Shown):
    """k divisions of one scene, each of which tests another part of it.

    Attributes:
        splits: one of each fold. In each, `dropped` has the classes that this fold's training side
            does not know, and `lost` the pixels that the guard keeps out of it.
        fold: lines × samples, from 0 on, the fold that each pixel lies in; that of the nearest
            labelled pixel where there is none.
        classes: the label values that are learnt in any fold.
        dropped: why a label value is learnt in no fold.
        train_only: why a label value is learnt and never tested.
        untested: pixels of learnt classes that no fold can test, as no training pixel of their
            class is left in the fold that they lie in; by label value.
        layout: how the scene was cut, for people.
    """

    splits: tuple[Split, ...]
    fold: NDArray[np.int64]
    classes: tuple[int, ...]
    dropped: Mapping[int, str]
    train_only: Mapping[int, str]
    untested: Mapping[int, int]
    layout: str

    def shown(self) -> tuple[str, Rows]:
        """The sizes of the folds, and what none of them tests."""
        rows = [
            (f"fold {number}", f"{len(split.train):,} training, {len(split.test):,} test pixels")
            for number, split in enumerate(self.splits, 1)
        ]
        rows.append(("classes", ", ".join(map(str, self.classes))))
        rows += [("dropped", f"class {label}: {why}") for label, why in self.dropped.items()]
        rows += [("not tested", f"class {label}: {n:,} px") for label, n in self.untested.items()]
        lines, samples = self.fold.shape
        title = f"{len(self.splits)} spatial folds of {lines} × {samples} pixels"
        return title, [*rows, ("layout", self.layout)]

    @property
    def tested(self) -> Indices:
        """Flat indices, rising, of the pixels that are tested, each in one fold."""
        return np.sort(np.concatenate([split.test for split in self.splits]))


def spatial_folds(
    labels: NDArray[np.integer],
    features: NDArray[np.integer] | None = None,
    *,
    folds: int,
    guard: int,
    validation: float = 0.0,
    rare_classes: RareClasses = "drop",
    layout: Layout = "auto",
    trials: int = 48,
    generator: np.random.Generator,
) -> SpatialFolds:
    """Deal the blocks or the polygons of a scene out to folds.

    Every labelled pixel tests in the fold that it lies in, if any training pixel of its class is
    left there; in the other folds it trains, if it is farther than `guard` (Chebyshev distance)
    from all their labelled pixels. Of many random draws, improved block by block, the one is taken
    that leaves fewest pixels untested, then few classes with hardly any training pixels, even
    folds and few lost pixels.

    The validation part of each fold are whole blocks or polygons of its training side; no guard
    separates it from the training pixels.

    Args:
        labels: lines × samples, 0 = unlabelled.
        features: lines × samples, the number of the drawn feature that labels each pixel, 0 where
            none does: then polygons are dealt out, and those of one class that touch stay together
            (with `layout` "auto"). None deals out blocks.
        folds: their number, 2 or more.
        guard: pixels to keep free, at least window // 2.
        validation: share of each training side set apart for selection, in [0, 1).
        rare_classes: for classes of which no fold can test a pixel: "drop" leaves them out, "train"
            learns them untested, "error" refuses.
        layout: "blocks" or "stripes" to cut the scene so; "auto" for the best of both, and for
            polygons where there are `features`.
        trials: random draws.
        generator: source of chance.

    Raises:
        ShapeError: `labels` is not lines × samples, or `features` differ in size.
        SplitError: arguments out of range, more folds than blocks or polygons, a fold that cannot
            test anything, or rare classes under "error".
    """
    found = count_labels(labels)
    _check_arguments(folds, guard, validation, rare_classes, layout, trials)
    groups = None
    if features is not None and layout == "auto":
        groups = touching_groups(labels, polygons_of(labels, features))
    rare: dict[int, str] = {}
    while True:
        kept = [label for label in found if label not in rare]
        if len(kept) < 2:
            named = "; ".join(f"class {label}: {why}" for label, why in rare.items())
            raise SplitError("split", f"no two classes can be tested ({named})", "", _REMEDY)
        problem = FoldProblem(np.where(np.isin(labels, kept), labels, 0), groups, folds, guard)
        dealt = search_folds(problem, layout, trials, generator)
        tested = problem.tested(dealt.fold).sum(0)
        never = [label for label, n in zip(problem.classes, tested, strict=True) if not n]
        why = f"it lies so that no fold has it on both sides, {guard} pixels apart"
        rare |= dict.fromkeys(never, why)
        dropped, train_only = apply_rare_policy(rare, rare_classes, _REMEDY)
        if not never or rare_classes == "train":
            break
        # Without them the guard takes less away.
    of = np.zeros(labels.size, np.int64)
    of[problem.pixels] = dealt.fold
    splits = tuple(
        _split(problem, dealt.fold, number, found, dealt.layout, validation, generator)
        for number in range(folds)
    )
    classes = tuple(sorted({label for split in splits for label in split.classes}))
    # Learnt untested, and then in no fold after all: the guard leaves none of their pixels.
    nowhere = {label: train_only.pop(label) for label in set(train_only) - set(classes)}
    untested = problem.totals - tested
    return SpatialFolds(
        splits=splits,
        fold=_everywhere(of.reshape(labels.shape), labels, problem),
        classes=classes,
        dropped=dict(sorted((dropped | nowhere).items())),
        train_only=dict(sorted(train_only.items())),
        untested={
            label: int(n)
            for label, n in zip(problem.classes, untested, strict=True)
            if n and label in classes
        },
        layout=dealt.layout,
    )


def pixel_folds(
    pixels: Indices,
    classes: NDArray[np.integer],
    shape: tuple[int, int],
    *,
    folds: int,
    guard: int,
    rare_classes: RareClasses = "drop",
    trials: int = 12,
    generator: np.random.Generator,
) -> list[tuple[Indices, Indices]]:
    """Spatial folds of some pixels, such as a training side: for a search or a calibration.

    Args:
        pixels: flat indices of N pixels of a scene.
        classes: their class indices, from 0 on.
        shape: lines and samples of the scene.
        folds: their number, 2 or more.
        guard: pixels to keep free between the sides.
        rare_classes: see `spatial_folds`.
        trials: random draws.
        generator: source of chance.

    Returns:
        For each fold the positions, among the N, of those to learn from and of those to test.

    Raises:
        SplitError: the pixels lie so that they cannot be divided.
    """
    labels = np.zeros(shape, np.int64)
    labels.ravel()[pixels] = np.asarray(classes, np.int64) + 1
    found = spatial_folds(
        labels, folds=folds, guard=guard, rare_classes=rare_classes, trials=trials,
        generator=generator,
    )  # fmt: skip
    order = np.argsort(pixels, kind="stable")
    places = np.asarray(pixels)[order]
    return [
        (order[np.searchsorted(places, each.train)], order[np.searchsorted(places, each.test)])
        for each in found.splits
    ]


def _check_arguments(
    folds: int, guard: int, validation: float, rare_classes: str, layout: str, trials: int
) -> None:
    if folds < 2:
        raise SplitError("split.folds", str(folds), "2 or more: one part trains, another tests")
    if guard < 0 or trials < 1:
        raise SplitError("guard, trials", f"{guard}, {trials}", "0 or more pixels, 1 or more draws")
    check_fraction("validation", validation, allow_zero=True)
    check_rare_classes(rare_classes)
    if layout not in ("auto", "blocks", "stripes"):
        raise SplitError("layout", repr(layout), "auto, blocks or stripes")


def _split(
    problem: FoldProblem,
    fold: NDArray[np.int64],
    number: int,
    found: Mapping[int, int],
    layout: str,
    validation: float,
    generator: np.random.Generator,
) -> Split:
    """The division of one fold."""
    learns, own = problem.learns(fold, number), fold == number
    counts = np.bincount(problem.rank[learns], minlength=len(problem.classes))
    known = counts > 0
    tests = own & known[problem.rank]
    lost = np.bincount(problem.rank[~own & ~learns], minlength=len(problem.classes))
    learnt = problem.pixels[learns]
    selects = np.zeros(len(learnt), bool)
    if validation:
        selects = _selecting(problem, learnt, validation, generator)
    classes = tuple(int(label) for label in np.array(problem.classes)[known])
    why = "no training pixel of it is left in this fold"
    return Split(
        kind="spatial_folds",
        shape=(problem.labels.shape[0], problem.labels.shape[1]),
        classes=classes,
        train=learnt[~selects],
        validation=learnt[selects],
        test=problem.pixels[tests],
        guard=problem.guard,
        dropped={label: why for label in found if label not in classes},
        train_only={},
        lost={
            int(label): int(n)
            for label, n, k in zip(problem.classes, lost, known, strict=True)
            if n and k
        },
        layout=f"fold {number + 1} of {problem.folds}, {layout}",
    )


def _selecting(
    problem: FoldProblem, pixels: Indices, share: float, generator: np.random.Generator
) -> Mask:
    """Which pixels of a training side form the validation part: whole blocks or polygons."""
    if problem.groups is None:
        return validation_blocks(problem.labels, pixels, share, max(1, problem.guard), generator)
    units = np.unique(problem.groups.ravel()[pixels], return_inverse=True)[1]
    ranks = np.searchsorted(problem.classes, problem.labels.ravel()[pixels])
    return whole_units(units, ranks, share, generator)[units]


def _everywhere(
    fold: NDArray[np.int64], labels: NDArray[np.integer], problem: FoldProblem
) -> NDArray[np.int64]:
    """The fold of every pixel of a scene, from those of the pixels that are dealt out."""
    away = np.ones(labels.size, bool)
    away[problem.pixels] = False
    nearest = distance_transform_edt(
        away.reshape(labels.shape), return_distances=False, return_indices=True
    )
    return np.asarray(fold[tuple(nearest)], np.int64)
