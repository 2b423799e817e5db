"""What a public scene is made of, and how its files become a `Scene`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ..formats.array_choice import size_text
from ..formats.matlab_files import list_matlab_arrays, load_matlab_array
from ..scene import Scene
from .verification import LocalFile, RemoteFile

Array = NDArray[np.generic]

PURITY = 0.7
"""A pixel whose largest abundance is below this share of its area is left unlabelled."""


@dataclass(frozen=True)
class Layer:
    """One array of a scene.

    Attributes:
        file: the MATLAB file that holds it.
        variable: its name there.
        shape: lines, samples (and bands).
        stored_shape: its shape in the file; None when that is `shape`.
        arrange: turns the stored array into one of `shape`; None when it is stored so.
    """

    file: RemoteFile
    variable: str
    shape: tuple[int, ...]
    stored_shape: tuple[int, ...] | None = None
    arrange: Callable[[Array], Array] | None = None


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
        return f"classification/hybridsn_{self.name}"

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """Every file it is made of, once."""
        layers = (self.cube, self.labels, *self.companions.values())
        return tuple(dict.fromkeys(layer.file for layer in layers))

    def read(self, files: Mapping[str, LocalFile]) -> Scene:
        """The scene, from its files by name.

        Raises:
            InputFileError: a file does not hold what it should.
        """
        cube = _read_layer(self.cube, files)
        if cube.dtype.kind == "f" and not np.isfinite(cube).all():
            raise InputFileError(
                files[self.cube.file.name].path,
                f"{self.cube.variable} holds values that are not finite",
                "a number in every band of every pixel",
            )
        return Scene(
            name=self.name,
            cube=cube,
            labels=self._read_labels(files),
            class_names=self.class_names,
            wavelengths=self.wavelengths() if self.wavelengths else None,
            companions={name: _read_layer(layer, files) for name, layer in self.companions.items()},
            false_colour=self.false_colour,
            checksums={name: local.sha256 for name, local in files.items()},
            citation=self.citation,
            unverified=tuple(name for name, local in files.items() if not local.verified),
        )

    def _read_labels(self, files: Mapping[str, LocalFile]) -> NDArray[np.uint8]:
        stored = _read_layer(self.labels, files)
        with np.errstate(invalid="ignore"):
            labels = stored.astype(np.uint8)
        highest = len(self.class_names)
        if (labels != stored).any() or labels.max() > highest:
            raise InputFileError(
                files[self.labels.file.name].path,
                f"{self.labels.variable} holds values from {stored.min()} to {stored.max()}",
                f"whole numbers from 0 to {highest}",
            )
        return labels


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


def _read_layer(layer: Layer, files: Mapping[str, LocalFile]) -> Array:
    path, shape = files[layer.file.name].path, layer.stored_shape or layer.shape
    held = list_matlab_arrays(path)
    for array in held:
        if array.name == layer.variable and array.shape == shape and array.numeric:
            break
    else:
        raise InputFileError(
            path,
            f"holds {', '.join(map(str, held)) or 'nothing'}",
            f"numbers under the name {layer.variable}, {size_text(shape)}",
            "fetch the file anew",
        )
    stored = load_matlab_array(path, array)
    arranged = layer.arrange(stored) if layer.arrange else stored
    return np.ascontiguousarray(arranged, dtype=arranged.dtype.newbyteorder("="))
