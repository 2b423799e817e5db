"""How the files of a public scene become a `Scene`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ..formats.array_choice import size_text
from ..formats.file_format import FileFormat, recognise_format
from ..formats.matlab_files import list_matlab_arrays, load_matlab_array
from ..readers import open_cube, read_scene
from ..scene import Scene
from .public_scene import Array, Layer, PublicScene
from .verification import LocalFile


def read_public_scene(scene: PublicScene, files: Mapping[str, LocalFile]) -> Scene:
    """The scene, from its files by name.

    Raises:
        InputFileError: a file does not hold what it should.
    """
    paths = [files[file.name].path for file in scene.files]
    matlab = all(recognise_format(path) is FileFormat.MATLAB for path in paths)
    read = _read_matlab(scene, files) if matlab else _read_any(scene, files)
    return replace(
        read,
        false_colour=scene.false_colour,
        checksums={name: local.sha256 for name, local in files.items()},
        citation=scene.citation,
        unverified=tuple(name for name, local in files.items() if not local.verified),
    )


def _read_matlab(scene: PublicScene, files: Mapping[str, LocalFile]) -> Scene:
    cube = _read_layer(scene.cube, files)
    if cube.dtype.kind == "f" and not np.isfinite(cube).all():
        raise InputFileError(
            files[scene.cube.file.name].path,
            f"{scene.cube.variable} holds values that are not finite",
            "a number in every band of every pixel",
        )
    return Scene(
        name=scene.name,
        cube=cube,
        labels=_read_labels(scene, files),
        class_names=scene.class_names,
        wavelengths=scene.wavelengths() if scene.wavelengths else None,
        companions={name: _read_layer(layer, files) for name, layer in scene.companions.items()},
    )


def _read_any(public: PublicScene, files: Mapping[str, LocalFile]) -> Scene:
    """The scene as the user's own files are read: wavelengths and place from the files too."""
    cube, labels = _path_of(public.cube, files), _path_of(public.labels, files)
    scene = read_scene(
        cube,
        labels=labels,
        variable=public.cube.variable or None,
        labels_variable=public.labels.variable or None,
        name=public.name,
    )
    assert scene.labels is not None
    _require_shape(cube, scene.cube.shape, public.cube.shape)
    if scene.labels.max() > len(public.class_names):
        highest, expected = scene.labels.max(), f"at most {len(public.class_names)}"
        raise InputFileError(labels, f"holds the label {highest}", expected)
    return replace(
        scene,
        class_names=public.class_names,
        wavelengths=public.wavelengths() if public.wavelengths else scene.wavelengths,
        companions={name: _read_plane(each, files) for name, each in public.companions.items()},
    )


def _read_labels(scene: PublicScene, files: Mapping[str, LocalFile]) -> NDArray[np.uint8]:
    stored = _read_layer(scene.labels, files)
    with np.errstate(invalid="ignore"):
        labels = stored.astype(np.uint8)
    highest = len(scene.class_names)
    if (labels != stored).any() or labels.max() > highest:
        raise InputFileError(
            files[scene.labels.file.name].path,
            f"{scene.labels.variable} holds values from {stored.min()} to {stored.max()}",
            f"whole numbers from 0 to {highest}",
        )
    return labels


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
