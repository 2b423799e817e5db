"""What is wrong with single values of a cube and can be mended: stuck, odd, or off by a stripe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .stuck_values import StuckValues

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Repairs:
    """Faults of the values of a cube.

    Attributes:
        live: the bands that they are in, in the order of the file.
        stuck: values that mean nothing.
        odd: places (pixel · live bands + band, ascending) of others.
        columns: samples × live bands, offsets of columns in the units of the cube.
        lines: lines × live bands, offsets of lines.
        stuck_values: how many values of valid pixels are stuck.
    """

    live: NDArray[np.intp]
    stuck: StuckValues
    odd: NDArray[np.int64]
    columns: Values
    lines: Values
    stuck_values: int = 0

    @classmethod
    def of_stuck(
        cls, stuck: StuckValues, live: NDArray[np.intp], shape: tuple[int, int, int]
    ) -> Repairs:
        """Of values that are stuck, and nothing else yet."""
        lines, samples, _ = shape
        none = np.zeros(0, np.int64)
        return cls(live, stuck, none, np.zeros((samples, len(live))), np.zeros((lines, len(live))))

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.stuck) or bool(self.odd.size or self.columns.any() or self.lines.any())

    def without_stripes(self, block: NDArray[Any], first_line: int) -> Values:
        """Live bands of a block (lines × samples × bands) without the offsets."""
        values: Values = block[..., self.live].astype(np.float64)
        values -= self.columns
        values -= self.lines[first_line : first_line + len(block), None]
        return values

    def stuck_in(self, block: NDArray[Any]) -> Mask:
        """Which values of the live bands of a block are stuck, lines × samples × live bands."""
        return self.stuck.mask(block)[..., self.live]

    def odd_in(self, first_line: int, size: tuple[int, int]) -> Mask:
        """Which values of a block of so many lines and samples are odd, × live bands."""
        bands = len(self.live)
        start = first_line * size[1] * bands
        mask = np.zeros(size[0] * size[1] * bands, bool)
        some = slice(*np.searchsorted(self.odd, [start, start + mask.size]))
        mask[self.odd[some] - start] = True
        return mask.reshape(*size, bands)
