"""Label maps on disk, and lists of class names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import InputFileError
from ..scene import Georeference
from .array_choice import LABELS_OPTION, choose_map, size_text
from .envi_files import open_envi
from .file_format import FileFormat, recognise_format, refuse_pipe
from .hdf5_files import load_hdf5_map
from .matlab_files import list_matlab_arrays, load_matlab_array
from .numpy_files import list_npz_arrays, load_npy_map, load_npz_array
from .reading_guard import reading
from .side_masks import with_side_mask
from .tiff_files import open_tiff

_HIGHEST_LABEL = 65535


@dataclass(frozen=True)
class LabelFile:
    """A label map as a file holds it.

    Attributes:
        labels: lines × samples, 0 = unlabelled.
        class_names: names of the labels from 1 on; None when the file has none.
        colours: RGB of the labels from 0 on; None when the file has no colour table.
        georeference: None when unknown.
        files: all files that were read.
    """

    labels: NDArray[np.int32]
    class_names: tuple[str, ...] | None
    colours: NDArray[np.uint8] | None
    georeference: Georeference | None
    files: tuple[Path, ...]


def read_labels(path: Path | str, *, variable: str | None = None) -> LabelFile:
    """Read a label map: MATLAB (all versions), HDF5, NPY, NPZ, ENVI, TIFF or PNG.

    A nodata value that the file names counts as 0, unlabelled.

    Args:
        path: the file.
        variable: which of several arrays is meant.

    Raises:
        InputFileError: the file is missing, damaged or of another kind; it holds something else
            than one band of whole numbers from 0 on, or several arrays that could be meant.
    """
    path = Path(path)
    kind = recognise_format(path)
    refuse_variable(path, kind, variable, LABELS_OPTION)
    if kind in (FileFormat.TIFF, FileFormat.ENVI_HEADER, FileFormat.ENVI_DATA):
        return _read_raster(path, kind)
    if kind is FileFormat.PNG:
        values, colours = _read_png(path)
        return LabelFile(_as_labels(path, values), None, colours, None, (path,))
    return LabelFile(_as_labels(path, _read_array(path, kind, variable)), None, None, None, (path,))


def read_class_names(path: Path | str) -> tuple[str, ...]:
    """The class names in a text file, one a line; blank lines at the end do not count.

    Raises:
        InputFileError: the file is missing, empty, no UTF-8 text, or names a class twice or not.
    """
    path = Path(path)
    refuse_pipe(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputFileError(path, f"cannot be read ({error.strerror})", "a text file") from error
    except UnicodeDecodeError as error:
        raise InputFileError(path, "this is no UTF-8 text", "one class name a line") from error
    names = [line.strip() for line in text.rstrip().splitlines()]
    if not names or "\0" in text:
        raise InputFileError(path, "holds no class names", "one class name a line")
    for number, name in enumerate(names, 1):
        if not name:
            raise InputFileError(path, f"line {number} is blank", "one class name a line")
        if name in names[: number - 1]:
            raise InputFileError(path, f"line {number} repeats {name!r}", "a name for each class")
    return tuple(names)


def refuse_variable(path: Path, kind: FileFormat, variable: str | None, option: str) -> None:
    """Refuse the name of a variable for a format that has no variables.

    Raises:
        InputFileError: a variable is named.
    """
    if variable is not None and kind not in (FileFormat.MATLAB, FileFormat.HDF5, FileFormat.NPZ):
        raise InputFileError(
            path,
            f"{option} {variable} names a variable",
            "",
            f"{kind} files have none: leave it out",
        )


def _read_raster(path: Path, kind: FileFormat) -> LabelFile:
    opened = open_tiff(path) if kind is FileFormat.TIFF else open_envi(path)
    with with_side_mask(opened) as file:
        if file.shape[2] != 1:
            raise InputFileError(
                path, f"{file.shape[2]} bands", "a label map of one band", "this may be a picture"
            )
        values = file.read()[:, :, 0]
        if file.mask is not None:
            held = file.mask.read_lines(0, file.shape[0])
            values = np.where(held, values, np.zeros((), values.dtype))
        if file.nodata is not None and file.nodata != 0:
            missing = np.isnan(values) if np.isnan(file.nodata) else values == file.nodata
            values = np.where(missing, np.zeros((), values.dtype), values)
        labels = _as_labels(path, values)
        colours = None if file.colours is None else _used_colours(file.colours, labels)
        return LabelFile(labels, file.class_names, colours, file.georeference, file.files)


def _read_array(path: Path, kind: FileFormat, variable: str | None) -> NDArray[Any]:
    choice: dict[str, Any] = {"variable": variable, "option": LABELS_OPTION}
    if kind is FileFormat.MATLAB:
        return load_matlab_array(path, choose_map(path, list_matlab_arrays(path), **choice))
    if kind is FileFormat.HDF5:
        return load_hdf5_map(path, variable, LABELS_OPTION)
    if kind is FileFormat.NPZ:
        return load_npz_array(path, choose_map(path, list_npz_arrays(path), **choice))
    return load_npy_map(path)


def _read_png(path: Path) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
    with reading(path, "a PNG file"), Image.open(path, formats=["PNG"]) as image:
        if image.mode not in ("1", "L", "P", "I", "I;16"):
            raise InputFileError(
                path,
                f"a picture in colours ({image.mode})",
                "a palette or grey PNG whose values are the labels",
                "save the labels, not a picture of them",
            )
        values = np.asarray(image)
        if image.mode == "P":
            palette = np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
            return values, _used_colours(palette, values)
    bits = path.read_bytes()[24]
    if bits in (2, 4) and image.mode == "L":  # pillow stretches these greys to 0 … 255
        values = values // (255 // (2**bits - 1))
    return values, None


def _used_colours(colours: NDArray[np.uint8], labels: NDArray[Any]) -> NDArray[np.uint8]:
    return colours[: int(labels.max()) + 1]


def _as_labels(path: Path, values: NDArray[Any]) -> NDArray[np.int32]:
    """`values` as labels, contiguous."""
    expected = "whole numbers from 0 (unlabelled) on"
    if values.size == 0:
        raise InputFileError(path, f"an array of {size_text(values.shape)}", "a label map")
    if values.dtype.kind not in "biuf":
        raise InputFileError(path, f"values of type {values.dtype}", expected)
    if values.dtype.kind == "f":
        broken = values[~np.isfinite(values) | (values != np.floor(values))]
        if broken.size:
            raise InputFileError(path, f"the value {broken.flat[0]:g} as a label", expected)
    lowest, highest = values.min(), values.max()
    if lowest < 0 or highest > _HIGHEST_LABEL:
        wrong = lowest if lowest < 0 else highest
        raise InputFileError(path, f"the label {int(wrong)}", f"{expected}, up to {_HIGHEST_LABEL}")
    return np.ascontiguousarray(values, dtype=np.int32)
