"""Spectra of one sensor as the bands of another would have measured them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError
from .band_matching import Centres, KnownBands
from .spectral_resampling import GAP, band_widths, typical_steps

# Full width at half maximum of a Gaussian of standard deviation 1: 2 √(2 ln 2).
_FWHM = 2.3548200450309493
# Where a response is summed: so many deviations on each side, so many places.
_REACH, _PLACES = 3.0, 61


@dataclass(frozen=True)
class Resampling:
    """How the bands of a scene make those that a model learnt.

    Attributes:
        matrix: given bands × learnt bands; each column sums to 1.
        moved: nm from each learnt band to the nearest given one.
        remark: how it was done, in words.
    """

    matrix: NDArray[np.float64]
    moved: Centres
    remark: str


def resampling_between(name: str, given: KnownBands, learnt: KnownBands) -> Resampling:
    """The linear map from the bands of a scene to those that a model learnt.

    Spectra are taken as linear between the centres of the given bands. Where the widths of the
    learnt bands are known, each is the mean under a Gaussian whose width makes up the difference
    to the nearest given band: widths (FWHM) of Gaussian responses add in squares. Bands no wider
    than the given ones, and those of unknown width, are interpolated. Given widths that are
    unknown are taken from the spacing.

    Args:
        name: of the scene, for messages.
        given: its bands, in any order.
        learnt: those of the model, in any order.

    Raises:
        ShapeError: wavelengths are unknown, do not overlap, or learnt bands lie outside of what
            the scene measures or in its gaps.
    """
    if given.wavelengths is None or learnt.wavelengths is None:
        whose = name if given.wavelengths is None else "the model's training scene"
        raise ShapeError("--resample", f"{whose} has no wavelengths", "wavelengths on both sides")
    centres, wanted = given.wavelengths, learnt.wavelengths
    _check_covered(name, np.unique(centres), wanted)
    nearest = np.abs(wanted[:, None] - centres).argmin(1)
    moved = np.abs(centres[nearest] - wanted)
    how = "linear interpolation, as the widths of the training bands are unknown"
    deviations = np.zeros(len(wanted))
    if learnt.fwhm is not None:
        widths = band_widths(centres) if given.fwhm is None else given.fwhm
        deviations = np.sqrt(np.maximum(learnt.fwhm**2 - widths[nearest] ** 2, 0)) / _FWHM
        how = f"Gaussian response, {np.median(learnt.fwhm):.1f} nm wide in the median"
        if given.fwhm is None:
            how += "; the scene's own widths are taken from their spacing"
    matrix = np.stack(
        [_weights(centres, float(c), float(d)) for c, d in zip(wanted, deviations, strict=True)],
        axis=1,
    )
    remark = (
        f"resampled from {len(centres)} bands to the {len(wanted)} that the model learnt, by {how};"
        f" bands moved by at most {moved.max():.1f} nm, {np.median(moved):.1f} nm in the median"
    )
    return Resampling(matrix, moved, remark)


def _check_covered(name: str, centres: Centres, wanted: Centres) -> None:
    """Refuse learnt bands where nothing is measured; `centres` rise."""
    span = f"{centres[0]:.0f} to {centres[-1]:.0f} nm"
    theirs = f"{wanted.min():.0f} to {wanted.max():.0f} nm"
    if wanted.max() < centres[0] or wanted.min() > centres[-1]:
        raise ShapeError(
            name, f"bands from {span}, which nowhere overlap with those learnt", f"{theirs}"
        )
    steps = np.diff(centres)
    typical = typical_steps(steps, steps > 0)
    # Half a step beyond the ends is what the outermost bands see.
    edges = (typical[0], typical[-1]) if len(steps) else (0.0, 0.0)
    out = (wanted < centres[0] - edges[0] / 2) | (wanted > centres[-1] + edges[1] / 2)
    place = np.clip(np.searchsorted(centres, wanted) - 1, 0, max(0, len(steps) - 1))
    if len(steps):
        apart = np.abs(wanted[:, None] - centres).min(1)
        out |= (steps[place] > GAP * typical[place]) & (apart > typical[place])
    if out.any():
        raise ShapeError(
            name,
            f"measures nothing at {int(out.sum())} of the {len(wanted)} bands learnt (the first at "
            f"{wanted[out][0]:.0f} nm), from {span}",
            "all of them: nothing is invented",
            "train with --bands on those that both scenes have, or with --drop-water",
        )


def _weights(centres: Centres, wanted: float, deviation: float) -> Centres:
    """What each band adds to one wanted band."""
    order = np.argsort(centres, kind="stable")
    rising = centres[order]
    offsets = np.linspace(-_REACH, _REACH, _PLACES) if deviation > 0 else np.zeros(1)
    response = np.exp(-0.5 * offsets**2)
    places = np.clip(wanted + deviation * offsets, rising[0], rising[-1])
    upper = np.clip(np.searchsorted(rising, places), 1, max(1, len(rising) - 1))
    weights = np.zeros(len(centres))
    if len(rising) == 1:
        weights[0] = 1.0
        return weights
    low, high = rising[upper - 1], rising[upper]
    span = np.where(high > low, high - low, 1.0)
    share = np.where(high > low, (places - low) / span, 0.5)
    np.add.at(weights, order[upper - 1], response * (1 - share))
    np.add.at(weights, order[upper], response * share)
    return np.asarray(weights / response.sum())
