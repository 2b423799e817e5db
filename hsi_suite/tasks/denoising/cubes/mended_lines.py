"""The live bands of a cube, block by block, mended by what the rest of each spectrum says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....restoration.cube_lines import CubeLines, line_blocks
from ....restoration.damage import Damage, fill_from_neighbours
from ....restoration.faults import noise_of_filled, predicted
from ....restoration.repairs import Repairs
from ....restoration.subspace import Subspace
from .filled_lines import FilledLines

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]


class MendedLines(FilledLines):
    """As `FilledLines`, less stripes, and filled from all other bands at once.

    Args:
        cube: what is read.
        damage: what of it cannot be used.
        positions: of all bands, for interpolation.
        repairs: what else is wrong with its values; may be changed.

    Attributes:
        subspace: predicts what is filled; None: neighbouring bands do.
    """

    def __init__(
        self, cube: CubeLines, damage: Damage, positions: Values, repairs: Repairs
    ) -> None:
        super().__init__(cube, damage, positions)
        self.repairs: Repairs = repairs
        self.subspace: Subspace | None = None

    @property
    def odd_places(self) -> NDArray[np.int64]:
        """As of `FilledLines`."""
        return self.repairs.odd

    def read(self, first: int, last: int) -> tuple[Values, int]:
        """As of `FilledLines`; what is missing is counted without the repairs."""
        spectra, _, missing = self.filled(first, last)
        return spectra, missing

    def filled(self, first: int, last: int) -> tuple[Values, Mask, int]:
        """Spectra, which of their values were filled, and how many are missing in the cube."""
        spectra, faulty, missing = self.unfilled(first, last)
        odd = self.repairs.odd_in(first, (last - first, self.cube.shape[1]))
        faulty |= odd.reshape(faulty.shape)
        if self.subspace is None:
            fill_from_neighbours(spectra, faulty, self.positions)
            return spectra, faulty, missing
        rows = np.flatnonzero(faulty.any(1))
        holes = faulty[rows]
        expected = predicted(self.subspace, self.subspace.whiten(spectra[rows]), holes)
        expected = expected * self.subspace.scale + self.subspace.mean
        spectra[rows] = np.where(holes, expected, spectra[rows])
        return spectra, faulty, missing

    def unfilled(self, first: int, last: int) -> tuple[Values, Mask, int]:
        """Spectra less stripes, which of their values mean nothing, and how many are missing.

        Odd values are not among them: they are found in what is given here. Pixels that are not
        valid are 0, and have no faults.
        """
        block = self.cube.read(first, last)
        valid = self.damage.valid[first:last, :, None]
        missing = self.damage.missing(block, first)[..., self.live]
        faulty = missing | (self.repairs.stuck_in(block) & valid)
        values = np.where(valid, self.repairs.without_stripes(block, first), 0)
        bands = len(self.live)
        values[faulty] = 0
        return values.reshape(-1, bands), faulty.reshape(-1, bands), int(missing.sum())

    def noise_of_planes(self, subspace: Subspace) -> Values:
        """As of `FilledLines`: above 1 where many spectra have holes."""
        total = np.zeros(subspace.rank)
        for first, last in line_blocks(self.cube.shape):
            _, faulty, _ = self.filled(first, last)
            valid = self.damage.valid[first:last].ravel()
            total += noise_of_filled(subspace, faulty[valid]).sum(0)
        sigma: Values = np.sqrt(total / self.damage.valid.sum())
        return sigma
