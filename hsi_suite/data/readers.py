"""The user's own files: cubes, label maps and whole scenes, whatever their format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from .formats.array_choice import SCENE_OPTION, check_cube
from .formats.checksums import hash_file
from .formats.cube_file import CubeFile
from .formats.envi_files import open_envi
from .formats.file_format import KNOWN_FORMATS, FileFormat, recognise_format
from .formats.hdf5_files import open_hdf5
from .formats.label_files import LabelFile, read_class_names, read_labels, refuse_variable
from .formats.matlab_files import open_matlab
from .formats.numpy_files import open_npy, open_npz
from .formats.tiff_files import open_tiff
from .missing_data import check_labelled_pixels, refuse_without_data, valid_of_blocks, valid_pixels
from .scene import Scene, SceneOf, nearest_bands

__all__ = [
    "CubeFile",
    "LabelFile",
    "SceneFile",
    "hash_file",
    "open_cube",
    "open_scene",
    "read_class_names",
    "read_labels",
    "read_scene",
    "refuse_without_data",
    "valid_pixels",
]

_BLOCK_VALUES = 2**23


@dataclass(frozen=True)
class SceneFile(SceneOf[CubeFile]):
    """A scene whose cube stays in its open file, to be read by lines; see `SceneOf`."""


def open_cube(
    path: Path | str, *, variable: str | None = None, nodata: float | None = None
) -> CubeFile:
    """Open a cube without reading its values. The format is told by content, not by name.

    Args:
        path: a MATLAB (v4 to v7.3), HDF5, NPY, NPZ, ENVI (header or data) or TIFF file.
        variable: which of several arrays in a MATLAB, HDF5 or NPZ file is meant.
        nodata: value of missing pixels, instead of the one the file names; NaN: there is none.

    Raises:
        InputFileError: the file is missing, damaged, of no known format, or holds no or several
            arrays that could be meant.
    """
    path = Path(path)
    kind = recognise_format(path)
    refuse_variable(path, kind, variable, SCENE_OPTION)
    if kind is FileFormat.PNG:
        raise InputFileError(path, "a PNG picture", f"a cube: {KNOWN_FORMATS}")
    if kind is FileFormat.MATLAB:
        file = open_matlab(path, variable)
    elif kind is FileFormat.HDF5:
        file = open_hdf5(path, variable)
    elif kind is FileFormat.NPZ:
        file = open_npz(path, variable)
    elif kind is FileFormat.NPY:
        file = open_npy(path)
    elif kind is FileFormat.TIFF:
        file = open_tiff(path)
    else:
        file = open_envi(path)
    if nodata is not None:
        file = replace(file, nodata=None if np.isnan(nodata) else float(nodata))
    return file


def read_scene(
    path: Path | str,
    *,
    labels: Path | str | None = None,
    variable: str | None = None,
    labels_variable: str | None = None,
    class_names: Path | str | None = None,
    nodata: float | None = None,
    name: str | None = None,
) -> Scene:
    """Read a cube whole, with its labels.

    A pixel is not valid when any of its bands is NaN, infinite or nodata: no method here works on
    part of a spectrum. Its values stay in the cube as they are.

    Args:
        path: the cube, as in `open_cube`.
        labels: a label map, as in `read_labels`.
        variable: which of several arrays is the cube.
        labels_variable: which of several arrays is the label map.
        class_names: a text file with one class name a line, before those of the label map.
        nodata: as in `open_cube`.
        name: what to call the scene; the file's name without its ending by default.

    Raises:
        InputFileError: a file cannot be read as what it should be; the label map has another size;
            there are fewer class names than labels; a labelled pixel or a whole band is missing.
    """
    with open_cube(path, variable=variable, nodata=nodata) as file:
        cube = file.read()
        check_cube(file.path, cube.shape, cube.dtype)
        described = _described(
            file, lambda: [cube], labels, labels_variable, class_names, name or Path(path).stem
        )
    return Scene(**(vars(described) | {"cube": cube}))


def open_scene(
    path: Path | str,
    *,
    labels: Path | str | None = None,
    variable: str | None = None,
    labels_variable: str | None = None,
    class_names: Path | str | None = None,
    nodata: float | None = None,
    name: str | None = None,
) -> SceneFile:
    """A scene as `read_scene` gives it, but for its cube, whose file stays open.

    Where pixels can be missing, the cube is read once, by blocks of lines, to find them.

    Raises:
        InputFileError: as `read_scene`.
    """
    file = open_cube(path, variable=variable, nodata=nodata)
    try:
        return _described(
            file,
            lambda: _blocks(file),
            labels,
            labels_variable,
            class_names,
            name or Path(path).stem,
        )
    except BaseException:
        file.close()
        raise


def _blocks(file: CubeFile) -> Iterator[NDArray[Any]]:
    lines, samples, bands = file.shape
    step = max(1, _BLOCK_VALUES // (samples * bands))
    for start in range(0, lines, step):
        yield file.read(start, min(start + step, lines))


def _described(
    file: CubeFile,
    blocks: Callable[[], Iterable[NDArray[Any]]],
    labels: Path | str | None,
    labels_variable: str | None,
    class_names: Path | str | None,
    name: str,
) -> SceneFile:
    """The scene of an open file, all lines of which come in blocks."""
    path = file.path
    truth = None if labels is None else read_labels(labels, variable=labels_variable)
    names: tuple[str, ...] = ()
    if truth is not None and labels is not None:
        names = _fitting_names(Path(labels), truth, file.shape, class_names)
    valid = valid_of_blocks(blocks, file.nodata, file.dtype)
    if valid is not None and not valid.any():
        refuse_without_data(path, blocks(), file.nodata)
    if truth is not None and valid is not None:
        check_labelled_pixels(path, truth.labels, valid)
    files = [*file.files, *(truth.files if truth else ())]
    if truth is not None and class_names is not None:
        files.append(Path(class_names))
    return SceneFile(
        name=name,
        cube=file,
        labels=truth.labels if truth else None,
        class_names=names,
        wavelengths=file.wavelengths,
        georeference=file.georeference or (truth.georeference if truth else None),
        valid=valid,
        nodata=file.nodata,
        false_colour=file.default_bands or nearest_bands(file.wavelengths, file.shape[2]),
        checksums=_checksums(files),
    )


def _fitting_names(
    path: Path, truth: LabelFile, shape: tuple[int, int, int], class_names: Path | str | None
) -> tuple[str, ...]:
    """The class names for the label map `path`, once it fits the cube."""
    lines, samples = truth.labels.shape
    if (lines, samples) != shape[:2]:
        turned = " (turned by 90 degrees?)" if (samples, lines) == shape[:2] else ""
        raise InputFileError(
            path,
            f"a label map of {lines} × {samples} pixels{turned}",
            f"{shape[0]} lines × {shape[1]} samples as in the scene",
        )
    highest = int(truth.labels.max())
    if highest == 0:
        raise InputFileError(path, "every pixel is 0, unlabelled", "labels from 1 on")
    names = read_class_names(class_names) if class_names is not None else truth.class_names
    if names is None:
        return tuple(f"class {label}" for label in range(1, highest + 1))
    if len(names) < highest:
        raise InputFileError(
            path if class_names is None else Path(class_names),
            f"{len(names)} class names",
            f"at least {highest}, as many as the highest label",
        )
    return names


def _checksums(files: Iterable[Path]) -> dict[str, str]:
    """SHA-256 by file name, or by folder and name where two files share one."""
    sums: dict[str, str] = {}
    for path in dict.fromkeys(files):
        key = path.name if path.name not in sums else f"{path.parent.name}/{path.name}"
        sums[key] = hash_file(path)
    return sums
