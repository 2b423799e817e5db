"""What a public scene is made of, and how its files become a `Scene`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...config import config_names
from ...errors import InputFileError
from ..formats.array_choice import size_text
from ..formats.file_format import FileFormat, recognise_format
from ..formats.matlab_files import list_matlab_arrays, load_matlab_array
from ..readers import open_cube, read_scene
from ..scene import Scene
from .verification import LocalFile, RemoteFile

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
        paths = [files[file.name].path for file in self.files]
        if all(recognise_format(path) is FileFormat.MATLAB for path in paths):
            scene = self._read_matlab(files)
        else:
            scene = self._read_any(files)
        return replace(
            scene,
            false_colour=self.false_colour,
            checksums={name: local.sha256 for name, local in files.items()},
            citation=self.citation,
            unverified=tuple(name for name, local in files.items() if not local.verified),
        )

    def _read_matlab(self, files: Mapping[str, LocalFile]) -> Scene:
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
        )

    def _read_any(self, files: Mapping[str, LocalFile]) -> Scene:
        """The scene as the user's own files are read: wavelengths and place from the files too."""
        cube, labels = _path_of(self.cube, files), _path_of(self.labels, files)
        scene = read_scene(
            cube,
            labels=labels,
            variable=self.cube.variable or None,
            labels_variable=self.labels.variable or None,
            name=self.name,
        )
        assert scene.labels is not None
        _require_shape(cube, scene.cube.shape, self.cube.shape)
        if scene.labels.max() > len(self.class_names):
            highest, expected = scene.labels.max(), f"at most {len(self.class_names)}"
            raise InputFileError(labels, f"holds the label {highest}", expected)
        return replace(
            scene,
            class_names=self.class_names,
            wavelengths=self.wavelengths() if self.wavelengths else scene.wavelengths,
            companions={name: _read_plane(each, files) for name, each in self.companions.items()},
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


def _path_of(layer: Layer, files: Mapping[str, LocalFile]) -> Path:
    """The file of a layer, whose companions lie where it lies."""
    path = files[layer.file.name].path
    for each in layer.beside:
        other = files[each.name].path
        if other.parent != path.parent:
            remedy = f"move one of them: {other}"
            raise InputFileError(path, f"{other.name} lies elsewhere", "it beside", remedy)
    return path


def _require_shape(path: Path, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if found != expected:
        remedy = "fetch the file anew"
        raise InputFileError(path, f"holds {size_text(found)}", size_text(expected), remedy)


def _read_plane(layer: Layer, files: Mapping[str, LocalFile]) -> Array:
    path = _path_of(layer, files)
    with open_cube(path, variable=layer.variable or None) as file:
        _require_shape(path, file.shape, (*layer.shape, 1))
        return np.ascontiguousarray(file.read()[:, :, 0])


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
