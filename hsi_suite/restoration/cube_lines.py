"""Cubes read by blocks of lines, so that they need not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

_BLOCK_VALUES = 2**22


class CubeLines(Protocol):
    """A cube whose lines can be read; an open `data.readers.CubeFile` is one."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Lines, samples, bands."""
        ...

    def read(self, first_line: int = 0, last_line: int | None = None) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands."""
        ...


class ArrayLines:
    """The lines of a cube in memory.

    Args:
        cube: lines × samples × bands.
    """

    def __init__(self, cube: NDArray[Any]) -> None:
        self.cube = cube

    @property
    def shape(self) -> tuple[int, int, int]:
        """Lines, samples, bands."""
        lines, samples, bands = self.cube.shape
        return lines, samples, bands

    def read(self, first_line: int = 0, last_line: int | None = None) -> NDArray[Any]:
        """Lines first_line … last_line - 1, a view."""
        return self.cube[first_line:last_line]


def line_blocks(shape: tuple[int, int, int]) -> Iterator[tuple[int, int]]:
    """First line and last line (exclusive) of blocks of some ten megabytes that fill a cube."""
    lines, samples, bands = shape
    step = max(1, _BLOCK_VALUES // (samples * bands))
    for first in range(0, lines, step):
        yield first, min(first + step, lines)


def spread_lines(lines: int, most: int) -> list[int]:
    """The numbers of at most `most` lines from all over a cube, the first and the last among them.

    What is asked of them is answered for the whole without reading it.
    """
    chosen: list[int] = np.unique(np.linspace(0, lines - 1, min(lines, most), dtype=int)).tolist()
    return chosen
