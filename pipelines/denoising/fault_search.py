"""Faulty values of a cube, found before its noise is told and its planes are made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...engine.observer import Observer
from ...restoration.accidents import LEAST, Oddities, faults_among, surely_odd
from ...restoration.faults import Faults, residual_scale, residuals
from ...restoration.subspace import Subspace
from .filled_lines import FilledLines

Values = NDArray[np.float64]

# Pixels, and the lines they lie on, from which the scale of the residuals is told.
_SAMPLED_PIXELS, _SAMPLED_LINES = 4096, 64
# From so many bands on, neighbours see the same lines.
_FEWEST_BANDS = 10


def find_faults(reader: FilledLines, subspace: Subspace, observer: Observer) -> Faults | None:
    """The values of a cube that are alone in what they say; None if there are none.

    Args:
        reader: of the noisy cube, without what was found before.
        subspace: of its live bands.
        observer: hears of the progress.
    """
    lines, samples, _ = reader.cube.shape
    bands = len(reader.live)
    if bands < _FEWEST_BANDS:
        return None
    order = np.argsort(reader.positions, kind="stable")
    limit = surely_odd(lines * samples * bands)
    scale = _scale(reader, subspace, limit)
    found = []
    for first, last, spectra in reader.blocks("looking for faults", observer):
        rest = residuals(subspace, subspace.whiten(spectra), scale, limit)
        rest[~reader.damage.valid[first:last].ravel()] = 0
        found.append(_odd(rest[:, order], first, samples))
    odd = Oddities(
        np.concatenate([each.places for each in found], 1),
        np.concatenate([each.size for each in found]),
        np.concatenate([each.wings for each in found]),
    )
    line, sample, place = odd.places[:, faults_among(odd, (lines, samples, bands))]
    if not line.size:
        return None
    return Faults(np.sort((line * samples + sample) * bands + order[place]), subspace)


def _scale(reader: FilledLines, subspace: Subspace, limit: float) -> Values:
    """Standard deviation of the noise of each whitened band, whatever strikes a few values."""
    lines = reader.cube.shape[0]
    parts = []
    for line in np.unique(np.linspace(0, lines - 1, min(lines, _SAMPLED_LINES)).astype(int)):
        whitened = subspace.whiten(reader.read(line, line + 1)[0])
        parts.append(whitened[reader.damage.valid[line]])
    whitened = np.concatenate(parts)
    sample = whitened[:: -(-len(whitened) // _SAMPLED_PIXELS)]
    scale = np.ones(sample.shape[1])
    # The first is far too large where faults are many and strong.
    for _ in range(3):
        scale = scale * residual_scale(residuals(subspace, sample, scale, limit))
    return scale


def _odd(rest: Values, first_line: int, samples: int) -> Oddities:
    """The odd values of residuals, pixels × bands in the order of wavelengths."""
    pixel, band = np.nonzero(np.abs(rest) > LEAST)
    line, sample = np.divmod(pixel, samples)
    padded = np.pad(rest, ((0, 0), (1, 1)))
    wings = (padded[pixel, band] + padded[pixel, band + 2]) / np.sqrt(2)
    return Oddities(np.stack([line + first_line, sample, band]), rest[pixel, band], wings)
