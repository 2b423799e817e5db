"""Partitions of a scene into a training and a test side with a guard between.

The scene is cut into cells (blocks or stripes); each cell belongs to one side. A test pixel
blocks every pixel within the guard for training. What searches for a good one
(`partition_annealing`, `cut_through`) sees labels and positions, never spectra.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .partition_problem import Integers, Mask, Problem

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
