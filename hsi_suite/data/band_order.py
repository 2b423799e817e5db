"""Cubes whose bands are in another order than in their file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .formats.cube_file import CubeFile

Order = NDArray[np.intp]


@dataclass(frozen=True)
class ReorderedLines:
    """Lines of a cube with their bands in another order.

    Attributes:
        file: what is read.
        order: of each band, its number in the file.
    """

    file: CubeFile
    order: Order

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.file.dtype

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands."""
        return np.asarray(self.file.source.read_lines(first_line, last_line)[..., self.order])

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def reordered(file: CubeFile, order: Order) -> CubeFile:
    """A cube with its bands, and all that is said of each, in another order.

    Args:
        file: open.
        order: of each band that comes out, its number in the file.
    """
    kept = {
        name: tuple(value[band] for band in order)
        if isinstance(value, tuple) and len(value) == len(order)
        else value
        for name, value in file.kept_fields.items()
    }
    names = file.band_names
    return replace(
        file,
        source=ReorderedLines(file, order),
        wavelengths=None if file.wavelengths is None else file.wavelengths[order],
        fwhm=None if file.fwhm is None else file.fwhm[order],
        band_names=tuple(names[band] for band in order) if names else (),
        default_bands=None,
        kept_fields=kept,
    )


def order_like(
    wavelengths: NDArray[np.float64], wanted: NDArray[np.float64], most: float
) -> Order | None:
    """The order that brings bands to others; None where the bands are not the same.

    Args:
        wavelengths: of the bands, in nm.
        wanted: of the others.
        most: nm that a band may be away from its fellow.
    """
    if len(wavelengths) != len(wanted):
        return None
    order = np.empty(len(wanted), np.intp)
    order[np.argsort(wanted, kind="stable")] = np.argsort(wavelengths, kind="stable")
    return order if np.abs(wavelengths[order] - wanted).max() <= most else None
