"""Where each pixel of a swath lies: two layers of coordinates instead of a grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from .array_choice import size_text

WGS84 = "EPSG:4326"
# Ground control points along each side, at most: GDAL's warpers take some hundreds at ease.
_POINTS_A_SIDE = 16


class _Layer(Protocol):
    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines × samples × 1."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


@dataclass(frozen=True)
class Geolocation:
    """Coordinates of the centre of each pixel.

    Attributes:
        path: the file that holds them, for messages.
        x: lines of eastings or longitudes; band 0 counts.
        y: lines of northings or latitudes.
        shape: lines and samples.
        crs: their reference system; None when unknown.
    """

    path: Path
    x: _Layer
    y: _Layer
    shape: tuple[int, int]
    crs: str | None = WGS84

    def read(self, first_line: int = 0, last_line: int | None = None) -> NDArray[np.float64]:
        """Lines first_line … last_line - 1: lines × samples × 2, x before y; NaN where unknown."""
        last = self.shape[0] if last_line is None else last_line
        layers = [np.asarray(each.read_lines(first_line, last)[..., 0], np.float64)
                  for each in (self.x, self.y)]  # fmt: skip
        found = np.stack(layers, axis=2)
        if self.crs == WGS84:
            found[(np.abs(found) > (360.0, 90.0)).any(axis=2)] = np.nan
        return found

    def points(self) -> NDArray[np.float64]:
        """Ground control points over the whole swath: sample, line, x, y of pixels' centres.

        Samples and lines count from the upper left corner, so that the first centre is 0.5, 0.5.
        """
        rows, columns = (
            np.unique(np.linspace(0, size - 1, min(size, _POINTS_A_SIDE)).round().astype(int))
            for size in self.shape
        )
        lines = np.concatenate([self.read(int(row), int(row) + 1)[:, columns] for row in rows])
        line, sample = np.meshgrid(rows + 0.5, columns + 0.5, indexing="ij")
        found = np.column_stack([sample.ravel(), line.ravel(), lines.reshape(-1, 2)])
        return np.asarray(found[np.isfinite(found).all(axis=1)])

    @property
    def words(self) -> str:
        """From where to where, for `hsi data info`."""
        found = self.points()[:, 2:]
        if not len(found):
            return ""
        names = ("longitude", "latitude") if self.crs == WGS84 else ("x", "y")
        digits = 4 if self.crs == WGS84 else 1
        spans = (
            f"{name} {low:.{digits}f} to {high:.{digits}f}"
            for name, low, high in zip(names, found.min(0), found.max(0), strict=True)
        )
        return f"{self.crs or 'unknown system'}, {', '.join(spans)}"

    def close(self) -> None:
        """Close the files."""
        self.x.close()
        self.y.close()


@dataclass(frozen=True)
class BandAlone:
    """A layer of coordinates that is a band of a file.

    Attributes:
        source: lines × samples × bands.
        band: from 0.
    """

    source: _Layer
    band: int

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines × samples × 1."""
        return self.source.read_lines(first_line, last_line)[..., self.band : self.band + 1]

    def close(self) -> None:
        """Close the file."""
        self.source.close()


def require_same_pixels(
    path: Path, what: str, found: tuple[int, ...], shape: tuple[int, int]
) -> None:
    """Refuse coordinates of other pixels than the cube's.

    Raises:
        InputFileError: they are.
    """
    if tuple(found[:2]) != shape:
        raise InputFileError(
            path, f"{what} of {size_text(found)}", size_text(shape), "copy or fetch the file again"
        )
