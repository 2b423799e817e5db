"""Cubes with some of their bands, or with all in another order than in their file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .band_selection import BandSelection, select_bands
from .formats.cube_file import CubeFile, LinesOf
from .scene import Scene, nearest_bands

Order = NDArray[np.intp]

_BLOCK_VALUES = 2**23


@dataclass(frozen=True)
class ChosenLines(LinesOf):
    """Lines of a cube with some of its bands, or all in another order.

    Attributes:
        bands: of each band that comes out, its number in the cube.
    """

    bands: Order

    def read_lines(self, first_line: int, last_line: int) -> NDArray[Any]:
        """Lines first_line … last_line - 1, lines × samples × bands.

        The order in memory, on which sums depend, is that of the axes for any number of lines.
        """
        _, samples, count = self.file.shape
        chosen = np.empty((last_line - first_line, samples, len(self.bands)), self.dtype)
        step = max(1, _BLOCK_VALUES // (samples * count))
        for first in range(first_line, last_line, step):
            last = min(first + step, last_line)
            part = chosen[first - first_line : last - first_line]
            np.take(self.file.read(first, last), self.bands, axis=2, out=part)
        return chosen


def with_bands(file: CubeFile, bands: Order) -> CubeFile:
    """A cube with some of its bands, or all in another order, and what is said of each.

    Args:
        file: open.
        bands: of each band that comes out, its number in the cube, from 0.
    """
    count = file.shape[2]
    kept = {
        name: tuple(value[band] for band in bands)
        if isinstance(value, tuple) and len(value) == count
        else value
        for name, value in file.kept_fields.items()
    }
    names = file.band_names
    return replace(
        file,
        shape=(*file.shape[:2], len(bands)),
        source=ChosenLines(replace(file, complete=False), bands),
        wavelengths=None if file.wavelengths is None else file.wavelengths[bands],
        fwhm=None if file.fwhm is None else file.fwhm[bands],
        band_names=tuple(names[band] for band in bands) if names else (),
        default_bands=_moved(file.default_bands, bands),
        kept_fields=kept,
    )


def with_selection(file: CubeFile, choice: str, *, drop_water: bool = False) -> CubeFile:
    """A cube with the bands that a user chose; what is left out is among its remarks.

    Args:
        file: open.
        choice: see `band_selection`.
        drop_water: leave the windows of water vapour out too.

    Raises:
        ConfigError: the choice does not suit the cube.
    """
    selection = select_bands(
        choice,
        file.shape[2],
        file.wavelengths,
        file.bad_bands,
        drop_water=drop_water,
        name=file.path.name,
    )
    if selection is None:
        return file
    chosen = with_bands(file, np.array(selection.bands))
    return replace(chosen, selection=selection, remarks=(*file.remarks, selection.summary()))


def scene_with_selection(scene: Scene, choice: str, *, drop_water: bool = False) -> Scene:
    """A scene in memory with the bands that a user chose, as `with_selection` does of a file.

    Raises:
        ConfigError: the choice does not suit the scene.
    """
    selection = select_bands(
        choice, scene.bands, scene.wavelengths, drop_water=drop_water, name=scene.name
    )
    if selection is None:
        return scene
    chosen = scene_with_bands(scene, np.array(selection.bands))
    return replace(chosen, selection=selection, remarks=(*scene.remarks, selection.summary()))


def scene_with_bands(scene: Scene, bands: Order) -> Scene:
    """A scene in memory with some of its bands, or all in another order.

    Args:
        scene: as it is.
        bands: of each band that comes out, its number in the cube, from 0.
    """
    of = scene.bands if scene.selection is None else scene.selection.of
    known = range(of) if scene.selection is None else scene.selection.bands
    numbers = tuple(int(known[band]) for band in bands)
    wavelengths = None if scene.wavelengths is None else scene.wavelengths[bands]
    return replace(
        scene,
        cube=np.take(scene.cube, bands, axis=2),
        wavelengths=wavelengths,
        fwhm=None if scene.fwhm is None else scene.fwhm[bands],
        false_colour=_moved(scene.false_colour, bands) or nearest_bands(wavelengths, len(bands)),
        selection=BandSelection(of, numbers),
    )


def _moved(shown: tuple[int, int, int] | None, bands: Order) -> tuple[int, int, int] | None:
    """Bands by their new places; None where one of them is gone."""
    places = {int(band): place for place, band in enumerate(bands)}
    if shown is None or not all(band in places for band in shown):
        return None
    return places[shown[0]], places[shown[1]], places[shown[2]]
