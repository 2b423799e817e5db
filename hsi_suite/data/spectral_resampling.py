"""A spectrum at its own wavelengths as the bands of a scene would have measured it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from .field_spectra import FieldSpectrum
from .formats.reading_guard import quiet_libraries

# Less than this share of the bands measured, and what is asked for is mostly invented.
LEAST_COVERED = 0.9
GAP = 3.0
"""A step so many times as wide as those around it is a gap, over which nothing is known."""
_AROUND = 5

Values = NDArray[np.float64]


@dataclass(frozen=True)
class ResampledSpectrum:
    """A spectrum in the bands of a scene.

    Attributes:
        values: reflectance 0 … 1 in each band; NaN in those that were not measured.
        remark: how it was made, in words for the user.
    """

    values: Values
    remark: str

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which bands have a value."""
        return ~np.isnan(self.values)


def resample(spectrum: FieldSpectrum, centres: Values) -> ResampledSpectrum:
    """The spectrum as bands of Gaussian response would have measured it.

    The widths of the bands, at half of their response, are the distances of their centres. Nothing
    is extrapolated, nor interpolated over gaps: bands outside what was measured stay NaN.

    Args:
        spectrum: what was measured.
        centres: of the bands, in nm, in any order.

    Raises:
        InputFileError: the wavelengths do not overlap, or less than `LEAST_COVERED` of the bands
            were measured.
    """
    from spectral import BandResampler

    measured = spectrum.wavelengths
    low, high = float(centres.min()), float(centres.max())
    theirs = f"{measured[0]:.0f} to {measured[-1]:.0f} nm"
    if measured[-1] < low or measured[0] > high:
        raise InputFileError(
            spectrum.path,
            f"was measured from {theirs}, which nowhere overlaps with the bands",
            f"{low:.0f} to {high:.0f} nm, the bands of the scene that the model learnt from",
        )
    widths = band_widths(centres)
    with quiet_libraries(), np.errstate(divide="ignore", invalid="ignore"):
        resampler = BandResampler(measured, centres, band_widths(measured), widths)
        values = np.asarray(resampler(spectrum.reflectance), dtype=np.float64)
    values[(centres < measured[0]) | (centres > measured[-1])] = np.nan
    covered = int((~np.isnan(values)).sum())
    if covered < LEAST_COVERED * len(centres):
        raise InputFileError(
            spectrum.path,
            f"has {len(measured)} wavelengths from {theirs}, which tell {covered} of the "
            f"{len(centres)} bands",
            f"at least {100 * LEAST_COVERED:.0f} % of the bands from {low:.0f} to {high:.0f} nm",
            "nothing is made up beyond them or in gaps between them: measure the rest, or leave "
            "bands of the scene out (--bands; of a run, when it is trained)",
        )
    remark = (
        f"resampled from {len(measured)} wavelengths, {theirs}, to {len(centres)} bands, "
        f"{low:.0f} to {high:.0f} nm; their widths are taken from their spacing, "
        f"{np.median(widths):.1f} nm"
    )
    return ResampledSpectrum(values, remark)


def band_widths(centres: Values) -> Values:
    """Full width at half maximum of each band in nm: the mean distance to its neighbours.

    Steps over gaps (removed water bands) and back (where the next spectrometer of a sensor
    begins) do not count.

    Args:
        centres: in nm, in the order of the bands.
    """
    steps = np.diff(centres)
    if np.median(steps) < 0:
        steps = -steps
    forward = steps > 0
    if not forward.any():
        return np.full(len(centres), 1.0)
    typical = typical_steps(steps, forward)
    good = forward & (steps <= GAP * typical)
    total, count = np.zeros(len(centres)), np.zeros(len(centres))
    for side in (slice(None, -1), slice(1, None)):
        total[side] += np.where(good, steps, 0)
        count[side] += good
    lonely = count == 0
    nearest = np.concatenate([typical[:1], typical])
    return np.where(lonely, nearest, total / np.maximum(count, 1))


def typical_steps(steps: Values, forward: NDArray[np.bool_]) -> Values:
    """Of each step between bands the median of the forward ones around it."""
    return np.array([_median_around(steps, forward, at) for at in range(len(steps))])


def _median_around(steps: Values, forward: NDArray[np.bool_], at: int) -> float:
    near = slice(max(0, at - _AROUND), at + _AROUND + 1)
    chosen = steps[near][forward[near]]
    return float(np.median(chosen if len(chosen) else steps[forward]))
