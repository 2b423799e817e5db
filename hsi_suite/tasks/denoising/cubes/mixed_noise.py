"""The robust first stage of mode "robust": noise, subspace and faults, each by what the others say.

Stuck values are found first, by how often they repeat. Then, round after round: the holes are
filled by what the subspace predicts from the other bands (the expectation step of a factor model
with missing values, Tipping and Bishop, JRSS B 1999), noise and subspace are estimated from the
filled spectra, and what these do not predict is searched for stripes and odd values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ....engine.observer import Observer
from ....errors import ShapeError
from ....restoration.accidents import Oddities, surely_odd
from ....restoration.band_noise import BandMoments, band_moments, noise_by_regression
from ....restoration.cube_lines import CubeLines, line_blocks, spread_lines
from ....restoration.damage import Damage
from ....restoration.faults import residual_scale, residuals
from ....restoration.impulses import impulses_among
from ....restoration.repairs import Repairs
from ....restoration.stripes import StripeSums
from ....restoration.stuck_values import find_stuck
from ....restoration.subspace import Subspace, fit_subspace
from .fault_search import odd_values
from .mended_lines import MendedLines

Values = NDArray[np.float64]

# Fewer do not predict each other.
FEWEST_BANDS = 10
# At most; and the share of what was found that another may bring at the end.
_ROUNDS, _NEAR = 4, 0.02
# Residuals count for stripes up to so many standard deviations, round by round: at first a stripe
# may be strong, later it is nearly gone and other faults are in the way.
_CLIPS = (30.0, 6.0, 3.0)
# Pixels, and the lines they lie on, from which the scale of the residuals is estimated.
_SAMPLED_PIXELS, _SAMPLED_LINES = 4096, 64
# Of the pixels: a band of which less is left keeps the noise that this much shows.
_LEAST_LEFT = 0.05


class MixedNoise:
    """The search for noise and faults of a cube.

    Args:
        cube: what is denoised.
        damage: what of it cannot be used.
        positions: of all bands, for interpolation.
        given: σ of each live band; None estimates it.

    Attributes:
        reader: of the mended cube.
        moments: of its spectra, with the noise that filled values lack.
        noise: σ of each live band, in the units of the cube.

    Raises:
        ShapeError: fewer than `FEWEST_BANDS` live bands.
    """

    def __init__(
        self, cube: CubeLines, damage: Damage, positions: Values, given: Values | None
    ) -> None:
        live = damage.live_bands
        if len(live) < FEWEST_BANDS:
            raise ShapeError(
                "cube",
                f"{len(live)} bands in use",
                f'at least {FEWEST_BANDS} for mode "robust", which predicts each from the others',
                "take the mode subspace, with repair",
            )
        stuck = find_stuck(cube, damage)
        self.reader = MendedLines(
            cube, damage, positions, Repairs.of_stuck(stuck, live, cube.shape)
        )
        self.given = given
        self.moments: BandMoments
        self.noise: Values

    def settle(self, observer: Observer) -> None:
        """Search until nothing more is found, some rounds at most."""
        for turn in range(_ROUNDS):
            self._measure(observer)
            if self.moments.count <= len(self.noise):
                return
            subspace = fit_subspace(self.moments, self.noise)
            before = self.reader.repairs
            self.reader.repairs = self._searched(subspace, _CLIPS[min(turn, 2)], observer)
            self.reader.subspace = subspace
            holes = bool(self.reader.missing_values or before.stuck)
            if not holes and not self.reader.repairs:
                return
            # Holes are filled better in each round.
            if not holes and turn and _near(before, self.reader.repairs):
                break
        self._measure(observer)

    def _measure(self, observer: Observer) -> None:
        """Moments and noise of the filled spectra.

        What was filled has no noise of its own. So the noise of a band is spread over the values
        that were not, and goes back into the moments, in which it is that of single bands.
        """
        filled = np.zeros(len(self.reader.live), np.int64)

        def spectra() -> Iterator[Values]:
            self.reader.missing_values = 0
            observer.begin("measuring the noise", self.reader.cube.shape[0])
            for first, last in line_blocks(self.reader.cube.shape):
                block, faulty, missing = self.reader.filled(first, last)
                self.reader.missing_values += missing
                valid = self.reader.damage.valid[first:last].ravel()
                np.add(filled, faulty[valid].sum(0), out=filled)
                yield block[valid]
                observer.advance(last - first)
            observer.end()

        moments = band_moments(spectra())
        if self.given is None:
            left = np.maximum(1 - filled / moments.count, _LEAST_LEFT)
            self.noise = noise_by_regression(moments) / np.sqrt(left)
        else:
            self.noise = self.given
        repairs = self.reader.repairs
        stuck = int(filled.sum()) - self.reader.missing_values - len(repairs.odd)
        self.reader.repairs = replace(repairs, stuck_values=stuck)
        scatter = moments.scatter + np.diag(filled * self.noise**2)
        self.moments = replace(moments, scatter=scatter)

    def _searched(self, subspace: Subspace, clip: float, observer: Observer) -> Repairs:
        """Stripes and odd values in what the subspace does not predict."""
        reader = self.reader
        lines, samples, _ = reader.cube.shape
        bands = len(reader.live)
        shape = (lines, samples, bands)
        order = np.argsort(reader.positions, kind="stable")
        limit = surely_odd(lines * samples * bands)
        scale, caution = self._scale(subspace, limit)
        columns, rows = StripeSums(shape), StripeSums(shape, along_lines=True)
        found = []
        observer.begin("looking for stripes and odd values", lines)
        for first, last in line_blocks(reader.cube.shape):
            spectra, faulty, _ = reader.unfilled(first, last)
            rest = residuals(subspace, subspace.whiten(spectra), scale, limit, faulty)
            usable = reader.damage.valid[first:last].reshape(-1, 1) & ~faulty
            rest[~usable] = 0
            block = (last - first, samples, bands)
            clipped = rest.clip(-clip, clip).reshape(block)
            for sums in (columns, rows):
                sums.add(clipped, usable.reshape(block), first)
            found.append(odd_values(rest[:, order], first, samples))
            observer.advance(last - first)
        observer.end()
        odd = Oddities.joined(found)
        line, sample, place = odd.places[:, impulses_among(odd, shape, caution[order])]
        unit = scale * subspace.scale
        return replace(
            reader.repairs,
            odd=np.sort((line * samples + sample) * bands + order[place]),
            columns=columns.offsets(reader.repairs.columns / unit) * unit,
            lines=rows.offsets(reader.repairs.lines / unit) * unit,
        )

    def _scale(self, subspace: Subspace, limit: float) -> tuple[Values, Values]:
        """Standard deviation of the noise of each whitened band, whatever strikes half of it.

        And by how much more it is if no more than a tenth is struck, and the rest a tail of noise.
        """
        parts, holes = [], []
        lines = spread_lines(self.reader.cube.shape[0], _SAMPLED_LINES)
        chosen = self.reader.damage.valid[lines]
        step = -(-int(chosen.sum()) // _SAMPLED_PIXELS)
        for line, valid in zip(lines, chosen, strict=True):
            spectra, faulty, _ = self.reader.unfilled(line, line + 1)
            parts.append(subspace.whiten(spectra[valid][::step]))
            holes.append(faulty[valid][::step])
        sample, faulty = np.concatenate(parts), np.concatenate(holes)
        scale = wide = np.ones(sample.shape[1])
        # The first is far too large where faults are many and strong.
        for _ in range(3):
            rest = residuals(subspace, sample, scale, limit, faulty)
            rest = np.where(faulty, np.nan, rest)
            wide = scale * residual_scale(rest)
            scale = scale * residual_scale(rest, up_to_half=True)
        return scale, wide / scale


def _near(first: Repairs, second: Repairs) -> bool:
    """Whether two searches found nearly as many faults."""
    return all(
        abs(old - new) <= _NEAR * new
        for old, new in zip(*map(_found, (first, second)), strict=True)
    )


def _found(repairs: Repairs) -> tuple[int, int, int]:
    """How many odd values, columns and lines."""
    columns, lines = np.count_nonzero(repairs.columns), np.count_nonzero(repairs.lines)
    return repairs.odd.size, int(columns), int(lines)
