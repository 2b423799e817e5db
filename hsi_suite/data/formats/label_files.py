"""Label maps on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import InputFileError
from ...memory import require_room
from .array_axes import ArrayRequest
from .array_choice import LABELS_OPTION, choose_map
from .cut_pictures import check_complete
from .envi_files import open_envi
from .file_format import FileFormat, recognise_format
from .label_values import LabelFile, StoredLabels, understood_labels
from .matlab_files import list_matlab_arrays, load_matlab_array
from .numpy_files import list_npz_arrays, load_npy_map, load_npz_array
from .other_formats import open_other
from .reading_guard import reading
from .side_masks import with_side_mask
from .tiff_files import open_tiff

_CUBES = (FileFormat.TIFF, FileFormat.ENVI_HEADER, FileFormat.ENVI_DATA, FileFormat.OTHER)
_WITH_VARIABLES = (
    FileFormat.MATLAB, FileFormat.HDF5, FileFormat.NPZ, FileFormat.XML, FileFormat.OTHER,
)  # fmt: skip


def read_labels(
    path: Path | str, *, variable: str | None = None, unlabelled: float | None = None
) -> LabelFile:
    """Read a label map: MATLAB (all versions), HDF5, NPY, NPZ, ENVI, TIFF or PNG.

    0 is unlabelled, and so is a nodata value that the file names. Where that is another one and
    0 occurs too, the caller must say what 0 is, or a class could vanish.

    Args:
        path: the file.
        variable: which of several arrays is meant.
        unlabelled: the value of unlabelled pixels. Another one than 0 makes 0 a class of its own,
            where it occurs: value k of the file is label k + 1 then.

    Raises:
        InputFileError: the file is missing, damaged or of another kind; it holds something else
            than one band of whole numbers from 0 on, or several arrays that could be meant; or it
            does not say whether 0 is a class.
    """
    path = Path(path)
    kind = recognise_format(path)
    refuse_variable(path, kind, variable, LABELS_OPTION)
    if kind in _CUBES:
        stored = _read_raster(path, kind, variable)
    elif kind is FileFormat.PNG:
        values, colours = _read_png(path)
        stored = StoredLabels(path, values, colours=colours, files=(path,))
    elif kind is FileFormat.HDF5:
        from .hdf5_files import load_hdf5_map

        values, missing = load_hdf5_map(path, variable, LABELS_OPTION)
        remarks = tuple(f"{path.name}: {remark}" for remark in missing.remarks)
        stored = StoredLabels(path, values, missing.value, files=(path,), remarks=remarks)
    else:
        stored = StoredLabels(path, _read_array(path, kind, variable), files=(path,))
    return understood_labels(stored, unlabelled)


def refuse_variable(path: Path, kind: FileFormat, variable: str | None, option: str) -> None:
    """Refuse the name of a variable for a format that has no variables.

    Raises:
        InputFileError: a variable is named.
    """
    if variable is not None and kind not in _WITH_VARIABLES:
        raise InputFileError(
            path,
            f"{option} {variable} names a variable",
            "",
            f"{kind} files have none: leave it out",
        )


def _read_raster(path: Path, kind: FileFormat, variable: str | None) -> StoredLabels:
    if kind is FileFormat.OTHER:
        opened = open_other(path, ArrayRequest(variable))
    else:
        opened = with_side_mask(open_tiff(path) if kind is FileFormat.TIFF else open_envi(path))
    with opened as file:
        if file.shape[2] != 1:
            raise InputFileError(
                path, f"{file.shape[2]} bands", "a label map of one band", "this may be a picture"
            )
        held = None if file.mask is None else file.mask.read_lines(0, file.shape[0])
        return StoredLabels(
            path,
            file.read()[:, :, 0],
            file.nodata,
            file.class_names,
            file.colours,
            file.georeference,
            file.files,
            file.remarks,
            held,
        )


def _read_array(path: Path, kind: FileFormat, variable: str | None) -> NDArray[Any]:
    choice: dict[str, Any] = {"variable": variable, "option": LABELS_OPTION}
    if kind is FileFormat.MATLAB:
        return load_matlab_array(path, choose_map(path, list_matlab_arrays(path), **choice))
    if kind is FileFormat.NPZ:
        return load_npz_array(path, choose_map(path, list_npz_arrays(path), **choice))
    if kind is FileFormat.NPY:
        return load_npy_map(path)
    raise InputFileError(path, f"the content is {kind}", "a label map")


def _read_png(path: Path) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
    with reading(path, "a PNG file"), Image.open(path, formats=["PNG"]) as image:
        if image.mode not in ("1", "L", "P", "I", "I;16"):
            raise InputFileError(
                path,
                f"a picture in colours ({image.mode})",
                "a palette or grey PNG whose values are the labels",
                "save the labels, not a picture of them",
            )
        require_room(path, 4.0 * image.width * image.height)
        check_complete(path)
        values = np.asarray(image)
        if image.mode == "P":
            return values, np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
        with path.open("rb") as file:
            file.seek(24)
            bits = file.read(1)[0]
    if bits in (2, 4) and image.mode == "L":  # pillow stretches these greys to 0 … 255
        values = values // (255 // (2**bits - 1))
    return values, None
