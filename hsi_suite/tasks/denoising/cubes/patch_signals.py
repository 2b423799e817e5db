"""Weak signals of a few pixels side by side, found in the sums of their residuals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ....restoration.residual_scan import ResidualScan

Real = TypeVar("Real", np.float32, np.float64)
Values = NDArray[np.float32]
Mask = NDArray[np.bool_]

#: Sides of the patches whose pixels are tested together.
SIDES = (2, 3)
# Standard deviations of noise along a patch's signal beyond which a pixel is part of it.
_PART = 2.0


@dataclass(frozen=True)
class PatchFinds:
    """Pixels that are part of patches which noise does not explain.

    Attributes:
        pixels: their numbers, ascending, N.
        values: N × columns of the residuals, which of them hold the signal.
    """

    pixels: NDArray[np.int64]
    values: Mask

    def of(self, pixels: NDArray[np.int64]) -> Mask:
        """The same for some pixels, M × columns; False where nothing was found."""
        values = np.zeros((len(pixels), self.values.shape[1]), bool)
        known = np.isin(pixels, self.pixels)
        values[known] = self.values[np.searchsorted(self.pixels, pixels[known])]
        return values


def patch_sums(residual: NDArray[Real], side: int) -> NDArray[Real]:
    """Sums over all patches of side × side pixels, over `side`: white noise keeps its variance.

    Args:
        residual: lines × samples × columns.
        side: of the patches, 2 or more.

    Returns:
        Patches by the place of their first pixel, as many lines and samples less by side - 1.
    """
    lines, samples = (size - side + 1 for size in residual.shape[:2])
    down = residual[:lines] + residual[1 : 1 + lines]
    for start in range(2, side):
        down += residual[start : start + lines]
    across = down[:, :samples] + down[:, 1 : 1 + samples]
    for start in range(2, side):
        across += down[:, start : start + samples]
    across /= side
    return across


class PatchSearch:
    """Tests over patches of pixels, fed with blocks of lines in their order.

    A signal that is too weak in each of its pixels adds up in their sum while noise does not.
    In a patch that holds more than noise explains, a pixel is part of the signal where its
    residual along that of the other pixels is.

    Args:
        scans: of the sums over patches, by the side of these.
        samples: of the cube.
    """

    def __init__(self, scans: dict[int, ResidualScan], samples: int) -> None:
        self.scans = scans
        self.samples = samples
        self.before: Values | None = None
        self.pixels: list[NDArray[np.int64]] = []
        self.values: list[Mask] = []

    def look(self, first: int, residual: Values) -> None:
        """Test the patches that end in a block of lines.

        Args:
            first: line of the cube that the block begins with.
            residual: pixels × columns, 0 where a pixel does not count; single precision does, as
                what is loud was found before.
        """
        residual = residual.reshape(-1, self.samples, residual.shape[1])
        kept = 0 if self.before is None else len(self.before)
        rows = residual if self.before is None else np.concatenate([self.before, residual])
        for side, scan in self.scans.items():
            skipped = max(0, kept - side + 1)
            if min(len(rows) - skipped, self.samples) >= side:
                self._test(scan, side, first - kept + skipped, rows[skipped:])
        self.before = rows[-(max(SIDES) - 1) :].copy()

    def finds(self, columns: int) -> PatchFinds:
        """What all blocks held, of residuals with so many columns."""
        if not self.pixels:
            return PatchFinds(np.zeros(0, np.int64), np.zeros((0, columns), bool))
        pixels, place = np.unique(np.concatenate(self.pixels), return_inverse=True)
        values = np.zeros((len(pixels), columns), bool)
        np.logical_or.at(values, place, np.concatenate(self.values))
        return PatchFinds(pixels, values)

    def _test(self, scan: ResidualScan, side: int, first: int, rows: Values) -> None:
        sums = patch_sums(rows, side)
        shape = sums.shape[:2]
        sums = sums.reshape(-1, sums.shape[2])
        found = np.flatnonzero(scan.exceeds(sums))
        if not found.size:
            return
        values = scan.unexplained(sums[found].astype(np.float64))
        total = np.where(values, side * sums[found], 0)
        line, sample = np.divmod(found, shape[1])
        for down in range(side):
            for across in range(side):
                own = np.where(values, rows[line + down, sample + across], 0)
                others = total - own
                along = (own * others).sum(1)
                part = along > _PART * np.linalg.norm(others, axis=1)
                pixels = (first + line + down) * self.samples + sample + across
                self.pixels.append(pixels[part])
                self.values.append(values[part])
