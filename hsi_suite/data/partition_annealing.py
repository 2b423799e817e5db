"""Simulated annealing of partitions: cells are flipped one at a time, in one layout or in many.

A flip changes the counts only near its cell, so a step costs microseconds whatever the size of
the scene, most of them the calls themselves. Layouts that are annealed together share the calls;
each becomes what it becomes alone, bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .partition_problem import Integers, Mask, Problem, within_guard
from .partition_search import Grid, Partition, class_members, measured

# What a pixel on the test side counts beside the test cells that reach it, which are fewer.
_TESTED = 1 << 24


class _Cells:
    """The cells of a grid: their pixels per class and the pixels their test pixels block."""

    def __init__(self, problem: Problem, cells: Integers) -> None:
        self.count = int(cells.max()) + 1
        self.tested = class_members(
            cells[problem.may_test], problem.ranks[problem.may_test], self.count
        )
        place = np.full(problem.shape[0] * problem.shape[1], -1, dtype=np.int64)
        place[problem.pixels] = np.arange(len(problem.pixels))
        self._place = place.reshape(problem.shape)
        order = np.argsort(cells, kind="stable")
        own = np.split(order, np.flatnonzero(np.diff(cells[order])) + 1)
        self.reach = [self._blocked_by(problem, pixels) for pixels in own]
        # What a flip adds to, or takes from, how each of them is occupied.
        self.turn = [
            (1 + _TESTED * (cells[reach] == cell)).astype(np.int32)
            for cell, reach in enumerate(self.reach)
        ]

    def _blocked_by(self, problem: Problem, own: Integers) -> Integers:
        line, sample = np.divmod(problem.pixels[own], problem.shape[1])
        guard = problem.guard
        top, left = max(0, line.min() - guard), max(0, sample.min() - guard)
        box = self._place[top : line.max() + guard + 1, left : sample.max() + guard + 1]
        mask = np.zeros(box.shape, dtype=bool)
        tests = problem.may_test[own]
        mask[line[tests] - top, sample[tests] - left] = True
        mask = within_guard(mask, guard)
        # A pixel that may not be tested is still off the training side with its cell.
        mask[line - top, sample - left] = True
        reached = box[mask]
        return reached[reached >= 0]


@dataclass(frozen=True, eq=False)
class Annealing:
    """A layout to be improved, with all its chance.

    Attributes:
        grid: whose cells are flipped.
        start: the test side to begin with; its borders cut the cells they cross.
        cells: the piece of a cell that each pixel lies in, from 0.
        flips: the piece to flip at each step.
        limits: the rise in cost accepted at each step.
    """

    grid: Grid
    start: Mask
    cells: Integers
    flips: Integers
    limits: NDArray[np.float64]

    @classmethod
    def drawn(
        cls,
        problem: Problem,
        grid: Grid,
        start: Mask,
        *,
        steps: int,
        temperatures: tuple[float, float],
        generator: np.random.Generator,
    ) -> Annealing:
        """One by chance.

        Args:
            problem: what is divided.
            grid: as of the class.
            start: as of the class.
            steps: flips tried.
            temperatures: rise in cost accepted with probability 1/e at the first and last step.
            generator: source of chance.
        """
        pieces = 2 * grid.cells(problem.pixels, problem.shape[1]) + start
        cells = np.unique(pieces, return_inverse=True)[1].astype(np.int64)
        flips = generator.integers(int(cells.max()) + 1, size=steps)
        cooling = np.geomspace(*temperatures, steps)
        limits = -cooling * np.log1p(-generator.random(steps))
        return cls(grid, start, cells, flips, limits)


class _Layout:
    """A layout while it is annealed.

    Attributes:
        cells: see `_Cells`.
        side: of each cell, whether it is on the test side.
        occupied: of each pixel, how many test cells reach it, and `_TESTED` more on the test side.
        train: training pixels of each class.
        test: test pixels of each class.
        cost: `Problem.cost`.
    """

    def __init__(self, problem: Problem, annealing: Annealing) -> None:
        self.annealing = annealing
        self.cells = _Cells(problem, annealing.cells)
        side = np.zeros(self.cells.count, dtype=bool)
        side[annealing.cells] = annealing.start
        self.side: list[bool] = side.tolist()
        self.occupied = _TESTED * annealing.start.astype(np.int32)
        for cell in np.flatnonzero(side):
            self.occupied[self.cells.reach[cell]] += 1
        self.train, self.test = problem.counts(annealing.start)
        self.cost = problem.cost(self.train, self.test)
        self.best_cost, self.best_side = self.cost, self.side.copy()

    def flip(self, cell: int, cost: float) -> None:
        """Let a cell change sides, which makes the cost this one; the counts are the caller's."""
        tests = self.side[cell]
        turn = self.cells.turn[cell]
        self.occupied[self.cells.reach[cell]] += -turn if tests else turn
        self.side[cell] = not tests
        self.cost = cost
        if cost < self.best_cost:
            self.best_cost, self.best_side = cost, self.side.copy()

    def best(self, problem: Problem) -> Partition:
        """The best layout there has been."""
        side = np.array(self.best_side)[self.annealing.cells]
        return measured(problem, self.annealing.grid, side)


