"""What a public scene is made of; `public_reading` makes a `Scene` of its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...config import config_names
from .verification import LocalFile, RemoteFile

if TYPE_CHECKING:
    from ..scene import Scene

Array = NDArray[np.generic]

PURITY = 0.7
"""A pixel whose largest abundance is below this share of its area is left unlabelled."""


@dataclass(frozen=True)
class Layer:
    """One array of a scene.

    Attributes:
        file: the file that holds it, of any format that cubes or label maps are read from.
        variable: its name there; "" where the file holds no other, or no names.
        shape: lines, samples (and bands).
        stored_shape: its shape in the file; None when that is `shape`.
        arrange: turns the stored array of a MATLAB file into one of `shape`; None when it is
            stored so.
        beside: files that have to lie beside it, as the data of an ENVI header.
    """

    file: RemoteFile
    variable: str
    shape: tuple[int, ...]
    stored_shape: tuple[int, ...] | None = None
    arrange: Callable[[Array], Array] | None = None
    beside: tuple[RemoteFile, ...] = ()


@dataclass(frozen=True)
class PublicScene:
    """A scene of the literature and where it can be had.

    Attributes:
        name: how it is called on the command line.
        title: how people call it.
        sensor: what recorded it.
        cube: the spectra.
        labels: the ground truth, 0 = unlabelled.
        class_names: of the labels from 1 on.
        false_colour: 0-based bands shown as red, green and blue.
        citation: what to cite.
        wavelengths: gives the band centres in nm; None when the list of kept bands is not known.
        approximate_wavelengths: True when the centres are not the scene's own calibration.
        companions: further layers.
        notes: what else a user should know.
    """

    name: str
    title: str
    sensor: str
    cube: Layer
    labels: Layer
    class_names: tuple[str, ...]
    false_colour: tuple[int, int, int]
    citation: str
    wavelengths: Callable[[], NDArray[np.float64]] | None = None
    approximate_wavelengths: bool = True
    companions: Mapping[str, Layer] = field(default_factory=dict)
    notes: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Lines, samples and bands."""
        lines, samples, bands = self.cube.shape
        return lines, samples, bands

    @property
    def default_config(self) -> str:
        """Name of the configuration used when none is named."""
        own = f"classification/hybridsn_{self.name}"
        return own if own in config_names() else "classification/hybridsn"

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """Every file it is made of, once."""
        layers = (self.cube, self.labels, *self.companions.values())
        return tuple(dict.fromkeys(file for each in layers for file in (each.file, *each.beside)))

    def read(self, files: Mapping[str, LocalFile]) -> Scene:
        """The scene, from its files by name.

        Raises:
            InputFileError: a file does not hold what it should.
        """
        # Here, as names and sizes of scenes are asked for without the readers of all formats.
        from .public_reading import read_public_scene

        return read_public_scene(self, files)


def jasper_cube(stored: Array) -> Array:
    """Lines × samples × bands from bands × pixels counted down the columns, as MATLAB does."""
    bands, pixels = stored.shape
    side = round(pixels**0.5)
    return stored.reshape(bands, side, side).transpose(2, 1, 0)


def labels_from_abundances(abundances: Array) -> Array:
    """The class of the largest abundance, counted from 1; 0 where it is below `PURITY`.

    Args:
        abundances: lines × samples × classes, shares of each pixel's area.
    """
    purest = abundances.max(axis=2)
    return np.where(purest >= PURITY, abundances.argmax(axis=2) + 1, 0).astype(np.uint8)
