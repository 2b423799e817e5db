"""The search for folds: which block, or which polygon, is tested in which fold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from ..errors import SplitError
from .disjoint_split import GRID_KINDS, Layout
from .partition_problem import Integers, Mask, needed_pixels, within_guard
from .partition_search import Grid

# What a deal costs: pixels that no fold tests, classes of hardly any training pixels, uneven folds,
# pixels lost to the guard.
_UNTESTED, _POOR, _UNEVEN, _LOST = 4.0, 1.0, 0.5, 1.0
_CONTENDERS, _MOVES = 4, 200
_BLOCKS_ACROSS = 16
# So many pixels are looked at in the draws, and about as many in the moves.
_PIXELS_OF_ALL = 1e8


@dataclass(frozen=True, eq=False)
class FoldProblem:
    """What is dealt out.

    Attributes:
        labels: lines × samples, 0 = unlabelled or left out.
        groups: lines × samples, of `touching_groups`; None where pixels go by their place.
        folds: number of folds.
        guard: pixels to keep between the sides of a fold (Chebyshev).
    """

    labels: NDArray[np.integer]
    groups: NDArray[np.int64] | None
    folds: int
    guard: int

    @cached_property
    def pixels(self) -> Integers:
        """Flat indices of the pixels that take part."""
        return np.flatnonzero(self.labels)

    @cached_property
    def classes(self) -> tuple[int, ...]:
        """Their label values, rising."""
        return tuple(map(int, np.unique(self.labels.ravel()[self.pixels])))

    @cached_property
    def rank(self) -> Integers:
        """The place of each pixel's class among the classes."""
        return np.searchsorted(self.classes, self.labels.ravel()[self.pixels]).astype(np.int64)

    @cached_property
    def totals(self) -> Integers:
        """Pixels of each class."""
        return np.bincount(self.rank, minlength=len(self.classes))

    @cached_property
    def places(self) -> Integers:
        """Where each pixel counts as lying, a flat index: of polygons the middle of its group."""
        if self.groups is None:
            return self.pixels
        group = np.unique(self.groups.ravel()[self.pixels], return_inverse=True)[1]
        size = np.bincount(group)
        line, sample = (
            np.bincount(group, values) // size for values in np.divmod(self.pixels, self._samples)
        )
        return np.asarray(line * self._samples + sample, np.int64)[group]

    @property
    def _samples(self) -> int:
        return int(self.labels.shape[1])

    def cells(self, grid: Grid) -> Integers:
        """The cell that each pixel goes with, from 0 on."""
        return grid.cells(self.places, self._samples)

    def learns(self, fold: Integers, number: int) -> Mask:
        """Which pixels train a fold: of other folds, farther than the guard from all its own."""
        own: Mask = fold == number
        scene = np.zeros(self.labels.shape, bool)
        scene.ravel()[self.pixels[own]] = True
        near: Mask = within_guard(scene, self.guard).ravel()[self.pixels]
        return ~own & ~near

    def learnt(self, fold: Integers, number: int) -> Integers:
        """Training pixels of each class in a fold."""
        return np.bincount(self.rank[self.learns(fold, number)], minlength=len(self.classes))

    def inside(self, fold: Integers) -> Integers:
        """Pixels of each class in each fold, folds × classes."""
        keys = fold * len(self.classes) + self.rank
        counts = np.bincount(keys, minlength=self.folds * len(self.classes))
        return counts.reshape(self.folds, len(self.classes))

    def tested(self, fold: Integers) -> Integers:
        """Of these, those that can be tested: a training pixel of their class is left."""
        learnt = np.stack([self.learnt(fold, number) for number in range(self.folds)])
        return np.where(learnt > 0, self.inside(fold), 0)

    def cost(self, inside: Integers, learnt: Integers) -> float:
        """How bad a deal is, from the pixels of each class in each fold and in its training."""
        share = inside / self.totals
        needed = np.array([needed_pixels(int(n)) for n in self.totals])
        untested = np.where(learnt == 0, share, 0).sum(0)
        poor = (share * (1 - np.minimum(learnt / needed, 1))).sum(0)
        even = 1 / self.folds
        uneven = np.abs(share - even).sum(0).mean() / 2
        uneven += np.abs(inside.sum(1) / len(self.pixels) - even).sum() / 2
        lost = 1 - learnt.sum() / ((self.folds - 1) * len(self.pixels))
        # A fold that tests nothing is none.
        idle = (np.where(learnt > 0, inside, 0).sum(1) == 0).sum()
        return float(
            10 * idle
            + _UNTESTED * (untested.mean() + (untested == 1).mean())
            + _POOR * poor.mean()
            + _UNEVEN * uneven
            + _LOST * lost
        )


@dataclass(frozen=True, eq=False)
class Deal:
    """Who goes where.

    Attributes:
        fold: of each pixel of the problem.
        layout: for people.
    """

    fold: Integers
    layout: str


