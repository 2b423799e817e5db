"""The split by polygons: whole ones train or test, none is divided."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from ..errors import SplitError
from .polygon_problem import Mask, PolygonProblem
from .polygons import polygons_of, touching_groups
from .splits import (
    Indices,
    RareClasses,
    Split,
    apply_rare_policy,
    check_fraction,
    check_rare_classes,
    count_labels,
    require_two_classes,
)

_REMEDY = "draw more polygons, lower model.window and split.guard, or set split.rare_classes=train"
_STEPS, _PIXELS_OF_ALL_STEPS = 400, 4e7


def polygon_split(
    labels: NDArray[np.integer],
    features: NDArray[np.integer] | None = None,
    *,
    train: float,
    guard: int,
    validation: float = 0.0,
    rare_classes: RareClasses = "drop",
    trials: int = 24,
    generator: np.random.Generator,
) -> Split:
    """Divide polygons, class by class, into some that train and some that test.

    No polygon is divided; polygons of one class that touch or overlap go to the same side. Every
    pixel of the training side is farther than `guard` (Chebyshev distance) from every test pixel:
    those that are nearer are lost, as in `disjoint_split`. Of many random draws, of polygons one
    by one and of neighbours together, the best is improved by moving groups to the other side: it
    has most classes on both sides, then even shares and few lost pixels.

    The validation part are whole groups of the training side; no guard separates it from the
    training pixels.

    Args:
        labels: lines × samples, 0 = unlabelled.
        features: lines × samples, the number of the drawn feature that labels each pixel, 0 where
            none does; None, and pixels of no feature: touching areas of one label are polygons.
        train: wanted share of the training side among a class's pixels, (0, 1).
        guard: pixels to keep free, at least window // 2.
        validation: share of the training side set apart for selection, in [0, 1).
        rare_classes: for classes with a single group of polygons, or that cannot be had on both
            sides: "drop" leaves them out, "train" learns them untested, "error" refuses.
        trials: random draws.
        generator: source of chance.

    Raises:
        ShapeError: `labels` is not lines × samples, or `features` differ in size.
        SplitError: arguments out of range, fewer than two classes left, or classes that cannot be
            divided under "error".
    """
    found = count_labels(labels)
    check_fraction("train", train)
    check_fraction("validation", validation, allow_zero=True)
    check_rare_classes(rare_classes)
    if guard < 0 or trials < 1:
        raise SplitError("guard, trials", f"{guard}, {trials}", "0 or more pixels, 1 or more draws")
    polygons = polygons_of(labels, features)
    groups = touching_groups(labels, polygons)
    rare = _with_one_group(labels, polygons, groups)
    apply_rare_policy(rare, rare_classes, _REMEDY)
    problem, side = _searched(
        labels, groups, found, rare, rare_classes, guard, train, trials, generator
    )
    rare = dict(sorted(rare.items()))
    dropped, train_only = apply_rare_policy(rare, rare_classes, _REMEDY)
    classes = tuple(label for label in found if label not in dropped)
    require_two_classes(classes, dropped, _REMEDY)
    kept, tested = problem.kept(side), ~side[problem.group]
    selecting = _validation(problem, kept, validation, generator)
    lost = np.bincount(labels.ravel()[problem.pixels[~kept & ~tested]], minlength=max(classes) + 1)
    masks = {"train": kept & ~selecting, "validation": selecting, "test": tested}
    parts = {part: problem.pixels[mask] for part, mask in masks.items()}
    if not parts["train"].size or not parts["test"].size:
        raise SplitError("split", "no class is left on both sides", "at least one", _REMEDY)
    return Split(
        kind="polygons",
        shape=(labels.shape[0], labels.shape[1]),
        classes=classes,
        **parts,
        guard=guard,
        dropped=dropped,
        train_only=train_only,
        lost={label: int(lost[label]) for label in classes if lost[label]},
        layout=_layout(polygons, groups, parts, drawn=features is not None),
    )


def _with_one_group(
    labels: NDArray[np.integer], polygons: NDArray[np.int64], groups: NDArray[np.int64]
) -> dict[int, str]:
    """Why classes cannot be divided that have a single polygon, or touching ones alone."""
    inside = labels > 0
    pairs = np.unique(np.stack([labels[inside], groups[inside], polygons[inside]], 1), axis=0)
    rare = {}
    for label in np.unique(pairs[:, 0]):
        own = pairs[pairs[:, 0] == label]
        if len(np.unique(own[:, 1])) == 1:
            number = len(np.unique(own[:, 2]))
            rare[int(label)] = (
                "a single polygon" if number == 1 else f"its {number} polygons touch each other"
            )
    return rare


def _searched(
    labels: NDArray[np.integer],
    groups: NDArray[np.int64],
    found: dict[int, int],
    rare: dict[int, str],
    policy: RareClasses,
    guard: int,
    train: float,
    trials: int,
    generator: np.random.Generator,
) -> tuple[PolygonProblem, Mask]:
    """The best side of every group; classes that it does not divide are added to `rare`."""
    while True:
        divided = tuple(label for label in found if label not in rare)
        if not divided:
            named = "; ".join(f"class {label}: {why}" for label, why in rare.items())
            raise SplitError("split", f"no class can be divided ({named})", "at least one", _REMEDY)
        untested = tuple(rare) if policy == "train" else ()
        problem = PolygonProblem(labels, groups, divided, untested, guard, train)
        side = _best(problem, trials, generator)
        learnt, tested = problem.parts(side)
        missed = [
            label
            for label, *counts in zip(divided, learnt, tested, strict=True)
            if min(counts) == 0
        ]
        if not missed:
            return problem, side
        for label in missed:
            rare[label] = (
                f"the best of {trials} draws leaves it on one side alone, more than {guard} pixels "
                "from the other"
            )


def _best(problem: PolygonProblem, trials: int, generator: np.random.Generator) -> Mask:
    """The best of many draws, improved group by group."""
    best, least = np.zeros(0, bool), np.inf
    for trial in range(trials):
        side = _drawn(problem, _bundles(problem, trial, generator), generator)
        cost = problem.cost(side)
        if cost < least:
            best, least = side, cost
    steps = int(min(_STEPS, max(1, _PIXELS_OF_ALL_STEPS // problem.labels.size)))
    movable = np.flatnonzero(~problem.bound)
    for group in generator.choice(movable, steps) if len(movable) else ():
        other = best.copy()
        other[group] = ~other[group]
        cost = problem.cost(other)
        if cost <= least:
            best, least = other, cost
    return best


def _bundles(
    problem: PolygonProblem, trial: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Which groups are drawn together: each alone, or those of a square of the scene."""
    count = problem.counts.shape[0]
    if trial % 2 == 0 or not problem.guard:
        return np.arange(count)
    lines, samples = np.divmod(problem.pixels, problem.labels.shape[1])
    size = np.bincount(problem.group)
    edge = int(
        generator.integers(problem.guard + 1, max(problem.guard + 2, min(problem.labels.shape)))
    )
    place = generator.integers(edge, size=2)
    rows, columns = (
        (np.bincount(problem.group, axis) / size + offset) // edge
        for axis, offset in zip((lines, samples), place, strict=True)
    )
    _, bundle = np.unique(np.stack([rows, columns], 1), axis=0, return_inverse=True)
    return np.asarray(bundle.reshape(-1), np.int64)


