"""What of a cube of few bands the pixels around each do not predict."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ....engine.observer import Observer
from ....restoration.cube_lines import line_blocks
from ....restoration.planes import nearest_valid
from .filled_lines import FilledLines

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

_AROUND = np.ones((3, 3, 1), bool)
_AROUND[1, 1] = False
# Side in pixels of what is looked at of the texture around a value.
_TEXTURE = 5
# Median of the absolute values of a standard normal variable.
_MEDIAN_OF_NORMAL = 0.6745
# Standard deviations: texture has tails as e^-|x| rather than normal ones.
_APART = 8.0


class LessSurroundings:
    """The values of a cube less the median of the eight around each, in their band.

    Few bands leave much of each other unexplained. What is smooth goes away here, and edges and
    small things are in all bands, so that the others explain the rest.
    """

    def __init__(self, reader: FilledLines) -> None:
        self.reader = reader

    def blocks(self, what: str, observer: Observer) -> Iterator[tuple[int, int, Values]]:
        """As `FilledLines.blocks`."""
        shape = self.reader.cube.shape
        observer.begin(what, shape[0])
        for first, last in line_blocks(shape):
            yield first, last, self.read(first, last)[0]
            observer.advance(last - first)
        observer.end()

    def spectra(self, observer: Observer) -> Iterator[Values]:
        """As `FilledLines.spectra`."""
        for first, last, spectra in self.blocks("comparing neighbours", observer):
            yield spectra[self.reader.damage.valid[first:last].ravel()]

    def read(self, first: int, last: int) -> tuple[Values, int]:
        """As `FilledLines.read`; lines beside those asked for count as surroundings."""
        lines, samples, _ = self.reader.cube.shape
        start, stop = max(first - 1, 0), min(last + 1, lines)
        spectra, missing = self.reader.read(start, stop)
        block = spectra.reshape(stop - start, samples, -1)
        valid = self.reader.damage.valid[start:stop]
        nearest = nearest_valid(valid) if valid.any() else None
        whole = block if nearest is None else block[nearest]
        inner = slice(first - start, last - start)
        # A line of its own beyond the cube's edge would repeat the value itself.
        around = ndimage.median_filter(whole, footprint=_AROUND, mode="mirror")
        return (block - around)[inner].reshape(-1, block.shape[2]), missing


def in_calm_places(rest: Values, samples: int) -> Values:
    """Residuals (pixels of whole lines × bands, noise 1) in units of those around where larger.

    Where there is much texture, much of it is left.
    """
    block = rest.reshape(-1, samples, rest.shape[1])
    around = ndimage.median_filter(np.abs(block), size=(_TEXTURE, _TEXTURE, 1))
    calm: Values = block / np.maximum(around / _MEDIAN_OF_NORMAL, 1)
    return calm.reshape(rest.shape)


def stand_apart(size: Values) -> Mask:
    """Which residuals are faults rather than the tail of texture.

    Beyond `_APART` standard deviations there must be more than from half of it on to there, as
    there is of no distribution with one mode.
    """
    size = np.abs(size)
    faults: Mask = size > _APART
    if faults.sum() <= ((size > _APART / 2) & ~faults).sum():
        faults[:] = False
    return faults
