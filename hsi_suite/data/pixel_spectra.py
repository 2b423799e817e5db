"""The spectra of a cube's pixels, row by row, wherever the cube lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .formats.cube_file import CubeFile
from .reduction import BLOCK_PIXELS

Cube = NDArray[Any] | CubeFile


class PixelSpectra:
    """Spectra as the rows of an array of N × bands that is read as it is asked for.

    It takes the place of an array where spectra are reduced and where a `Reduction` is fitted:
    the rows, and so all that is computed from them block by block, are those of the whole cube.

    Args:
        cube: lines × samples × bands in memory, or an open file.
        pixels: flat indices into lines × samples, one for each row; None for all pixels.
    """

    def __init__(self, cube: Cube, pixels: NDArray[np.integer] | None = None) -> None:
        self._cube = cube
        self._pixels = pixels
        self._lines, self._samples, self._bands = cube.shape

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and bands."""
        rows = self._lines * self._samples if self._pixels is None else len(self._pixels)
        return rows, self._bands

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        """Some consecutive rows in the cube's own type, N × bands; a view where there can be."""
        start, stop, _ = rows.indices(len(self))
        if self._pixels is not None:
            return self._scattered(self._pixels[start:stop])
        first, last = start // self._samples, -(-stop // self._samples)
        skipped = first * self._samples
        return self._read(first, last)[start - skipped : stop - skipped]

    def of(self, pixels: NDArray[np.integer]) -> PixelSpectra:
        """The spectra of some pixels of the cube, in their order."""
        return PixelSpectra(self._cube, pixels)

    def layers(self, bands: Sequence[int]) -> NDArray[Any]:
        """Some bands of the whole cube, lines × samples × bands."""
        step = max(1, BLOCK_PIXELS // self._samples)
        parts = [
            self._read(first, min(first + step, self._lines))[:, list(bands)]
            for first in range(0, self._lines, step)
        ]
        return np.concatenate(parts).reshape(self._lines, self._samples, len(bands))

    def _scattered(self, pixels: NDArray[np.integer]) -> NDArray[Any]:
        out = np.empty((len(pixels), self._bands), self._cube.dtype)
        order = np.argsort(pixels, kind="stable")
        ordered = pixels[order]
        step = max(1, BLOCK_PIXELS // self._samples)
        done = 0
        while done < len(ordered):
            first = int(ordered[done]) // self._samples
            end = int(np.searchsorted(ordered, (first + step) * self._samples))
            last = int(ordered[end - 1]) // self._samples + 1
            rows = self._read(first, last)
            out[order[done:end]] = rows[ordered[done:end] - first * self._samples]
            done = end
        return out

    def _read(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines as rows of pixels."""
        if isinstance(self._cube, CubeFile):
            block = self._cube.read(first_line, last_line)
        else:
            block = self._cube[first_line:last_line]
        # Sums depend on the order in memory: that of a line must be that of the whole cube.
        if block.strides[0] != block.shape[1] * block.strides[1]:
            block = np.ascontiguousarray(block)
        return block.reshape(-1, self._bands)
