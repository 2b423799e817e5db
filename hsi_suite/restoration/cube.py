"""The way back from denoised planes to the lines of a cube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .cube_lines import CubeLines
from .damage import Damage, Mask, fill_from_neighbours, present_values
from .repairs import Repairs
from .subspace import Subspace
from .unexplained import Unexplained

Values = NDArray[np.float64]


@dataclass(frozen=True)
class CubeRestoration:
    """A cube of which everything but the way back from the denoised planes is done.

    Attributes:
        source: the noisy cube.
        damage: what of it could not be used.
        sigma: standard deviation of the noise of each band, in the cube's units; NaN in dead bands.
        subspace: between spectra of the live bands and planes.
        planes: denoised, rank × lines × samples.
        rank: number of eigen-images; None when band after band was denoised.
        missing_values: of the valid pixels in live bands, dead lines included.
        repair: whether dead bands and missing values are replaced.
        allowed: lines × samples, False where a pixel is to be left alone; None: nowhere.
        repairs: faults of single values and stripes, which are repaired as well; None: none known.
        positions: of the bands, for interpolation.
        unexplained: pixels with rare signals, and values that stay as measured.
        strength: share of the change that is made, 0 to 1; what is repaired is not held back.
        shares: of what alike pixels say in each plane, 0 to 1; None where they were not asked.
    """

    source: CubeLines
    damage: Damage
    sigma: Values
    subspace: Subspace
    planes: NDArray[np.float32]
    rank: int | None
    missing_values: int
    repair: bool
    positions: Values
    unexplained: Unexplained
    strength: float = 1.0
    allowed: Mask | None = None
    repairs: Repairs | None = None
    shares: Values | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Lines, samples, bands."""
        return self.source.shape

    def read(
        self, first_line: int = 0, last_line: int | None = None, dtype: DTypeLike = np.float32
    ) -> NDArray[Any]:
        """Restored lines first_line … last_line - 1, lines × samples × bands.

        What could not be restored keeps its value: pixels that are not valid, rare signals and,
        unless they are repaired, dead bands and missing values. Whole numbers are rounded, held
        within what their type holds, and kept off the nodata value.
        """
        block = self.source.read(first_line, last_line)
        missing = self.damage.missing(block, first_line)
        lines, samples, bands = block.shape
        planes = self.planes[:, first_line : first_line + lines].reshape(len(self.planes), -1)
        live = self.damage.live_bands
        restored = np.zeros((lines * samples, bands))
        restored[:, live] = self.subspace.back_project(planes.T.astype(np.float64))
        noisy, faulty = self._mended(block, missing, first_line)
        if self.strength < 1:
            known = np.where(faulty, restored.reshape(block.shape), noisy).reshape(restored.shape)
            restored[:, live] = (known + self.strength * (restored - known))[:, live]
        kept = np.repeat(~self.damage.valid[first_line : first_line + lines, :, None], bands, 2)
        measured = self.unexplained.measured_in(first_line, (lines, samples), live, bands)
        measured &= ~faulty
        if noisy is block:
            kept |= measured
        else:
            restored.reshape(block.shape)[measured] = noisy[measured]
        if self.repair:
            dead = np.ones(restored.shape, bool)
            dead[:, live] = False
            fill_from_neighbours(restored, dead, self.positions)
        else:
            kept |= missing
        result = _converted(restored.reshape(block.shape), np.dtype(dtype), self.damage.nodata)
        result[kept] = block[kept]
        if self.repair:
            self._fill_flat(block, first_line, result)
        return result

    def _mended(
        self, block: NDArray[Any], missing: Mask, first_line: int
    ) -> tuple[NDArray[Any], Mask]:
        """A block of lines less its stripes, and which of its values mean nothing."""
        if self.repairs is None:
            return block, missing
        noisy = block.astype(np.float64)
        noisy[..., self.repairs.live] = self.repairs.without_stripes(block, first_line)
        faulty = missing.copy()
        faulty[..., self.repairs.live] |= self.repairs.stuck_in(block)
        faulty[..., self.repairs.live] |= self.repairs.odd_in(first_line, block.shape[:2])
        return noisy, faulty

    def _fill_flat(self, block: NDArray[Any], first_line: int, result: NDArray[Any]) -> None:
        """Fill missing bands of pixels that hold data but no spectrum: all else is one value.

        Nothing of them was denoised, but they count as pixels with data in what is read again.
        """
        lines = slice(first_line, first_line + len(block))
        flat = ~self.damage.valid[lines]
        if self.allowed is not None:
            flat &= self.allowed[lines]
        values = block[flat].astype(np.float64)
        absent = ~present_values(values, self.damage.nodata)
        partly = absent.any(1) & (2 * absent.sum(1) <= values.shape[1])
        if not partly.any():
            return
        places = np.argwhere(flat)[partly]
        values, absent = values[partly], absent[partly]
        fill_from_neighbours(values, absent, self.positions)
        pixel, band = np.nonzero(absent)
        filled = _converted(values, result.dtype, self.damage.nodata)
        result[places[pixel, 0], places[pixel, 1], band] = filled[pixel, band]


def _converted(values: Values, dtype: np.dtype[Any], nodata: float | None) -> NDArray[Any]:
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    whole = np.rint(values).clip(limits.min, limits.max)
    if nodata is not None:
        whole[whole == nodata] = nodata + (1 if nodata < limits.max else -1)
    # The largest whole numbers of 64 bits have no float64 of their own.
    highest = np.nextafter(float(limits.max), 0) if dtype.itemsize == 8 else float(limits.max)
    return whole.clip(None, highest).astype(dtype)
