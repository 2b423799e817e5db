"""Map grids by a lookup table (GLT): each place takes the pixel that the table names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import InputFileError

_BLOCK_BYTES = 2**24


@dataclass(frozen=True)
class SensorPixels:
    """Pixels as the sensor saw them.

    Attributes:
        path: the file, for messages.
        shape: lines, samples, bands.
        dtype: of the values, in native byte order.
        read: lines from … to, samples from … to: lines × samples × bands.
    """

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    read: Callable[[int, int, int, int], NDArray[Any]]


class LookupGrid:
    """Lines of a map grid.

    Args:
        pixels: of the sensor.
        table: reads lines from … to of the table: the numbers of the lines and of the samples of
            pixels, from 1 on; 0 where there is none, negative where a neighbour fills a gap.
        missing: the value where there is none.
        close: closes the files.
    """

    def __init__(
        self,
        pixels: SensorPixels,
        table: Callable[[int, int], tuple[NDArray[np.int64], NDArray[np.int64]]],
        missing: float,
        close: Callable[[], None],
    ) -> None:
        self._pixels, self._table, self._missing, self._close = pixels, table, missing, close

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values in native byte order."""
        return self._pixels.dtype

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands.

        A line of the map may cross all lines of the sensor: they are read block by block, of each
        the samples that are wanted.
        """
        lines, samples = self._table(first_line, last_line)
        bands = self._pixels.shape[2]
        out: NDArray[Any] = np.full((lines.size, bands), self._missing, self.dtype)
        places = np.flatnonzero((lines != 0) & (samples != 0))
        rows, columns = (np.abs(each.ravel()[places]) - 1 for each in (lines, samples))
        self._check(rows, columns)
        order = np.argsort(rows, kind="stable")
        places, rows, columns = places[order], rows[order], columns[order]
        line_bytes = self._pixels.shape[1] * bands * self.dtype.itemsize
        height = max(1, _BLOCK_BYTES // line_bytes)
        start = 0
        while start < len(rows):
            end = int(np.searchsorted(rows, rows[start] + height))
            some = slice(start, end)
            self._fill(out, places[some], rows[some], columns[some])
            start = end
        return out.reshape(*lines.shape, bands)

    def _fill(
        self,
        out: NDArray[Any],
        places: NDArray[np.intp],
        rows: NDArray[np.int64],
        columns: NDArray[np.int64],
    ) -> None:
        """Fill places of the map from one block of the sensor's lines."""
        top, left = int(rows[0]), int(columns.min())
        block = self._pixels.read(top, int(rows[-1]) + 1, left, int(columns.max()) + 1)
        # Taking pixels makes a copy; a table may name one of them any number of times.
        step = max(1, _BLOCK_BYTES // (out.shape[1] * self.dtype.itemsize))
        for start in range(0, len(places), step):
            some = slice(start, start + step)
            out[places[some]] = block[rows[some] - top, columns[some] - left]

    def _check(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> None:
        for what, values, size in (
            ("line", rows, self._pixels.shape[0]),
            ("sample", columns, self._pixels.shape[1]),
        ):
            if values.size and int(values.max()) >= size:
                raise InputFileError(
                    self._pixels.path,
                    f"the lookup table (GLT) names {what} {int(values.max()) + 1}",
                    f"{what}s 1 to {size}",
                    "copy or fetch the file again",
                )

    def close(self) -> None:
        """Close the files."""
        self._close()
