"""Faulty values of a cube, found before its noise is estimated and its planes are made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....engine.observer import Observer
from ....restoration.accidents import LEAST, Oddities, faults_among, surely_odd
from ....restoration.band_noise import band_moments, noise_by_regression
from ....restoration.cube_lines import line_blocks, spread_lines
from ....restoration.faults import Faults, predicted, residual_scale, residuals
from ....restoration.subspace import Subspace, fit_subspace
from .filled_lines import FilledLines
from .surroundings import LessSurroundings, in_calm_places, stand_apart

Values = NDArray[np.float64]

# Pixels, and the lines they lie on, from which the scale of the residuals is estimated.
_SAMPLED_PIXELS, _SAMPLED_LINES = 4096, 64
# From so many bands on, each is predicted from the others; fewer than the least predict nothing.
_MANY_BANDS, _FEWEST_BANDS = 10, 3


class FaultSearch:
    """A search for values that are alone in what they say.

    A value is predicted from the other bands; of few bands, this is so for what differs
    from the pixels around. It is learnt at once, with the faults filled that the reader knows; the
    search itself wants a reader that fills none.
    """

    def __init__(self, reader: FilledLines, subspace: Subspace, observer: Observer) -> None:
        self.reader = reader
        self.source: FilledLines | LessSurroundings = reader
        self.subspace: Subspace | None = subspace
        if len(reader.live) < _MANY_BANDS:
            self.source = LessSurroundings(reader)
            enough = len(reader.live) >= _FEWEST_BANDS
            self.subspace = _subspace(self.source, observer) if enough else None

    def find(self, observer: Observer) -> Faults | None:
        """The faults of the cube; None if there are none."""
        if self.subspace is None:
            return None
        lines, samples, _ = self.reader.cube.shape
        bands = len(self.reader.live)
        order = np.argsort(self.reader.positions, kind="stable")
        limit = surely_odd(lines * samples * bands)
        scale = self._scale(self.subspace, limit)
        found = []
        for first, last, spectra in self.source.blocks("looking for faults", observer):
            rest = residuals(self.subspace, self.subspace.whiten(spectra), scale, limit)
            rest[~self.reader.damage.valid[first:last].ravel()] = 0
            if self.source is not self.reader:
                rest = in_calm_places(rest, samples)
            found.append(odd_values(rest[:, order], first, samples))
        odd = Oddities.joined(found)
        faults = faults_among(odd, (lines, samples, bands))
        if self.source is not self.reader:
            faults &= stand_apart(odd.size)
        line, sample, place = odd.places[:, faults]
        if not line.size:
            return None
        places = np.sort((line * samples + sample) * bands + order[place])
        return Faults(places, self._predicted(self.subspace, places))

    def _predicted(self, subspace: Subspace, places: NDArray[np.int64]) -> Values:
        """What should stand in places (ascending), without a look at any of them."""
        _, samples, _ = self.reader.cube.shape
        bands = len(self.reader.live)
        expected = np.empty(len(places))
        for first, last in line_blocks(self.reader.cube.shape):
            some = slice(*np.searchsorted(places, np.array([first, last]) * samples * bands))
            if some.start == some.stop:
                continue
            pixel, band = np.divmod(places[some] - first * samples * bands, bands)
            rows, row = np.unique(pixel, return_inverse=True)
            faulty = np.zeros((len(rows), bands), bool)
            faulty[row, band] = True
            spectra = self.source.read(first, last)[0][rows]
            should = predicted(subspace, subspace.whiten(spectra), faulty)
            wrong = spectra - (should * subspace.scale + subspace.mean)
            values = spectra
            if self.source is not self.reader:
                values = self.reader.read(first, last)[0][rows]
            expected[some] = (values - wrong)[row, band]
        return expected

    def _scale(self, subspace: Subspace, limit: float) -> Values:
        """Standard deviation of the noise of each whitened band, whatever strikes a few values."""
        lines = self.reader.cube.shape[0]
        parts = []
        for line in spread_lines(lines, _SAMPLED_LINES):
            whitened = subspace.whiten(self.source.read(line, line + 1)[0])
            parts.append(whitened[self.reader.damage.valid[line]])
        whitened = np.concatenate(parts)
        sample = whitened[:: -(-len(whitened) // _SAMPLED_PIXELS)]
        scale = np.ones(sample.shape[1])
        # The first is far too large where faults are many and strong.
        for _ in range(3):
            scale = scale * residual_scale(residuals(subspace, sample, scale, limit))
        return scale


def _subspace(source: LessSurroundings, observer: Observer) -> Subspace | None:
    """The subspace of what the surroundings do not predict; None if nothing of a band."""
    moments = band_moments(source.spectra(observer))
    if not (np.diag(moments.scatter) > 0).all():
        return None
    return fit_subspace(moments, noise_by_regression(moments))


def odd_values(rest: Values, first_line: int, samples: int) -> Oddities:
    """The odd values of residuals, pixels × bands in the order of wavelengths."""
    pixel, band = np.nonzero(np.abs(rest) > LEAST)
    line, sample = np.divmod(pixel, samples)
    padded = np.pad(rest, ((0, 0), (1, 1)))
    wings = (padded[pixel, band] + padded[pixel, band + 2]) / np.sqrt(2)
    return Oddities(np.stack([line + first_line, sample, band]), rest[pixel, band], wings)
