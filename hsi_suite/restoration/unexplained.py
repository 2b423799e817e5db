"""Values that stay as measured, as noise does not explain what denoising would take from them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Unexplained:
    """The pixels of a cube whose residuals noise does not explain, and which of their values.

    Attributes:
        pixels: their numbers, line after line, in ascending order, N.
        measured: N × live bands, True where a value stays as measured.
        faults: N, True for pixels with single odd values and hardly any like them beside: faults
            of the sensor rather than signals.
        filled: places (pixel · live bands + band, ascending) of odd values that were found and
            filled before denoising.
        odd_stay: whether single odd values stay as measured.
    """

    pixels: NDArray[np.int64]
    measured: Mask
    faults: Mask
    filled: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    odd_stay: bool = False

    @classmethod
    def nothing(cls, bands: int) -> Unexplained:
        """No pixel, of so many live bands."""
        none = np.zeros(0, bool)
        return cls(np.zeros(0, np.int64), np.zeros((0, bands), bool), none)

    @property
    def rare_pixels(self) -> int:
        """Number of pixels with rare signals."""
        return int((~self.faults).sum())

    @property
    def odd_values(self) -> int:
        """Number of single odd values."""
        return len(self.filled) + int(self.measured[self.faults].sum())

    def measured_in(
        self, first_line: int, size: tuple[int, int], live: NDArray[np.intp], bands: int
    ) -> Mask:
        """Which values of a block of lines stay as measured.

        Args:
            first_line: of the block in the cube.
            size: lines and samples of the block.
            live: the live bands.
            bands: of the cube.

        Returns:
            lines × samples × bands.
        """
        lines, samples = size
        start = first_line * samples
        some = slice(*np.searchsorted(self.pixels, [start, start + lines * samples]))
        kept = self.measured[some] & (self.odd_stay | ~self.faults[some, None])
        mask = np.zeros((lines * samples, bands), bool)
        mask[np.ix_(self.pixels[some] - start, live)] = kept
        if self.odd_stay:
            pixel, band = np.divmod(self.filled, len(live))
            within = slice(*np.searchsorted(pixel, [start, start + lines * samples]))
            mask[pixel[within] - start, live[band[within]]] = True
        return mask.reshape(lines, samples, bands)


def neighbours_alike(
    pixels: NDArray[np.int64], values: Mask, sources: Mask, size: tuple[int, int]
) -> NDArray[np.int64]:
    """How many of the eight pixels around each have one of its values too.

    Args:
        pixels: their numbers, line after line, N.
        values: N × bands, which they have.
        sources: N, the pixels that count as neighbours.
        size: lines and samples of the cube.
    """
    place = np.full((size[0] + 2, size[1] + 2), -1)
    line, sample = np.divmod(pixels, size[1])
    place[line + 1, sample + 1] = np.where(sources, np.arange(len(pixels)), -1)
    alike = np.zeros(len(pixels), np.int64)
    for down, across in itertools.product(range(3), range(3)):
        beside = place[line + down, sample + across]
        there = np.flatnonzero((beside >= 0) & ((down, across) != (1, 1)))
        alike[there] += (values[there] & values[beside[there]]).any(1)
    return alike
