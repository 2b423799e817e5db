"""A scene with the bands that a model learnt: chosen, put in order, or resampled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .band_matching import KnownBands, match_bands
from .band_order import scene_with_bands, with_bands, with_selection
from .band_resampling import resampling_between
from .band_selection import GOOD, BandSelection
from .formats.cube_file import CubeFile, LinesOf
from .formats.envi_header import GAINS, OFFSETS
from .missing_data import valid_pixels
from .scene import Scene
from .value_scale import ValueScale, declared_scale, rescaled

# Bands no farther apart are where they were learnt.
_SAME = 0.05


class Talker(Protocol):
    """What reports a change."""

    def message(self, text: str) -> None:
        """A line."""
        ...


def with_learnt_bands(
    file: CubeFile, learnt: KnownBands, observer: Talker, *, resample: bool = False
) -> CubeFile:
    """A cube with the bands that a model learnt, in their order, where it can be told.

    Args:
        file: open.
        learnt: the bands of the model.
        observer: reports a change.
        resample: make them of those that there are, without those marked as bad.

    Raises:
        ShapeError: `resample` cannot be done, see `resampling_between`.
    """
    if resample:
        return _resampled(file, learnt, observer)
    match = match_bands(known_bands(file), learnt)
    if match is None:
        return file
    observer.message(f"{file.path.name}: {match.remark}")
    numbers = tuple(int(file.band_numbers[band]) for band in match.bands)
    return replace(with_bands(file, match.bands), selection=BandSelection(file.shape[2], numbers))


def scene_with_learnt_bands(scene: Scene, learnt: KnownBands, observer: Talker) -> Scene:
    """A scene in memory with the bands that a model learnt, as `with_learnt_bands` finds them.

    Args:
        scene: all bands, or some.
        learnt: the bands of the model.
        observer: reports a change.
    """
    given = KnownBands.chosen(scene.bands, scene.wavelengths, scene.fwhm, scene.selection)
    match = match_bands(given, learnt)
    if match is None:
        return scene
    observer.message(f"{scene.name}: {match.remark}")
    return scene_with_bands(scene, match.bands)


def known_bands(file: CubeFile) -> KnownBands:
    """What an open cube says of its bands."""
    return KnownBands.chosen(file.shape[2], file.wavelengths, file.fwhm, file.selection)


@dataclass(frozen=True)
class ResampledLines(LinesOf):
    """Lines of a cube in the bands of another sensor, float32; pixels without data are NaN.

    Attributes:
        matrix: bands of the cube × bands that come out.
    """

    matrix: NDArray[np.float64]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return np.dtype(np.float32)

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands.

        Line by line, so that the last bits do not depend on which lines are read together.
        """
        _, samples, _ = self.file.shape
        lines = np.empty((last_line - first_line, samples, self.matrix.shape[1]), np.float32)
        for number in range(len(lines)):
            line = first_line + number
            values = self.file.read(line, line + 1)
            valid = valid_pixels(values, self.file.nodata)
            with np.errstate(invalid="ignore", over="ignore"):
                lines[number] = np.ascontiguousarray(values[0], np.float64) @ self.matrix
            if valid is not None:
                lines[number][~valid[0]] = np.nan
        return lines


def _resampled(file: CubeFile, learnt: KnownBands, observer: Talker) -> CubeFile:
    name = file.path.name
    good = with_selection(file, GOOD)
    if good.selection is not None:
        observer.message(f"{name}: {good.selection.summary()}")
    given = known_bands(good)
    if _same(given, learnt):
        observer.message(f"{name}: has the bands that the model learnt: nothing is resampled")
        return replace(good, remarks=file.remarks)
    made = resampling_between(name, given, learnt)
    observer.message(f"{name}: {made.remark}")
    bands = len(made.matrix.T)
    source, kept = _in_one_scale(good, bands)
    return replace(
        source,
        shape=(*file.shape[:2], bands),
        source=ResampledLines(replace(source, complete=True), made.matrix),
        wavelengths=learnt.wavelengths,
        fwhm=learnt.fwhm,
        band_names=(),
        default_bands=None,
        kept_fields=kept,
        nodata=None,
        selection=None,
        remarks=file.remarks,
    )


def _same(given: KnownBands, learnt: KnownBands) -> bool:
    centres, wanted = given.wavelengths, learnt.wavelengths
    if centres is None or wanted is None or len(centres) != len(wanted):
        return False
    return bool(np.abs(centres - wanted).max() <= _SAME)


def _in_one_scale(file: CubeFile, bands: int) -> tuple[CubeFile, dict[str, Any]]:
    """A cube whose values mean the same in all bands, and what is said of them once resampled."""
    of_cube = {key: value for key, value in file.kept_fields.items() if isinstance(value, str)}
    scale = declared_scale(file)
    if scale is None or GAINS not in file.kept_fields:
        return file, of_cube
    gain, offset = scale.gain[0], scale.offset[0]
    if len(set(scale.gain)) > 1 or len(set(scale.offset)) > 1:
        gain, offset = 1.0, 0.0
        count = file.shape[2]
        file = rescaled(file, scale, ValueScale((gain,) * count, (offset,) * count))
    return file, {
        **of_cube,
        GAINS: (f"{gain:.17g}",) * bands,
        OFFSETS: (f"{offset:.17g}",) * bands,
    }
