"""Rare signals put back into denoised planes, and faults separated from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ....engine.observer import Observer
from ....restoration.cube_lines import line_blocks, spread_lines
from ....restoration.residual_scan import ResidualScan
from ....restoration.subspace import Subspace
from ....restoration.unexplained import Unexplained, neighbours_alike
from .filled_lines import FilledLines
from .patch_signals import SIDES, PatchFinds, PatchSearch, patch_sums

Values = NDArray[np.float64]
Planes = NDArray[np.float32]

# Pixels, and the lines they lie on, from which the scale of the residuals is estimated.
_SAMPLED_PIXELS, _SAMPLED_LINES = 4096, 64
# Places with the lines that patches need, from which the scale of the sums over these is estimated.
_SAMPLED_STRIPS, _LEAST_PATCHES = 21, 100
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
        """Find what noise does not explain, mend the planes, and say what stays as measured.

        A cube is tested as a whole first, pixel by pixel and then in patches of what is left; the
        pixels beside those found are then judged by themselves, as signals of several pixels have
        a rim.
        """
        scans, patches = self._calibrated(), self._patches()
        found = np.zeros(self.size, bool)
        for first, last, spectra in self.reader.blocks("looking for rare signals", observer):
            residual = self._residual(self.subspace.whiten(spectra), first, last)
            some = scans.exceeded(residual)
            found[first:last] = some.reshape(last - first, -1)
            # Pixels that are found by themselves would be found again in each patch around.
            residual[some | ~self.valid[first:last].reshape(-1)] = 0
            patches.look(first, residual)
        found &= self.valid
        finds = patches.finds()
        near = ndimage.binary_dilation(found, np.ones((3, 3), bool)) & self.valid
        for find in finds:
            found.reshape(-1)[find.pixels] = True
        near |= found
        looks = [
            self._look(scans, finds, first, last, np.flatnonzero(near[first:last]))
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
            parts.append(self._read_residual(line, line + 1)[self.valid[line]])
        residual = np.concatenate(parts)
        sample = residual[:: -(-len(residual) // _SAMPLED_PIXELS)]
        pixels = int(self.valid.sum())
        # Windows are of neighbouring bands, in whatever order the file has them.
        order = np.argsort(self.reader.positions, kind="stable")
        planes = None
        if not self.subspace.is_bands:
            planes = ResidualScan.calibrated(self.subspace.along(sample), pixels)
        bands = ResidualScan.calibrated(sample[:, order], pixels)
        return _Scans(bands, planes, order, self.subspace)

    def _patches(self) -> _Patches:
        """The tests of patches, from those of valid pixels all over the cube."""
        lines, samples = self.size
        order = np.argsort(self.reader.positions, kind="stable")
        subspace = self.subspace
        parts: dict[int, list[Values]] = {side: [] for side in SIDES}
        height = min(max(SIDES), lines)
        for line in spread_lines(lines - height + 1, _SAMPLED_STRIPS):
            residual = self._read_residual(line, line + height).reshape(height, samples, -1)
            valid = self.valid[line : line + height, :, None]
            for side in SIDES:
                if side <= min(height, samples):
                    whole = patch_sums(valid.astype(np.float64), side)[..., 0] > side - 0.5
                    parts[side].append(patch_sums(residual, side)[whole])
        bands, planes = {}, {}
        pixels = int(self.valid.sum())
        for side, found in parts.items():
            sums = np.concatenate(found) if found else np.zeros((0, len(order)))
            sums = sums[:: max(1, -(-len(sums) // _SAMPLED_PIXELS))]
            # Too few for a quantile.
            if len(sums) < _LEAST_PATCHES:
                continue
            bands[side] = ResidualScan.calibrated(sums[:, order], pixels, coloured=True)
            if not subspace.is_bands:
                along = subspace.along(sums)
                planes[side] = ResidualScan.calibrated(along, pixels, coloured=True)
        return _Patches(PatchSearch(bands, samples), PatchSearch(planes, samples), order, subspace)

    def _read_residual(self, first: int, last: int) -> Values:
        """What denoising took from some lines, which are read."""
        return self._residual(self.subspace.whiten(self.reader.read(first, last)[0]), first, last)

    def _residual(self, whitened: Values, first: int, last: int) -> Values:
        """What denoising took from some lines, pixels × live bands."""
        planes = self.planes[:, first:last].reshape(len(self.planes), -1)
        return whitened - self.subspace.across(planes.T.astype(np.float64))

    def _look(
        self,
        scans: _Scans,
        finds: tuple[PatchFinds, PatchFinds],
        first: int,
        last: int,
        places: NDArray[np.int64],
    ) -> _Look:
        """What is the matter with some pixels of a block of lines."""
        pixels = places + first * self.size[1]
        in_bands, in_planes = (find.of(pixels) for find in finds)
        patch = in_bands.any(1)
        whitened = self.subspace.whiten(self.reader.read(first, last)[0])
        residual = self._residual(whitened, first, last)[places]
        whitened = whitened[places]
        coefficients = self.subspace.along(whitened)
        outside = whitened - self.subspace.across(coefficients)
        measured, beyond = scans.unexplained(residual), scans.unexplained(outside)
        measured, beyond = measured | in_bands, beyond | in_bands
        smoothed = scans.taken_by_network(np.where(measured, 0, residual)) | in_planes.any(1)
        faults = scans.lone(residual)
        lone = faults.any(1) & ~smoothed & ~patch
        own = smoothed | (self.subspace.rank + beyond.sum(1) < measured.sum(1))
        own &= ~lone
        measured[own] = beyond[own]
        measured[lone] &= faults[lone]
        return _Look(pixels, measured, lone, own, coefficients.astype(np.float32))


@dataclass(frozen=True)
class _Scans:
    """Tests of residuals, pixels × live bands in the order of the file.

    Attributes:
        bands: by windows of neighbouring bands.
        planes: along the directions of the subspace, where a network took something; None where
            they are the bands.
        order: of the bands, by wavelength.
        subspace: with the directions.
    """

    bands: ResidualScan
    planes: ResidualScan | None
    order: NDArray[np.intp]
    subspace: Subspace

    def exceeded(self, residual: Values) -> NDArray[np.bool_]:
        """Which pixels hold more than noise explains, by the limits of the whole cube."""
        found = self.bands.exceeds(residual[:, self.order])
        if self.planes is not None:
            found |= self.planes.exceeds(self.subspace.along(residual))
        return found

    def unexplained(self, residual: Values) -> NDArray[np.bool_]:
        """Which values are more than noise explains, by the limits of single pixels."""
        taken = np.empty(residual.shape, bool)
        taken[:, self.order] = self.bands.unexplained(residual[:, self.order])
        return taken

    def taken_by_network(self, residual: Values) -> NDArray[np.bool_]:
        """In which pixels a direction of the subspace lost more than noise explains."""
        if self.planes is None:
            return np.zeros(len(residual), bool)
        return np.asarray(self.planes.unexplained(self.subspace.along(residual)).any(1))

    def lone(self, residual: Values) -> NDArray[np.bool_]:
        """Single values, in pixels that hold nothing else unexplained."""
        lone = np.empty(residual.shape, bool)
        lone[:, self.order] = self.bands.lone_values(residual[:, self.order])
        return lone


@dataclass(frozen=True)
class _Patches:
    """Tests of patches of pixels, by bands and along the directions of the subspace.

    Attributes:
        bands: by windows of neighbouring bands.
        planes: along the directions.
        order: of the bands, by wavelength.
        subspace: with the directions.
    """

    bands: PatchSearch
    planes: PatchSearch
    order: NDArray[np.intp]
    subspace: Subspace

    def look(self, first: int, residual: Values) -> None:
        """Test a block of lines, pixels × live bands, 0 where a pixel does not count."""
        single = residual.astype(np.float32)
        self.bands.look(first, single[:, self.order])
        if not self.subspace.is_bands:
            self.planes.look(first, self.subspace.along(residual).astype(np.float32))

    def finds(self) -> tuple[PatchFinds, PatchFinds]:
        """What was found by bands, in the order of the file, and along the directions."""
        bands = self.bands.finds(len(self.order))
        values = np.empty_like(bands.values)
        values[:, self.order] = bands.values
        return PatchFinds(bands.pixels, values), self.planes.finds(self.subspace.rank)


def _fields(look: _Look) -> tuple[NDArray[np.generic], ...]:
    return look.pixels, look.measured, look.lone, look.own, look.coefficients
