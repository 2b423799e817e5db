"""Dead bands, dead lines and missing values of a cube: found, and filled from other bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError, ShapeError
from .cube_lines import CubeLines, line_blocks

LARGEST_VALUE = 1e12
"""No spectrometer gives more, and arithmetic could not square it."""

# Fewer equal values side by side happen in healthy data.
# Of fewer bands equal values mean nothing: two noisy ones agree in every tenth pixel.
_FEWEST_TELLING = 10
_SHORTEST_DEAD_LINE = 8

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Damage:
    """What of a cube cannot be used; positions are counted from 0.

    Attributes:
        valid: lines × samples, False where a pixel holds no spectrum: excluded by the user, the
            same value or no number in every band, or more than half of the live bands missing.
        dead_bands: bands without a number, or with one value everywhere.
        dead_lines: lines × bands, True where a line of a band holds one value or no number.
        dead_samples: samples × bands, the same of a column of samples, as a dead detector of a
            push-broom sensor leaves it.
        nodata: the value that marks missing values beside NaN and infinity; None: there is none.
        marked: those of the dead bands that are so because somebody says so.
    """

    valid: Mask
    dead_bands: tuple[int, ...]
    dead_lines: Mask
    dead_samples: Mask
    nodata: float | None = None
    marked: tuple[int, ...] = ()

    @property
    def live_bands(self) -> NDArray[np.intp]:
        """The bands that are not dead."""
        return np.setdiff1d(np.arange(self.dead_lines.shape[1]), self.dead_bands)

    def missing(self, block: NDArray[Any], first_line: int) -> Mask:
        """Which values of a block of lines cannot be used although their pixel is valid.

        Args:
            block: lines × samples × bands, from line `first_line` on.
            first_line: of the block in the cube.

        Returns:
            lines × samples × bands; all True in dead bands.
        """
        lines = slice(first_line, first_line + len(block))
        missing = ~present_values(block, self.nodata)
        missing |= self.dead_lines[lines, None] | self.dead_samples
        missing[..., list(self.dead_bands)] = True
        missing &= self.valid[lines, :, None]
        return missing


def find_damage(
    cube: CubeLines,
    valid: Mask | None = None,
    nodata: float | None = None,
    marked: Sequence[int] = (),
) -> Damage:
    """Look through a cube once for what cannot be used.

    Args:
        cube: at least two bands.
        valid: lines × samples, False where a pixel is to be left alone; None: nowhere.
        nodata: the value that marks missing values; None: NaN and infinity alone.
        marked: bands to take for dead, whatever they hold; nothing is learnt from them.

    Raises:
        ShapeError: a single band, or a mask of another size.
        InputFileError: no pixel holds a spectrum, or fewer than two bands vary.
    """
    lines, samples, bands = cube.shape
    if bands < 2:
        raise ShapeError("cube", "a single band", "at least 2", "denoise it as a grey image")
    if valid is None:
        valid = np.ones((lines, samples), bool)
    if valid.shape != (lines, samples):
        raise ShapeError("valid", f"shape {valid.shape}", f"the cube's, {lines} × {samples}")
    line_limits = np.empty((2, lines, bands))
    sample_limits = np.stack([np.full((samples, bands), side) for side in (np.inf, -np.inf)])
    held = np.empty((lines, samples), np.int32)
    for first, last in line_blocks(cube.shape):
        block = cube.read(first, last)
        present = present_values(block, nodata)
        present[..., list(marked)] = False
        present &= (valid[first:last] & _varied(block, present))[..., None]
        held[first:last] = present.sum(2)
        low, high = np.where(present, block, np.inf), np.where(present, block, -np.inf)
        line_limits[:, first:last] = low.min(1), high.max(1)
        np.minimum(sample_limits[0], low.min(0), out=sample_limits[0])
        np.maximum(sample_limits[1], high.max(0), out=sample_limits[1])
    damage = _judge(held, line_limits, sample_limits, nodata)
    return replace(damage, marked=tuple(map(int, marked)))


def present_values(block: NDArray[Any], nodata: float | None) -> Mask:
    """Where values are numbers and not the one that marks missing ones."""
    present: Mask = np.isfinite(block)
    if nodata is not None:
        # Beyond float32, as GDAL's -1.8e308 is, it becomes infinity, which is missing as well.
        with np.errstate(over="ignore"):
            present &= block != np.asarray(nodata).astype(np.result_type(block, np.float32))
    return present


def _varied(block: NDArray[Any], present: Mask) -> Mask:
    """Where a pixel's usable values are not all one, as they are outside a swath.

    In few bands a grey pixel may well have equal values, unless they are all 0.
    """
    low = np.where(present, block, np.inf).min(2)
    varied: Mask = np.where(present, block, -np.inf).max(2) > low
    if block.shape[2] < _FEWEST_TELLING:
        varied |= (low != 0) & present.any(2)
    return varied


def _judge(
    held: NDArray[np.int32],
    line_limits: NDArray[np.float64],
    sample_limits: NDArray[np.float64],
    nodata: float | None,
) -> Damage:
    """The damage that the lowest and highest values of lines, columns and bands show."""
    used = held > 0
    if not used.any():
        raise InputFileError(
            "cube", "no pixel holds a spectrum: every one is one value or no number", "data"
        )
    largest = max(float(line_limits[1].max()), -float(line_limits[0].min()))
    if largest > LARGEST_VALUE:
        raise InputFileError(
            "cube",
            f"values up to {largest:.3g}",
            f"spectra of at most {LARGEST_VALUE:.0e}",
            "mark missing pixels with --nodata VALUE",
        )
    dead = line_limits[1].max(0) <= line_limits[0].min(0)
    if (~dead).sum() < 2:
        raise InputFileError(
            "cube", f"{int((~dead).sum())} of {dead.size} bands vary over the pixels", "at least 2"
        )
    dead_lines = (line_limits[1] <= line_limits[0]) & ~dead
    dead_lines &= (used.sum(1) >= _SHORTEST_DEAD_LINE)[:, None]
    dead_samples = (sample_limits[1] <= sample_limits[0]) & ~dead
    dead_samples &= (used.sum(0) >= _SHORTEST_DEAD_LINE)[:, None]
    # Where a number stands that means nothing: constant bands, lines and columns.
    usable = held - (line_limits[1].max(0) == line_limits[0].min(0)).sum()
    usable -= ((line_limits[1] == line_limits[0]) & dead_lines).sum(1)[:, None]
    usable -= ((sample_limits[1] == sample_limits[0]) & dead_samples).sum(1)
    valid = used & (2 * usable >= (~dead).sum())
    if not valid.any():
        raise InputFileError("cube", "more than half of every spectrum is missing or dead", "data")
    return Damage(valid, tuple(map(int, np.flatnonzero(dead))), dead_lines, dead_samples, nodata)


def band_positions(wavelengths: NDArray[np.float64] | None, bands: int) -> NDArray[np.float64]:
    """Where bands lie for `fill_from_neighbours`: their wavelengths, else their numbers."""
    return np.arange(bands, dtype=np.float64) if wavelengths is None else wavelengths


def fill_from_neighbours(
    spectra: NDArray[np.float64], missing: Mask, positions: NDArray[np.float64]
) -> None:
    """Fill missing values, in place, by linear interpolation between the nearest other bands.

    Beyond the outermost value of a spectrum that value is continued; a spectrum without any
    value stays as it is.

    Args:
        spectra: pixels × bands.
        missing: the same, True where a value is to be replaced.
        positions: of the bands, in any order.
    """
    rows = np.flatnonzero(missing.any(1) & ~missing.all(1))
    if not rows.size:
        return
    order = np.argsort(positions, kind="stable")
    place = positions[order]
    values, absent = spectra[np.ix_(rows, order)], missing[np.ix_(rows, order)]
    last = len(place) - 1
    number = np.arange(last + 1)
    before = np.maximum.accumulate(np.where(absent, -1, number), axis=1)
    after = np.minimum.accumulate(np.where(absent, last + 1, number)[:, ::-1], axis=1)[:, ::-1]
    left = np.where(before < 0, after, before)
    right = np.where(after > last, before, after)
    span = place[right] - place[left]
    share = (place - place[left]) / np.where(span > 0, span, 1)
    low, high = np.take_along_axis(values, left, 1), np.take_along_axis(values, right, 1)
    values = np.where(absent, low + share * (high - low), values)
    spectra[np.ix_(rows, order)] = values
