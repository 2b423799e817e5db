"""Pixels of a cube that hold no data, and single missing bands of those that do.

A pixel holds no data where more than half of its bands are NaN, infinite or nodata, or where the
file's mask says so. Fewer missing bands are filled from the other bands of the same pixel, so
that what becomes of a pixel never depends on which lines are read together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..commands import suggested
from ..errors import InputFileError
from ..restoration.damage import band_positions, fill_from_neighbours

_BLOCK_VALUES = 2**23
# Filling takes ten times the memory of the values.
_FILLED_VALUES = 2**20


@dataclass
class MissingSurvey:
    """What of a cube is missing, as far as it has been read.

    Attributes:
        held: pixels that hold data.
        values: missing values of such pixels.
        pixels: how many of them have such values.
        empty: for each band, whether no pixel that holds data has a value in it; None: nothing
            can be missing.
    """

    held: int = 0
    values: int = 0
    pixels: int = 0
    empty: NDArray[np.bool_] | None = None

    def add(
        self, cube: NDArray[Any], nodata: float | None, valid: NDArray[np.bool_] | None
    ) -> None:
        """Count lines of the cube as they were read, nothing filled.

        Args:
            cube: lines × samples × bands.
            nodata: value of missing data beside NaN and infinity; None: there is none.
            valid: lines × samples, False where a pixel holds no data; None: nowhere.
        """
        self.held += cube.shape[0] * cube.shape[1] if valid is None else int(valid.sum())
        if not can_miss(nodata, cube.dtype):
            return
        marker = representable(nodata, cube.dtype)
        if self.empty is None:
            self.empty = np.ones(cube.shape[2], bool)
        for lines in _blocks(cube.shape, _BLOCK_VALUES):
            missing = _missing_values(cube[lines], marker)
            if valid is not None:
                missing = missing[valid[lines]]
            missing = missing.reshape(-1, cube.shape[2])
            self.values += int(missing.sum())
            self.pixels += int(missing.any(axis=1).sum())
            self.empty &= missing.all(axis=0)

    def to_json(self) -> dict[str, Any]:
        """The survey in JSON's types."""
        empty = None if self.empty is None else self.empty.astype(int).tolist()
        return {"held": self.held, "values": self.values, "pixels": self.pixels, "empty": empty}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> MissingSurvey:
        """The survey that `to_json` wrote."""
        empty = None if saved["empty"] is None else np.array(saved["empty"], bool)
        return cls(saved["held"], saved["values"], saved["pixels"], empty)

    @property
    def empty_bands(self) -> tuple[int, ...]:
        """Numbers, from 0, of the bands without a value."""
        return () if self.empty is None else tuple(map(int, np.flatnonzero(self.empty)))

    def summary(self) -> str:
        """What was filled, in words; "" when nothing was."""
        if not self.values:
            return ""
        return (
            f"{self.values:,} missing values in single bands of {self.pixels:,} pixels are filled "
            "from the bands beside them"
        )


def valid_pixels(cube: NDArray[Any], nodata: float | None) -> NDArray[np.bool_] | None:
    """Where a pixel holds data in at least half of its bands; None when every pixel does.

    Args:
        cube: lines × samples × bands, of the whole scene or of some lines.
        nodata: value of missing data beside NaN and infinity; None: there is none.
    """
    if not can_miss(nodata, cube.dtype):
        return None
    marker = representable(nodata, cube.dtype)
    valid = np.ones(cube.shape[:2], dtype=bool)
    for lines in _blocks(cube.shape, _BLOCK_VALUES):
        missing = _missing_values(cube[lines], marker)
        valid[lines] = 2 * missing.sum(axis=2) <= cube.shape[2]
    return None if valid.all() else valid


def filled(
    cube: NDArray[Any], nodata: float | None, wavelengths: NDArray[np.float64] | None
) -> NDArray[Any]:
    """The cube with single missing bands filled: by lines between the nearest bands of the pixel.

    Pixels without data keep their values. Whole numbers are rounded.

    Args:
        cube: lines × samples × bands; changed only where nobody else holds its memory.
        nodata: value of missing data beside NaN and infinity; None: there is none.
        wavelengths: of the bands, in nm; None: they are taken to be equally far apart.
    """
    if not can_miss(nodata, cube.dtype):
        return cube
    marker = representable(nodata, cube.dtype)
    bands = cube.shape[2]
    positions = band_positions(wavelengths, bands)
    whole = cube.dtype.kind in "iu"
    result = cube
    for lines in _blocks(cube.shape, _FILLED_VALUES):
        missing = _missing_values(cube[lines], marker)
        count = missing.sum(axis=2)
        partly = (count > 0) & (2 * count <= bands)
        if not partly.any():
            continue
        if result is cube and not (cube.flags.owndata and cube.flags.writeable):
            result = cube.copy(order="K")  # sums depend on the order in memory
        values, absent = cube[lines][partly], missing[partly]
        spectra = values.astype(np.float64)
        fill_from_neighbours(spectra, absent, positions)
        values[absent] = (np.rint(spectra) if whole else spectra)[absent]
        result[lines][partly] = values
    return result


