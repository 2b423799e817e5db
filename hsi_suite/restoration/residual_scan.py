"""What of a residual noise does not explain: tests over windows of neighbouring bands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Chance that white noise exceeds a limit anywhere in a cube; or, in the second look, in a pixel.
_ERROR_RATE = 0.025
# Pixels whose windows are looked at together.
_CHUNK = 2048
# Of the sampled energies: rare signals are fewer than the rest.
_MIDDLE, _HIGH = 0.5, 0.9
# Standard deviations beyond which a value may be a fault, and one beside it speaks against that.
_LOUD = 3.0
# Squares beyond this drown others in sums of float64.
_LARGEST = 1e9


@dataclass(frozen=True)
class ResidualScan:
    """Sums of squares of whitened residuals in windows of bands, against what noise gives.

    In a window of w bands white noise of variance 1 gives χ² with w degrees of freedom. Windows
    of 1, 2, 4, … bands, each moved by half its width, and the whole spectrum find a signal in one
    band as well as one in all. Where the middle of the cube has more (noise of other strength
    than was estimated, or that depends on the signal), the limit rises with it.

    Attributes:
        first: of each window, the first band.
        last: the band after its last.
        inflation: of each window, what the limits of white noise are multiplied by; at least 1,
            but for sums over patches.
        pixels: number of pixels that are tested.
    """

    first: NDArray[np.intp]
    last: NDArray[np.intp]
    inflation: Values
    pixels: int

    @classmethod
    def calibrated(cls, sample: Values, pixels: int, *, coloured: bool = False) -> ResidualScan:
        """The tests for the cube that a sample of residuals comes from.

        Median and 90 % quantile of the sample stand for the noise, on the scale of the cube root,
        on which χ² is nearly normal (Wilson and Hilferty, PNAS 1931).

        Args:
            sample: residuals of pixels from all over the cube, pixels × bands, bands in the order
                of their wavelengths.
            pixels: number of pixels in the cube that are tested.
            coloured: the limits may also fall: a denoiser takes less of what is alike side by
                side, so that sums over patches of pixels vary less than those of white noise.
        """
        first, last = _windows(sample.shape[1])
        width = last - first
        # Quantiles of what lies side by side in memory take half the time.
        roots = np.ascontiguousarray(np.cbrt(_energies(sample, first, last) / width).T)
        middle, high = np.quantile(roots, [_MIDDLE, _HIGH], axis=1)
        plain = [np.cbrt(stats.chi2.ppf(share, width) / width) for share in (_MIDDLE, _HIGH)]
        shift = middle - plain[0] if coloured else np.maximum(middle - plain[0], 0)
        spread = np.maximum((high - middle) / (plain[1] - plain[0]), 1)
        limit = np.cbrt(stats.chi2.isf(_ERROR_RATE / (pixels * len(width)), width) / width)
        raised = plain[0] + shift + (limit - plain[0]) * spread
        return cls(first, last, (raised / limit) ** 3, pixels)

    @cached_property
    def limits(self) -> Values:
        """Of each window: exceeded by noise anywhere in one cube of forty."""
        return self._limits(self.pixels)

    @cached_property
    def near_limits(self) -> Values:
        """Of each window: exceeded by noise in one pixel of forty; for those beside signals."""
        return self._limits(1)

    def _limits(self, pixels: int) -> Values:
        width = self.last - self.first
        plain = stats.chi2.isf(_ERROR_RATE / (pixels * len(width)), width)
        limits: Values = plain * self.inflation
        return limits

    def exceeds(self, residual: NDArray[np.floating]) -> Mask:
        """Which pixels (of pixels × bands) hold more than noise explains; in the type of these."""
        found = np.zeros(len(residual), bool)
        runs = _runs(self.first, self.last)
        for start in range(0, len(residual), _CHUNK):
            part = slice(start, start + _CHUNK)
            # Bands by pixels: windows of one width are then slices of what lies side by side.
            sums = np.zeros((residual.shape[1] + 1, len(residual[part])), residual.dtype)
            squares = np.square(residual[part].T, order="C")
            np.cumsum(np.minimum(squares, _LARGEST, out=squares), axis=0, out=sums[1:])
            for some, lower, upper in runs:
                energies = sums[upper] - sums[lower]
                found[part] |= (energies > self.limits[some, None]).any(0)
        return found

    def unexplained(self, residual: Values) -> Mask:
        """Which values (pixels × bands) are more than noise explains, by the nearer limits.

        Window after window is taken out of a pixel, the least likely first, until noise explains
        the rest.
        """
        taken = np.zeros(residual.shape, bool)
        for start in range(0, len(residual), _CHUNK):
            part = slice(start, start + _CHUNK)
            self._take(residual[part], taken[part])
        return taken

    def lone_values(self, residual: Values) -> Mask:
        """Values (pixels × bands) that are all that noise does not explain of a pixel.

        Spectrometers see even the narrowest line in more than one of their bands, so that these
        are faults: hot or dead elements, hits by particles, errors of transmission.
        """
        beside = np.zeros((2, *residual.shape))
        beside[0, :, 1:], beside[1, :, :-1] = residual[:, :-1], residual[:, 1:]
        # Of a line both wings have its sign.
        beside *= np.sign(residual)
        winged = (beside > _LOUD).any(0) | (beside.sum(0) > _LOUD * np.sqrt(2))
        lone = (np.abs(residual) > _LOUD) & ~winged
        rest = self.unexplained(np.where(lone, 0, residual))
        found: Mask = lone & ~rest.any(1, keepdims=True) & (lone.sum(1, keepdims=True) == 1)
        return found

    def _take(self, residual: Values, taken: Mask) -> None:
        width = self.last - self.first
        bands = np.arange(residual.shape[1])
        rows = np.arange(len(residual))
        while rows.size:
            rest = np.where(taken[rows], 0, residual[rows])
            energies = _energies(rest, self.first, self.last)
            over = energies > self.near_limits
            some = over.any(1)
            rows, energies, over = rows[some], energies[some], over[some]
            # Chernoff's exponent of χ²: what is least likely, without underflow.
            ratio = np.maximum(energies / (width * self.inflation), 1)
            unlikely = np.where(over, width * (ratio - 1 - np.log(ratio)), -1)
            best = unlikely.argmax(1)
            inside = (bands >= self.first[best][:, None]) & (bands < self.last[best][:, None])
            taken[rows] |= inside


def _windows(bands: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first, last = [], []
    width = 1
    while width < bands:
        starts = np.arange(0, bands - width + 1, max(1, width // 2))
        if starts[-1] != bands - width:
            starts = np.append(starts, bands - width)
        first.append(starts)
        last.append(starts + width)
        width *= 2
    return np.concatenate([*first, [0]]), np.concatenate([*last, [bands]])


def _runs(first: NDArray[np.intp], last: NDArray[np.intp]) -> list[tuple[slice, slice, slice]]:
    """Windows of one width and step: which they are, where they begin and where they end."""
    runs = []
    start = 0
    while start < len(first):
        stop = start + 1
        step = first[stop] - first[start] if stop < len(first) else 1
        while (
            stop < len(first)
            and last[stop] - first[stop] == last[start] - first[start]
            and first[stop] - first[stop - 1] == step
        ):
            stop += 1
        step = int(step) if stop - start > 1 else 1
        lower, upper = (
            slice(int(ends[start]), int(ends[stop - 1]) + 1, step) for ends in (first, last)
        )
        runs.append((slice(start, stop), lower, upper))
        start = stop
    return runs


def _energies(residual: Values, first: NDArray[np.intp], last: NDArray[np.intp]) -> Values:
    sums = np.zeros((len(residual), residual.shape[1] + 1))
    np.cumsum(np.minimum(residual**2, _LARGEST), axis=1, out=sums[:, 1:])
    energies: Values = sums[:, last] - sums[:, first]
    return energies
