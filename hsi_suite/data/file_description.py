"""What `hsi data info` says of a file: a cube, a label map, drawn labels or a split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from .drawn_description import describe_drawn
from .formats.cube_file import CubeFile
from .formats.drawn_formats import recognise_drawn
from .formats.label_values import LabelFile
from .missing_data import band_list
from .readers import open_cube, read_labels
from .scene import Georeference
from .split_contents import list_arrays, named_parts
from .value_scale import declared_scale
from .wavelengths import wavelength_span

# A map with more values than this is no label map that anybody would want listed.
_MOST_VALUES = 256


def describe_file(
    path: Path,
    *,
    scene_variable: str | None = None,
    axes: str | None = None,
    shape: Sequence[int] | None = None,
    nodata: float | None = None,
) -> dict[str, Any]:
    """What a file says of itself, of plain types; of label maps and splits also what they hold.

    The values of a cube are read only where its header does not give their type (MATLAB up to
    v7).

    Args:
        path: a cube, a label map, drawn labels or a split.
        scene_variable: which of several arrays the cube is; see `readers.open_cube` for the rest.
        axes: order of its axes.
        shape: lines and samples of a matrix of spectra.
        nodata: value of missing data.

    Raises:
        InputFileError: the file is missing or none of these.
    """
    drawn = recognise_drawn(path)
    if drawn is not None:
        return describe_drawn(path, drawn)
    reading: dict[str, Any] = {
        "variable": scene_variable,
        "axes": axes,
        "shape": shape,
        "nodata": nodata,
    }
    plain = all(value is None for value in reading.values())
    try:
        with open_cube(path, **reading) as cube:
            described = _described_cube(path, cube)
            one_band = cube.shape[2] == 1 and cube.dtype.kind in "iub"
    except InputFileError as error:
        other = (_described_split(path) or _described_labels(path)) if plain else None
        if other is None:
            raise
        return _with_the_rest(path, other, error)
    return (_described_labels(path) if plain and one_band else None) or described


def _described_cube(path: Path, cube: CubeFile) -> dict[str, Any]:
    bad = cube.bad_bands
    return {
        "path": str(path),
        "format": cube.format,
        **_product(cube),
        "shape": list(cube.shape),
        "dtype": str(cube.dtype),
        "wavelengths_nm": wavelength_span(cube.wavelengths),
        "fwhm_nm": wavelength_span(cube.fwhm),
        "scale": _scale(cube),
        **_place(cube.georeference),
        "pixels_at": cube.geolocation.words if cube.geolocation is not None else None,
        "nodata": cube.nodata,
        "mask": "pixels are masked" if cube.mask is not None else None,
        "bad_bands": f"{len(bad)} ({band_list(bad)})" if bad else None,
        "remarks": list(cube.remarks),
    }


def _product(cube: CubeFile) -> dict[str, Any]:
    facts = cube.product
    if facts is None:
        return {}
    return {
        "product": f"{facts.title}{f', version {facts.version}' if facts.version else ''}",
        "quantity": f"{facts.quantity} [{facts.unit}]" if facts.unit else facts.quantity,
        "position": facts.position,
        "quality": facts.quality or None,
    }


def _scale(cube: CubeFile) -> str | None:
    """How the stored values become what they stand for; None where the file does not say."""
    scale = declared_scale(cube)
    if scale is None:
        return None
    texts = []
    for values in (scale.gain, scale.offset):
        low, high = min(values) + 0.0, max(values) + 0.0  # -0.0 becomes 0.0
        texts.append(f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g} by band")
    gain, offset = texts
    return f"value × {gain}" if offset == "0" else f"value × {gain}, + {offset}"


def _with_the_rest(path: Path, other: dict[str, Any], error: InputFileError) -> dict[str, Any]:
    """What a file holds instead of a cube, and why of several arrays none is one."""
    try:
        several = len(list_arrays(path)) > 1
    except InputFileError:
        several = False
    if several and "remarks" in other:
        said = f"no cube: it {error.found}; a cube is lines × samples × bands"
        other["remarks"].append(f"{said}; {error.remedy}" if error.remedy else said)
    return other


def _described_labels(path: Path) -> dict[str, Any] | None:
    try:
        truth = read_labels(path)
    except InputFileError:
        return None
    pixels = np.bincount(truth.labels.ravel()) if truth.labels.size else np.zeros(1, np.int64)
    if np.count_nonzero(pixels) > _MOST_VALUES or len(pixels) > _MOST_VALUES:
        return None
    return {
        "path": str(path),
        "format": "a label map, for --labels",
        "shape": list(truth.labels.shape),
        **_place(truth.georeference),
        "labelled": int(pixels[1:].sum()),
        "unlabelled": int(pixels[0]),
        "remarks": list(truth.remarks),
        "class_names": _names(truth, len(pixels) - 1),
        "pixels": pixels[1:].tolist(),
    }


def _names(truth: LabelFile, classes: int) -> list[str]:
    known = list(truth.class_names or ())[:classes]
    first = truth.first_value
    return known + [f"class {label + first}" for label in range(len(known), classes)]


def _described_split(path: Path) -> dict[str, Any] | None:
    try:
        parts = named_parts(path, list_arrays(path))
    except InputFileError:
        return None
    if not {"train", "test"} <= parts.keys():
        return None
    sizes = {part: _size(values) for part, values in parts.items()}
    return {
        "path": str(path),
        "format": "a split, for --split-file",
        "shape": list(parts["train"].shape),
        **sizes,
    }


def _size(part: NDArray[np.generic]) -> int:
    """How many pixels a part has: a mask, a label map, or a list of indices."""
    if part.dtype == bool or (part.ndim > 1 and min(part.shape) > 2):
        return int(np.count_nonzero(part))
    return max(part.shape, default=0)


def _place(reference: Georeference | None) -> dict[str, Any]:
    return {
        "crs": reference.crs if reference else None,
        "transform": list(reference.transform) if reference else None,
    }