def anneal(problem: Problem, annealing: Annealing) -> Partition:
    """The best layout on the way of an annealing."""
    layout = _Layout(problem, annealing)
    cells, size = layout.cells, len(problem.totals)
    steps = zip(annealing.flips.tolist(), annealing.limits.tolist(), strict=True)
    for cell, limit in steps:
        reach, tests = cells.reach[cell], layout.side[cell]
        # Reached by this cell alone: what changes between lost and training with the flip.
        open_ = layout.occupied[reach] == (cells.turn[cell] if tests else 0)
        changed = np.bincount(problem.ranks[reach[open_]], minlength=size)
        tested = np.bincount(cells.tested[cell], minlength=size)
        if tests:
            train, test = layout.train + changed, layout.test - tested
        else:
            train, test = layout.train - changed, layout.test + tested
        cost = problem.cost(train, test)
        if cost - layout.cost > limit:
            continue
        layout.train, layout.test = train, test
        layout.flip(cell, cost)
    return layout.best(problem)


def anneal_together(problem: Problem, annealings: Sequence[Annealing]) -> list[Partition]:
    """What `anneal` gives for each, in less time; all need as many steps.

    Memory holds the cells of all: some hundred bytes for a pixel and an annealing.
    """
    layouts = [_Layout(problem, each) for each in annealings]
    count, size, pixels = len(layouts), len(problem.totals), len(problem.pixels)
    # One row of pixels and of classes for each layout; what cells hold becomes places in them.
    occupied = np.concatenate([layout.occupied for layout in layouts])
    ranks = (problem.ranks + size * np.arange(count)[:, None]).ravel()
    for number, layout in enumerate(layouts):
        row = slice(number * pixels, (number + 1) * pixels)
        layout.occupied = occupied[row]
    reaches = [
        [reach + number * pixels for reach in layout.cells.reach]
        for number, layout in enumerate(layouts)
    ]
    tests = [
        [members + number * size for members in layout.cells.tested]
        for number, layout in enumerate(layouts)
    ]
    turns = [layout.cells.turn for layout in layouts]
    sides = [layout.side for layout in layouts]
    nothing = np.zeros(max(len(turn) for each in turns for turn in each), dtype=np.int32)
    train = np.stack([layout.train for layout in layouts])
    test = np.stack([layout.test for layout in layouts])
    cost = np.array([layout.cost for layout in layouts])
    flips = np.stack([each.flips for each in annealings], axis=1).tolist()
    limits = np.stack([each.limits for each in annealings], axis=1)
    for cells, limit in zip(flips, limits, strict=True):
        reach = np.concatenate([own[cell] for own, cell in zip(reaches, cells, strict=True)])
        tested = np.concatenate([own[cell] for own, cell in zip(tests, cells, strict=True)])
        tests_now = [side[cell] for side, cell in zip(sides, cells, strict=True)]
        turn = [own[cell] for own, cell in zip(turns, cells, strict=True)]
        wanted = [t if now else nothing[: len(t)] for t, now in zip(turn, tests_now, strict=True)]
        open_ = occupied[reach] == np.concatenate(wanted)
        changed = np.bincount(ranks[reach[open_]], minlength=count * size).reshape(count, size)
        moved = np.bincount(tested, minlength=count * size).reshape(count, size)
        sign: Integers = np.where(tests_now, 1, -1)[:, None].astype(np.int64)
        new_train, new_test = train + sign * changed, test - sign * moved
        new_cost = problem.costs(new_train, new_test)
        taken = new_cost - cost <= limit
        np.copyto(train, new_train, where=taken[:, None])
        np.copyto(test, new_test, where=taken[:, None])
        np.copyto(cost, new_cost, where=taken)
        for number in np.flatnonzero(taken).tolist():
            layouts[number].flip(cells[number], float(new_cost[number]))
    return [layout.best(problem) for layout in layouts]