def search_folds(
    problem: FoldProblem, layout: Layout, trials: int, generator: np.random.Generator
) -> Deal:
    """The best of many draws, improved by moving one cell at a time to another fold.

    Raises:
        SplitError: there are fewer cells than folds, or a fold can test nothing.
    """
    finest = len(np.unique(problem.places))
    if finest < problem.folds:
        what = "pixels" if problem.groups is None else "groups of polygons that do not touch"
        raise SplitError(
            "split.folds",
            f"{problem.folds} folds of {finest} labelled {what}",
            f"at most {finest}",
            "lower split.folds",
        )
    budget = _PIXELS_OF_ALL // problem.labels.size
    found = []
    for trial in range(int(np.clip(budget // problem.folds, 4, trials))):
        grid, cells = _drawn_grid(problem, layout, trial, generator)
        fold = _dealt(problem, cells, generator)
        found.append((_Improvable.of(problem, fold), trial, grid, cells))
    found.sort(key=lambda each: (each[0].cost, each[1]))
    moves = int(np.clip(budget // (4 * _CONTENDERS), 4, _MOVES))
    best = [
        (deal.improved(problem, cells, moves, generator), trial, grid, cells)
        for deal, trial, grid, cells in found[:_CONTENDERS]
    ]
    deal, _, grid, cells = min(best, key=lambda each: (each[0].cost, each[1]))
    fold = deal.improved(problem, cells, moves, generator).fold
    _check_tested(problem, fold)
    return Deal(fold, _described(problem, grid, cells))


@dataclass(frozen=True, eq=False)
class _Improvable:
    """A deal with what its cost is made of."""

    fold: Integers
    learnt: Integers
    cost: float

    @classmethod
    def of(cls, problem: FoldProblem, fold: Integers) -> _Improvable:
        learnt = np.stack([problem.learnt(fold, number) for number in range(problem.folds)])
        return cls(fold, learnt, problem.cost(problem.inside(fold), learnt))

    def improved(
        self, problem: FoldProblem, cells: Integers, moves: int, generator: np.random.Generator
    ) -> _Improvable:
        """The deal after moves of cells to other folds that did not make it worse."""
        best, count = self, int(cells.max()) + 1
        for cell, step in zip(
            generator.integers(count, size=moves),
            generator.integers(1, problem.folds, size=moves),
            strict=True,
        ):
            own = cells == cell
            before = int(best.fold[own.argmax()])
            after = (before + int(step)) % problem.folds
            fold, learnt = np.where(own, after, best.fold), best.learnt.copy()
            for number in (before, after):
                learnt[number] = problem.learnt(fold, number)
            cost = problem.cost(problem.inside(fold), learnt)
            if cost <= best.cost:
                best = _Improvable(fold, learnt, cost)
        return best


def _drawn_grid(
    problem: FoldProblem, layout: Layout, trial: int, generator: np.random.Generator
) -> tuple[Grid, Integers]:
    """A random grid with at least as many cells as folds; of polygons also each by itself."""
    kinds = GRID_KINDS[layout]
    kind = kinds[trial % len(kinds)]
    if problem.groups is not None:
        kind = "blocks"
        if trial % 2 == 0:
            return Grid(kind, 1, (0, 0)), problem.cells(Grid(kind, 1, (0, 0)))
    places = np.divmod(problem.places, problem.labels.shape[1])
    narrow, widest = sorted(int(np.ptp(place)) + 1 for place in places)
    # Blocks of few pixels would be a random split.
    narrowest = min(max(problem.guard + 1, narrow // _BLOCKS_ACROSS), widest)
    edge = int(np.exp(generator.uniform(np.log(narrowest), np.log(widest))))
    offset = generator.integers(edge, size=2)
    while True:
        grid = Grid(kind, edge, (int(offset[0]), int(offset[1])))
        cells = problem.cells(grid)
        if int(cells.max()) + 1 >= problem.folds:
            return grid, cells
        if edge == 1:
            # All in one line or sample: stripes the other way cannot divide them.
            kind, edge = "blocks", widest
        edge = max(1, 2 * edge // 3)
        offset = offset % edge


def _dealt(problem: FoldProblem, cells: Integers, generator: np.random.Generator) -> Integers:
    """Cells in random order, each to the fold that lacks most of what it holds.

    As iterative stratification does (Sechidis, Tsoumakas and Vlahavas 2011).
    """
    held = _table(problem, cells)
    wanted = problem.totals / problem.folds
    taken = np.zeros((problem.folds, len(problem.classes)))
    fold = np.zeros(held.shape[0], np.int64)
    for cell in generator.permutation(held.shape[0]):
        row = slice(held.indptr[cell], held.indptr[cell + 1])
        ranks, pixels = held.indices[row], held.data[row]
        share = pixels / problem.totals[ranks]
        lacking = ((wanted[ranks] - taken[:, ranks]) / wanted[ranks]) @ share
        # Equal ones, such as all at first, are drawn.
        chosen = int(generator.choice(np.flatnonzero(lacking == lacking.max())))
        taken[chosen, ranks] += pixels
        fold[cell] = chosen
    return fold[cells]


def _table(problem: FoldProblem, cells: Integers) -> csr_array:
    """Pixels of each cell (a row) in each class."""
    shape = (int(cells.max()) + 1, len(problem.classes))
    ones = np.ones(len(cells), np.int64)
    return coo_array((ones, (cells, problem.rank)), shape=shape).tocsr()


def _check_tested(problem: FoldProblem, fold: Integers) -> None:
    """Refuse folds of which one can test nothing, or has a single class to learn.

    Raises:
        SplitError: there is one.
    """
    learnt = np.stack([problem.learnt(fold, number) for number in range(problem.folds)])
    busy = int(((problem.tested(fold).sum(1) > 0) & ((learnt > 0).sum(1) > 1)).sum())
    if busy < problem.folds:
        raise SplitError(
            "split.folds",
            f"{problem.folds} folds, of which {problem.folds - busy} can test nothing with "
            f"{problem.guard} pixels between the sides",
            "folds that each leave training pixels of their classes to the others",
            "lower split.folds, or model.window and split.guard",
        )


def _described(problem: FoldProblem, grid: Grid, cells: Integers) -> str:
    number = int(cells.max()) + 1
    if problem.groups is None:
        return f"{number:,} {grid.describe()}"
    if grid.edge == 1:
        return f"{number:,} groups of polygons"
    return f"polygons, those of {grid.describe()} together"
