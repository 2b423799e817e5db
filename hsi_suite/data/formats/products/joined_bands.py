"""Cubes whose bands lie in several arrays, and values that flags take back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cube_file import LineSource

# Flags are read so many at a time beside the values, which takes little memory.
_BLOCK_VALUES = 2**23


@dataclass(frozen=True)
class BandsOf:
    """Some bands of an array.

    Attributes:
        source: lines × samples × bands.
        bands: numbers of those that are wanted, from 0.
    """

    source: LineSource
    bands: NDArray[np.intp]


class JoinedBands:
    """Bands of several arrays of the same lines and samples, in an order of their own.

    Args:
        parts: the arrays, which `close` closes.
        order: for each band of the cube its number among the bands of all parts, one part after
            the other.
    """

    def __init__(self, parts: Sequence[BandsOf], order: NDArray[np.intp]) -> None:
        self._parts = list(parts)
        place = np.empty(len(order), np.intp)
        place[order] = np.arange(len(order))
        ends = np.cumsum([len(part.bands) for part in parts])
        self._places = np.split(place, ends[:-1])
        self._dtype = np.dtype(np.result_type(*(part.source.dtype for part in parts)))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values in native byte order."""
        return self._dtype

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands; each band lies together."""
        out: NDArray[Any] | None = None
        for part, places in zip(self._parts, self._places, strict=True):
            values = part.source.read_lines(first_line, last_line)
            if out is None:
                bands = sum(map(len, self._places))
                out = np.empty((values.shape[0], bands, values.shape[1]), self._dtype)
            for place, band in zip(places, part.bands, strict=True):
                out[:, place] = values[:, :, band]
        assert out is not None
        return out.transpose(0, 2, 1)

    def close(self) -> None:
        """Close the files."""
        for part in self._parts:
            part.source.close()


class FlaggedLines:
    """Values of which those that flags call bad are missing.

    Args:
        source: lines × samples × bands.
        flags: of the same shape.
        bad: the flags of bad values.
        missing: what stands for them then.
    """

    def __init__(
        self, source: LineSource, flags: LineSource, bad: Sequence[int], missing: float
    ) -> None:
        self._source, self._flags = source, flags
        self._bad, self._missing = tuple(bad), missing

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values in native byte order."""
        return self._source.dtype

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands."""
        values = self._source.read_lines(first_line, last_line)
        step = max(1, _BLOCK_VALUES // max(1, values[:1].size))
        for start in range(first_line, last_line, step):
            end = min(start + step, last_line)
            flags = self._flags.read_lines(start, end)
            some = values[start - first_line : end - first_line]
            for bad in self._bad:
                np.copyto(some, self._missing, where=flags == bad, casting="unsafe")
        return values

    def close(self) -> None:
        """Close both."""
        self._source.close()
        self._flags.close()


class MarkedPadding:
    """Values of which those of pixels that hold nothing but zeros are missing.

    Args:
        source: lines × samples × bands.
        missing: what stands for them then.
    """

    def __init__(self, source: LineSource, missing: float) -> None:
        self._source, self._missing = source, missing

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values in native byte order."""
        return self._source.dtype

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands."""
        values = self._source.read_lines(first_line, last_line)
        values[~values.any(axis=2)] = self._missing
        return values

    def close(self) -> None:
        """Close the file."""
        self._source.close()


class FlagMask:
    """Where pixels hold data, by layers of flags.

    Args:
        flags: lines × samples × layers.
        bad: the flags of pixels that hold none.
        layers: those that count; one is enough to mask a pixel.
    """

    def __init__(self, flags: LineSource, bad: Sequence[int], layers: Sequence[int] = (0,)) -> None:
        self._flags, self._bad, self._layers = flags, tuple(bad), list(layers)

    def read_lines(self, first_line: int, last_line: int) -> NDArray[np.bool_]:
        """Lines first_line … last_line - 1, lines × samples."""
        flags = self._flags.read_lines(first_line, last_line)[..., self._layers]
        return np.asarray(~np.isin(flags, self._bad).any(axis=2))

    def close(self) -> None:
        """Close the file."""
        self._flags.close()