def refuse_without_data(
    path: Path,
    survey: MissingSurvey,
    nodata: float | None,
    bad_bands: tuple[int, ...] = (),
    opened_with: tuple[str, ...] = (),
    used: Sequence[int] | None = None,
) -> None:
    """Refuse a scene without any pixel that holds data, or with bands that hold none.

    Args:
        path: of the scene.
        survey: of all its lines.
        nodata: as in `valid_pixels`.
        bad_bands: those that the file marks as bad, from 0.
        opened_with: the options that the file needs to be read as it was.
        used: the number in the file, from 0, of each band; None: all are used.

    Raises:
        InputFileError: there are such bands, or no pixel.
    """
    marked = "" if nodata is None else f" or nodata ({nodata:g})"
    switch = "" if nodata is None else "--nodata nan switches the nodata value off"
    if not survey.held:
        raise InputFileError(
            path,
            f"no pixel holds data: each is masked, or most of its bands are NaN, infinite{marked}",
            "pixels with data",
            switch,
        )
    if survey.empty is None or not survey.empty.any():
        return
    empty = survey.empty_bands
    known = sum(band in bad_bands for band in empty)
    header = f"; the header marks {'all' if known == len(empty) else known} of them as bad"
    numbers = range(survey.empty.size) if used is None else used
    named = band_list(tuple(numbers[band] for band in empty))
    others = band_list(tuple(n for n, gone in zip(numbers, survey.empty, strict=True) if not gone))
    less = "--bands good" if known == len(empty) else f"--bands {others.replace(' ', '')}"
    raise InputFileError(
        path,
        f"{len(empty)} of {survey.empty.size} bands ({named}) are NaN, "
        f"infinite{marked} in every pixel{header if known else ''}",
        "",
        f"leave these bands out ({less}), or fill them with "
        f"{suggested('denoise', path, *opened_with, '--repair')}"
        f"{'; ' + switch if switch and not known else ''}",
    )


def band_list(bands: Sequence[int], most: int = 8) -> str:
    """Numbers of bands as people write them, counted from 1: "104-108, 220"."""
    texts = [
        f"{first + 1}" if first == last else f"{first + 1}-{last + 1}"
        for first, last in band_runs(bands)
    ]
    return ", ".join([*texts[:most], *(["…"] if len(texts) > most else [])])


def band_runs(bands: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of the bands that follow each other."""
    runs: list[tuple[int, int]] = []
    for band in bands:
        if runs and runs[-1][1] == band - 1:
            runs[-1] = runs[-1][0], band
        else:
            runs.append((band, band))
    return runs


def check_labelled_pixels(
    path: Path, labels: NDArray[np.integer], valid: NDArray[np.bool_]
) -> None:
    """Refuse labels where there is no data.

    Args:
        path: of the scene.
        labels: lines × samples, 0 = unlabelled.
        valid: lines × samples.

    Raises:
        InputFileError: a labelled pixel is not valid.
    """
    lost = np.argwhere((labels > 0) & ~valid)
    if len(lost):
        line, sample = (int(place) + 1 for place in lost[0])
        raise InputFileError(
            path,
            f"labelled pixels without data (NaN, infinite, nodata or masked): {len(lost)}, "
            f"the first at line {line}, sample {sample}",
            "data in every labelled pixel",
            "set their labels to 0, or --nodata nan if that value is data",
        )


def _blocks(shape: tuple[int, ...], values: int) -> list[slice]:
    """Lines of a cube, about so many values at a time."""
    lines, samples, bands = shape
    step = max(1, values // (samples * bands))
    return [slice(start, min(start + step, lines)) for start in range(0, lines, step)]


def _missing_values(block: NDArray[Any], marker: Any) -> NDArray[np.bool_]:
    missing = ~np.isfinite(block) if block.dtype.kind == "f" else np.zeros(block.shape, bool)
    if marker is not None:
        missing |= block == marker
    return missing


def can_miss(nodata: float | None, dtype: np.dtype[Any]) -> bool:
    """Whether a value of `dtype` can be missing at all."""
    return dtype.kind == "f" or representable(nodata, dtype) is not None


def representable(nodata: float | None, dtype: np.dtype[Any]) -> Any:
    """`nodata` as a value of `dtype`; None when no element can equal it."""
    if nodata is None or np.isnan(nodata):
        return None
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.array(nodata).astype(dtype)
    limits = np.iinfo(dtype)
    fits = float(nodata).is_integer() and limits.min <= nodata <= limits.max
    return np.array(int(nodata), dtype=dtype) if fits else None