def _drawn(
    problem: PolygonProblem, bundle: NDArray[np.int64], generator: np.random.Generator
) -> Mask:
    """Bundles in random order train while they bring the classes nearer to their share."""
    count = int(bundle.max()) + 1
    ones = np.ones(len(bundle), np.int64)
    gather = coo_array((ones, (bundle, np.arange(len(bundle)))), shape=(count, len(bundle)))
    counts = (gather.tocsr() @ problem.counts).tocsr()
    wanted = problem.train * problem.totals
    taken = np.zeros(len(wanted) + 1)
    chosen = np.zeros(count, bool)
    for one in generator.permutation(count):
        row = slice(counts.indptr[one], counts.indptr[one + 1])
        ranks, pixels = counts.indices[row], counts.data[row]
        pixels, ranks = pixels[ranks < len(wanted)], ranks[ranks < len(wanted)]
        before = np.abs(taken[ranks] - wanted[ranks]) / problem.totals[ranks]
        after = np.abs(taken[ranks] + pixels - wanted[ranks]) / problem.totals[ranks]
        if after.sum() < before.sum():
            taken[ranks] += pixels
            chosen[one] = True
    return np.asarray(chosen[bundle] | problem.bound, bool)


def _validation(
    problem: PolygonProblem, kept: Mask, share: float, generator: np.random.Generator
) -> Mask:
    """Which pixels of the training side select: whole groups, some of each class stay."""
    totals = np.bincount(problem.rank[kept], minlength=len(problem.classes) + 1)
    taken = np.zeros_like(totals)
    chosen = np.zeros(problem.counts.shape[0], bool)
    order = np.argsort(problem.group[kept], kind="stable")
    members = np.split(
        problem.rank[kept][order],
        np.cumsum(np.bincount(problem.group[kept], minlength=len(chosen)))[:-1],
    )
    for group in generator.permutation(len(chosen)) if share else ():
        after = taken + np.bincount(members[group], minlength=len(totals))
        nearer = np.abs(after - share * totals).sum() < np.abs(taken - share * totals).sum()
        if nearer and (after[totals > 0] < totals[totals > 0]).all():
            taken, chosen[group] = after, True
    return np.asarray(kept & chosen[problem.group], bool)


def _layout(
    polygons: NDArray[np.int64],
    groups: NDArray[np.int64],
    parts: dict[str, Indices],
    *,
    drawn: bool,
) -> str:
    """Where the polygons went, for people."""
    words = {"train": "train", "validation": "select", "test": "test"}
    numbers = [
        f"{len(np.unique(polygons.ravel()[pixels])):,} {words[part]}"
        for part, pixels in parts.items()
        if pixels.size
    ]
    what = "polygons" if drawn else "areas of one label, which stand for polygons"
    joined = "" if groups.max() == polygons.max() else f", in {groups.max():,} groups that touch"
    return f"of {polygons.max():,} {what}{joined}: {', '.join(numbers)}"
