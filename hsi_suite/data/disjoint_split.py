"""The spatially disjoint split: one partition of the scene with a guard between the sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import SplitError
from .partition_annealing import Annealing, anneal, anneal_together
from .partition_problem import Mask, Problem, can_be_divided, needed_pixels
from .partition_search import Grid, Partition, class_members, cut_through, measured
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

Layout = Literal["auto", "blocks", "stripes"]

GRID_KINDS: dict[str, tuple[Literal["blocks", "lines", "samples"], ...]] = {
    "auto": ("blocks", "lines", "samples", "blocks"),
    "blocks": ("blocks",),
    "stripes": ("lines", "samples"),
}
_REMEDY = "use a smaller model.window and split.guard or another split.rare_classes"

# Temperatures in units of `Problem.cost`: random starts may give up part of a class to find
# another, refinements only shares and lost pixels.
_EXPLORING = (0.5, 0.005)
_REFINING = (0.005, 0.0002)
_STEPS = 3000
# Pixels of layouts that are annealed together, each of which takes some hundred bytes.
_MOST_PIXELS = 400_000


@dataclass(frozen=True)
class _Search:
    """A search for a layout; the fields are `disjoint_split`'s arguments of the same names."""

    labels: NDArray[np.integer]
    train: float
    guard: int
    rare_classes: RareClasses
    layout: Layout
    trials: int
    generator: np.random.Generator

    def run(self, rare: dict[int, str]) -> tuple[Problem, Partition]:
        """Find a layout and add to `rare` the classes it does not divide.

        Without them the guard takes less away, so the layout is refined until none is left over.
        """
        candidates = [label for label in count_labels(self.labels) if label not in rare]
        best: Partition | None = None
        remaining: Mask | None = None
        while candidates:
            untested = np.isin(self.labels, list(rare)) & (self.rare_classes == "train")
            problem = Problem(self.labels, candidates, untested, self.guard, self.train)
            if best is None:
                best = self._explore(problem)
            else:
                best = measured(problem, best.grid, best.test_side[remaining])
            best = self._refine(problem, best)
            counts = problem.counts(best.test_side)
            kept = problem.kept(*counts)
            if kept.all():
                return problem, best
            for label, n_train, n_test, needed, good in zip(
                candidates, *counts, problem.needed, kept, strict=True
            ):
                if not good:
                    rare[label] = (
                        f"the best layout leaves {n_train} training and {n_test} test pixels, "
                        f"{needed} are needed on each side"
                    )
            remaining = kept[problem.ranks]
            candidates = [label for label, good in zip(candidates, kept, strict=True) if good]
        raise SplitError(
            "split",
            f"no class can be divided with {self.guard} pixels between the sides",
            "at least one",
            _REMEDY,
        )

    def _explore(self, problem: Problem) -> Partition:
        """The best of many annealed random layouts of coarse cells."""
        best: Partition | None = None
        together = max(1, _MOST_PIXELS // len(problem.pixels))
        for first in range(0, self.trials, together):
            trials = range(first, min(first + together, self.trials))
            for found in anneal_together(problem, [self._trial(problem, n) for n in trials]):
                if self.layout != "stripes":
                    found = cut_through(problem, found)
                if best is None or found.better_than(best):
                    best = found
        assert best is not None
        return best

    def _trial(self, problem: Problem, number: int) -> Annealing:
        """A random layout of coarse cells."""
        kinds = GRID_KINDS[self.layout]
        kind = kinds[number % len(kinds)]
        # Cells smaller than the guard begin as a scatter in which no training pixel survives.
        widest = max(problem.guard + 2, 2 * problem.guard, min(problem.shape) // 8)
        narrowest = max(1, 2 * problem.guard // 3)
        edge = int(self.generator.integers(narrowest, widest + 1))
        lines, samples = self.generator.integers(edge, size=2)
        grid = Grid(kind, edge, (int(lines), int(samples)))
        # Large regions of one side to start from, whatever the cells to flip.
        regions = Grid(kind, widest, grid.offset).cells(problem.pixels, problem.shape[1])
        start = self.generator.random(int(regions.max()) + 1) >= problem.train
        return self._drawn(problem, grid, start[regions], _STEPS, _EXPLORING)

    def _refine(self, problem: Problem, best: Partition) -> Partition:
        """The layout improved on cells of its own edge, then of a half and a quarter of it."""
        kind = "blocks" if self.layout == "auto" else best.grid.kind
        # A pixel is in reach of many small cells: this bounds memory to fifty times the pixels.
        finest = max(3, problem.guard // 3)
        for part in (1, 2, 4):
            grid = Grid(kind, max(finest, best.grid.edge // part), best.grid.offset)
            annealing = self._drawn(problem, grid, best.test_side, 3 * _STEPS, _REFINING)
            found = anneal(problem, annealing)
            if found.better_than(best):
                best = found
        return best

    def _drawn(
        self,
        problem: Problem,
        grid: Grid,
        start: Mask,
        steps: int,
        temperatures: tuple[float, float],
    ) -> Annealing:
        return Annealing.drawn(
            problem,
            grid,
            start,
            steps=steps,
            temperatures=temperatures,
            generator=self.generator,
        )


def validation_blocks(
    labels: NDArray[np.integer], pixels: Indices, share: float, edge: int, rng: np.random.Generator
) -> Mask:
    """Which training-side pixels form the validation part: whole blocks where that fits.

    Blocks are taken in random order when they bring the classes nearer to their share and leave
    each a training pixel. Blocks too large to meet the whole share within a quarter are halved.
    """
    ranks = np.unique(labels.ravel()[pixels], return_inverse=True)[1]
    while True:
        offset = rng.integers(edge, size=2)
        grid = Grid("blocks", edge, (int(offset[0]), int(offset[1])))
        blocks = grid.cells(pixels, labels.shape[1])
        chosen = whole_units(blocks, ranks, share, rng)[blocks]
        if edge == 1 or abs(chosen.sum() - share * len(pixels)) <= share * len(pixels) / 4:
            return chosen
        edge = max(1, edge // 2)


def whole_units(units: Indices, ranks: Indices, share: float, rng: np.random.Generator) -> Mask:
    """Which units form the validation part, when none is to be divided.

    Units are taken in random order when they bring the classes nearer to their share and leave
    each a training pixel.

    Args:
        units: of each pixel, from 0.
        ranks: the class of each pixel, from 0.
        share: of the pixels.
        rng: source of chance.
    """
    totals = np.bincount(ranks)
    members = class_members(units, ranks)
    taken = np.zeros(len(totals), dtype=np.int64)
    chosen = np.zeros(len(members), dtype=bool)
    for unit in rng.permutation(len(members)):
        after = taken + np.bincount(members[unit], minlength=len(totals))
        nearer = np.abs(after - share * totals).sum() < np.abs(taken - share * totals).sum()
        if nearer and (after[totals > 0] < totals[totals > 0]).all():
            taken, chosen[unit] = after, True
    return chosen


def disjoint_split(
    labels: NDArray[np.integer],
    *,
    train: float,
    guard: int,
    validation: float = 0.0,
    rare_classes: RareClasses = "drop",
    layout: Layout = "auto",
    trials: int = 24,
    generator: np.random.Generator,
) -> Split:
    """Divide the scene into a training and a test side that keep their distance.

    One partition holds for all classes: every pixel of the training side (validation included)
    is farther than `guard`, in Chebyshev distance, from every test pixel of any class. Pixels of
    the training side that are nearer are lost; where no training pixel survives near them they
    test instead. With `guard` of at least half the window no training window holds a test pixel
    and no test window a training pixel; windows of the two may still overlap in unlabelled or
    lost pixels up to a distance of twice that radius (the audit counts them).

    A class is divided when at least 5 % of its pixels, and at least 5 pixels, are left on each
    side. A seeded search (`partition_search`) keeps the most classes, then weighs even shares
    and few lost pixels: the mean over the classes of |training share - `train`| plus half the
    share of pixels lost. Classes it cannot divide do not stand in the way of the others.

    The validation part consists of whole blocks of the training side, about as wide as the
    guard, smaller where the share or the classes ask for it. No guard separates it from the
    training pixels, and windows at the blocks' borders overlap: it is good for choosing an
    epoch, and flatters compared with the test.

    Args:
        labels: lines × samples, 0 = unlabelled.
        train: wanted share of the training side among a class's training and test pixels, (0, 1).
        guard: pixels to keep free, at least window // 2.
        validation: share of the training side set apart for selection, in [0, 1).
        rare_classes: for classes that cannot be divided: "drop" leaves them out of every part,
            "train" learns all their pixels untested (test pixels within the guard of them are
            lost), "error" refuses.
        layout: partitions tried: "blocks", "stripes" (of lines or samples), "auto" for both.
        trials: random layouts the search starts from.
        generator: source of chance.

    Raises:
        ShapeError: `labels` is not lines × samples.
        SplitError: arguments out of range, fewer than two classes left, or classes that cannot
            be divided under "error".
    """
    found = count_labels(labels)
    _check_arguments(train, validation, guard, rare_classes, layout, trials)
    rare = {
        label: f"no layout leaves {needed_pixels(n)} of its {n} pixels on each side, "
        f"more than {guard} pixels apart"
        for label, n in found.items()
        if not can_be_divided(labels, label, guard)
    }
    apply_rare_policy(rare, rare_classes, _REMEDY)
    search = _Search(labels, train, guard, rare_classes, layout, trials, generator)
    problem, best = search.run(rare)
    rare = dict(sorted(rare.items()))
    dropped, train_only = apply_rare_policy(rare, rare_classes, _REMEDY)
    classes = tuple(label for label in found if label not in dropped)
    require_two_classes(classes, dropped, _REMEDY)
    in_train, _ = problem.divide(best.test_side)
    # Regions of the training side in which no training pixel survives test at no cost.
    in_test = problem.out_of_reach(in_train)
    lost = labels.ravel()[problem.pixels[~in_train & ~in_test]]
    counts = np.bincount(lost, minlength=max(classes) + 1)
    untested = np.flatnonzero(np.isin(labels, list(train_only)))
    learned = np.sort(np.concatenate([problem.pixels[in_train], untested]))
    selecting = np.zeros(len(learned), dtype=bool)
    if validation:
        selecting = validation_blocks(labels, learned, validation, max(1, guard), generator)
    return Split(
        kind="disjoint",
        shape=labels.shape,
        classes=classes,
        train=learned[~selecting],
        validation=learned[selecting],
        test=problem.pixels[in_test],
        guard=guard,
        dropped=dropped,
        train_only=train_only,
        lost={label: int(counts[label]) for label in classes if counts[label]},
        layout=f"{best.grid.describe()}, the best of {trials} searches",
    )


def _check_arguments(
    train: float, validation: float, guard: int, rare_classes: str, layout: str, trials: int
) -> None:
    check_fraction("train", train)
    check_fraction("validation", validation, allow_zero=True)
    check_rare_classes(rare_classes)
    if guard < 0:
        raise SplitError("guard", str(guard), "0 or more pixels")
    if layout not in GRID_KINDS:
        raise SplitError("layout", repr(layout), "auto, blocks or stripes")
    if trials < 1:
        raise SplitError("trials", str(trials), "1 or more")
