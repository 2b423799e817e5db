"""Search for one partition of a scene into a training and a test side with a guard between.

The scene is cut into cells (blocks or stripes); each cell belongs to one side. A test pixel
blocks every pixel within the guard for training. Simulated annealing flips cells one at a time:
a flip changes the counts only near its cell, so a step costs microseconds whatever the size of
the scene. The search sees labels and positions, never spectra.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .partition_problem import Integers, Mask, Problem, within_guard

# Where straight cuts are tried, as quantiles of a class's lines or samples.
_CUTS = np.linspace(0, 1, 13)


@dataclass(frozen=True)
class Grid:
    """How a scene is cut into cells.

    Attributes:
        kind: square blocks, or stripes of whole lines or whole samples.
        edge: width of a block or stripe in pixels.
        offset: lines and samples by which the grid is shifted.
    """

    kind: Literal["blocks", "lines", "samples"]
    edge: int
    offset: tuple[int, int]

    def cells(self, pixels: Integers, samples: int) -> Integers:
        """The cell of each flat index, numbered from 0 without gaps."""
        line, sample = np.divmod(pixels, samples)
        row = (line + self.offset[0]) // self.edge
        column = (sample + self.offset[1]) // self.edge
        if self.kind == "lines":
            column = np.zeros_like(column)
        if self.kind == "samples":
            row = np.zeros_like(row)
        key = row * (int(column.max()) + 1) + column
        return np.unique(key, return_inverse=True)[1].astype(np.int64)

    def describe(self) -> str:
        """The grid in words."""
        if self.kind == "blocks":
            return f"blocks of {self.edge} × {self.edge} pixels"
        return f"stripes of {self.edge} {self.kind}"


class _Cells:
    """The cells of a grid: their pixels per class and the pixels their test pixels block."""

    def __init__(self, problem: Problem, cells: Integers) -> None:
        self.of = cells
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


def class_members(cells: Integers, ranks: Integers, count: int | None = None) -> list[Integers]:
    """The class of each pixel, cell by cell: what a table of cells × classes counts, without one.

    Args:
        cells: the cell of each pixel, from 0.
        ranks: its class, from 0.
        count: how many cells there are; None for as many as have pixels.
    """
    count = int(cells.max()) + 1 if count is None else count
    order = np.argsort(cells, kind="stable")
    ends = np.cumsum(np.bincount(cells, minlength=count))
    return np.split(ranks[order], ends[:-1])


@dataclass(frozen=True)
class Partition:
    """A layout found.

    Attributes:
        grid: the cells it is made of.
        test_side: for each pixel of the problem, whether it lies on the test side.
        kept: number of classes divided.
        cost: `Problem.cost`.
    """

    grid: Grid
    test_side: Mask
    kept: int
    cost: float

    def better_than(self, other: Partition) -> bool:
        """More classes, then the lower cost."""
        return (self.kept, -self.cost) > (other.kept, -other.cost)


def measured(problem: Problem, grid: Grid, test_side: Mask) -> Partition:
    """The layout with its numbers, counted afresh."""
    train, test = problem.counts(test_side)
    kept = int(problem.kept(train, test).sum())
    return Partition(grid, test_side, kept, problem.cost(train, test))


def anneal(
    problem: Problem,
    grid: Grid,
    start: Mask,
    *,
    steps: int,
    temperatures: tuple[float, float],
    generator: np.random.Generator,
) -> Partition:
    """Improve a layout by flipping cells.

    Args:
        problem: what is divided.
        grid: the cells to flip.
        start: the test side to begin with; its borders cut the cells they cross.
        steps: flips tried.
        temperatures: rise in cost accepted with probability 1/e at the first and last step.
        generator: source of chance.
    """
    pieces = 2 * grid.cells(problem.pixels, problem.shape[1]) + start
    cells = _Cells(problem, np.unique(pieces, return_inverse=True)[1].astype(np.int64))
    test_side = start.copy()
    side = np.zeros(cells.count, dtype=bool)
    side[cells.of] = start
    blocks = np.zeros(len(problem.pixels), dtype=np.int64)
    for cell in np.flatnonzero(side):
        blocks[cells.reach[cell]] += 1
    train, test = problem.counts(test_side)
    cost = problem.cost(train, test)
    best_cost, best_side = cost, side.copy()
    flips = generator.integers(cells.count, size=steps)
    cooling = np.geomspace(*temperatures, steps)
    limits = -cooling * np.log1p(-generator.random(steps))
    for cell, limit in zip(flips, limits, strict=True):
        reach = cells.reach[cell]
        # Blocked by this cell alone: what changes between lost and training with the flip.
        own = cells.of[reach] == cell
        open_ = (blocks[reach] == side[cell]) & (~test_side[reach] | own)
        sign = 1 if side[cell] else -1
        changed = np.bincount(problem.ranks[reach[open_]], minlength=len(train))
        tested = np.bincount(cells.tested[cell], minlength=len(test))
        new_train, new_test = train + sign * changed, test - sign * tested
        new_cost = problem.cost(new_train, new_test)
        if new_cost - cost > limit:
            continue
        train, test, cost = new_train, new_test, new_cost
        side[cell] = not side[cell]
        test_side[reach[own]] = side[cell]
        blocks[reach] -= sign
        if cost < best_cost:
            best_cost, best_side = cost, side.copy()
    return measured(problem, grid, best_side[cells.of])


def cut_through(problem: Problem, start: Partition) -> Partition:
    """Improve a layout by straight cuts through the classes it does not divide.

    Small classes need a border at the right line, which no flip of a cell leads to. Around such
    a class, out to the guard, everything on one side of a line or sample becomes test and the
    rest training; the best cut is kept if it is better for the whole.
    """
    best = start
    places = np.divmod(problem.pixels, problem.shape[1])
    kept = problem.kept(*problem.counts(start.test_side))
    for rank in np.flatnonzero(~kept):
        own = problem.ranks == rank
        box = np.ones(len(own), dtype=bool)
        for place in places:
            box &= (place >= place[own].min() - problem.guard) & (
                place <= place[own].max() + problem.guard
            )
        layout = best.test_side
        for place in places:
            levels = np.unique(np.quantile(place[own], _CUTS, method="nearest"))
            for level in levels:
                for beyond in (place >= level, place < level):
                    found = measured(problem, best.grid, np.where(box, beyond, layout))
                    best = found if found.better_than(best) else best
    return best
