"""Where pixels hold data, as a file says apart from the values of its bands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cube_file import LineMask, LineSource


class SourceMask:
    """A mask stored as values: a pixel holds data where none of them is 0.

    Args:
        source: lines × samples × bands.
        first_band: from which band on they are the mask.
    """

    def __init__(self, source: LineSource, first_band: int = 0) -> None:
        self._source = source
        self._first_band = first_band

    def read_lines(self, first_line: int, last_line: int) -> NDArray[np.bool_]:
        """Lines first_line … last_line - 1, lines × samples."""
        values = self._source.read_lines(first_line, last_line)[..., self._first_band :]
        return np.asarray((values != 0).all(axis=2))

    def close(self) -> None:
        """Close the file."""
        self._source.close()


class BothMasks:
    """Pixels that hold data by two masks."""

    def __init__(self, first: LineMask, second: LineMask) -> None:
        self._masks = (first, second)

    def read_lines(self, first_line: int, last_line: int) -> NDArray[np.bool_]:
        """Lines first_line … last_line - 1, lines × samples."""
        first, second = (mask.read_lines(first_line, last_line) for mask in self._masks)
        return first & second

    def close(self) -> None:
        """Close both files."""
        for mask in self._masks:
            mask.close()


class WithoutAlpha:
    """The bands of an image before its last one, which is transparency.

    Args:
        source: all of them.
        bands: how many there are without it.
    """

    def __init__(self, source: LineSource, bands: int) -> None:
        self._source = source
        self._bands = bands

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values in native byte order."""
        return self._source.dtype

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands, a view."""
        return self._source.read_lines(first_line, last_line)[..., : self._bands]

    def close(self) -> None:
        """Close the file."""
        self._source.close()
