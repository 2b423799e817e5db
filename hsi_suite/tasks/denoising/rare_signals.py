"""Rare signals put back into denoised planes, and faults told from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...engine.observer import Observer
from ...restoration.cube_lines import line_blocks, spread_lines
from ...restoration.residual_scan import ResidualScan
from ...restoration.subspace import Subspace
from ...restoration.unexplained import Unexplained, neighbours_alike
from .filled_lines import FilledLines

Values = NDArray[np.float64]
Planes = NDArray[np.float32]

# Pixels, and the lines they lie on, from which the scale of the residuals is told.
_SAMPLED_PIXELS, _SAMPLED_LINES = 4096, 64
# Odd values in one band of so many pixels around another are no accident; two faults may meet.
_SIGNAL_NEIGHBOURS = 2


@dataclass(frozen=True)
class _Look:
    """A closer look at some pixels.

    Attributes:
        pixels: their numbers, N.
        measured: N × live bands in the order of the file, the values that noise does not explain.
        lone: N, whether these are single values.
        own: N, whether a pixel is better off with its own coefficients.
        coefficients: N × rank, these.
    """

    pixels: NDArray[np.int64]
    measured: NDArray[np.bool_]
    lone: NDArray[np.bool_]
    own: NDArray[np.bool_]
    coefficients: NDArray[np.float32]


class RareSignals:
    """What noise does not explain in the difference of a cube and its denoised planes.

    A signal of few pixels may lie outside the subspace, and a network takes it for noise where no
    pixel beside looks alike. Such a pixel gets its own coefficients back, or keeps single bands as
    measured, whichever are fewer numbers; all other pixels stay denoised.

    Args:
        reader: of the noisy cube.
        subspace: between spectra and planes.
        planes: denoised, rank × lines × samples; changed in place by `put_back`.
    """

    def __init__(self, reader: FilledLines, subspace: Subspace, planes: Planes) -> None:
        self.reader = reader
        self.subspace = subspace
        self.planes = planes
        self.size = (planes.shape[1], planes.shape[2])
        self.valid = reader.damage.valid

    def put_back(self, observer: Observer) -> Unexplained:
        """Find what noise does not explain, mend the planes, and tell what stays as measured.

        A cube is tested as a whole first; the pixels beside those found are then judged by
        themselves, as signals of several pixels have a rim.
        """
        scans = self._calibrated()
        found = np.zeros(self.size, bool)
        for first, last, spectra in self.reader.blocks("looking for rare signals", observer):
            residual = self._residual(self.subspace.whiten(spectra), first, last)
            found[first:last] = scans.exceeded(residual).reshape(last - first, -1)
        found &= self.valid
        near = ndimage.binary_dilation(found, np.ones((3, 3), bool)) & self.valid
        looks = [
            self._look(scans, first, last, np.flatnonzero(near[first:last]))
            for first, last in line_blocks(self.reader.cube.shape)
            if near[first:last].any()
        ]
        if not looks:
            return Unexplained.nothing(self.subspace.directions.shape[0])
        look = _Look(*(np.concatenate(parts) for parts in zip(*map(_fields, looks), strict=True)))
        sure = found.reshape(-1)[look.pixels]
        alike = neighbours_alike(
            look.pixels, np.column_stack([look.measured, look.own]), sure, self.size
        )
        kept = sure | (alike > 0)
        own = kept & look.own
        self.planes.reshape(len(self.planes), -1)[:, look.pixels[own]] = look.coefficients[own].T
        faults = look.lone & (alike < _SIGNAL_NEIGHBOURS)
        return Unexplained(look.pixels[kept], look.measured[kept], faults[kept])

    def _calibrated(self) -> _Scans:
        """The tests, from the residuals of valid pixels from lines all over the cube."""
        lines = self.size[0]
        parts = []
        for line in spread_lines(lines, _SAMPLED_LINES):
            whitened = self.subspace.whiten(self.reader.read(line, line + 1)[0])
            parts.append(self._residual(whitened, line, line + 1)[self.valid[line]])
        residual = np.concatenate(parts)
        sample = residual[:: -(-len(residual) // _SAMPLED_PIXELS)]
        pixels = int(self.valid.sum())
        # Windows are of neighbouring bands, in whatever order the file has them.
        order = np.argsort(self.reader.positions, kind="stable")
        directions = self.subspace.directions
        return _Scans(
            ResidualScan.calibrated(sample[:, order], pixels),
            ResidualScan.calibrated(sample @ directions, pixels),
            order,
            directions,
        )

    def _residual(self, whitened: Values, first: int, last: int) -> Values:
        """What denoising took from some lines, pixels × live bands."""
        planes = self.planes[:, first:last].reshape(len(self.planes), -1)
        return whitened - planes.T.astype(np.float64) @ self.subspace.directions.T

    def _look(self, scans: _Scans, first: int, last: int, places: NDArray[np.int64]) -> _Look:
        """What is the matter with some pixels of a block of lines."""
        whitened = self.subspace.whiten(self.reader.read(first, last)[0])
        residual = self._residual(whitened, first, last)[places]
        whitened = whitened[places]
        coefficients = whitened @ self.subspace.directions
        outside = whitened - coefficients @ self.subspace.directions.T
        measured, beyond = scans.unexplained(residual), scans.unexplained(outside)
        smoothed = scans.taken_by_network(np.where(measured, 0, residual))
        faults = scans.lone(residual)
        lone = faults.any(1) & ~smoothed
        own = smoothed | (self.subspace.rank + beyond.sum(1) < measured.sum(1))
        own &= ~lone
        measured[own] = beyond[own]
        measured[lone] &= faults[lone]
        pixels = places + first * self.size[1]
        return _Look(pixels, measured, lone, own, coefficients.astype(np.float32))


@dataclass(frozen=True)
class _Scans:
    """Tests of residuals, pixels × live bands in the order of the file.

    Attributes:
        bands: by windows of neighbouring bands.
        planes: along the directions of the subspace, where a network took something.
        order: of the bands, by wavelength.
        directions: live bands × rank.
    """

    bands: ResidualScan
    planes: ResidualScan
    order: NDArray[np.intp]
    directions: Values

    def exceeded(self, residual: Values) -> NDArray[np.bool_]:
        """Which pixels hold more than noise explains, by the limits of the whole cube."""
        found: NDArray[np.bool_] = self.planes.exceeds(residual @ self.directions)
        found |= self.bands.exceeds(residual[:, self.order])
        return found

    def unexplained(self, residual: Values) -> NDArray[np.bool_]:
        """Which values are more than noise explains, by the limits of single pixels."""
        taken = np.empty(residual.shape, bool)
        taken[:, self.order] = self.bands.unexplained(residual[:, self.order])
        return taken

    def taken_by_network(self, residual: Values) -> NDArray[np.bool_]:
        """In which pixels a direction of the subspace lost more than noise explains."""
        along = self.planes.unexplained(residual @ self.directions)
        return np.asarray(along.any(1))

    def lone(self, residual: Values) -> NDArray[np.bool_]:
        """Single values, in pixels that hold nothing else unexplained."""
        lone = np.empty(residual.shape, bool)
        lone[:, self.order] = self.bands.lone_values(residual[:, self.order])
        return lone


def _fields(look: _Look) -> tuple[NDArray[np.generic], ...]:
    return look.pixels, look.measured, look.lone, look.own, look.coefficients
