"""Arrays of numbers in memory, and `xarray.DataArray`s in the suite's order of axes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ShapeError
from .formats.array_axes import CUBE_AXES, axis_named, named_axes
from .formats.wavelength_units import in_nanometres, no_wavelengths

LARGEST_LABEL = 65_535
_WIDEST = 8  # bytes of a value; longer ones torch and files do not have
_WAVELENGTHS = ("wavelength", "wavelengths")


def as_labels(
    labels: Any, size: tuple[int, int] | None = None, name: str = "labels"
) -> NDArray[np.integer]:
    """A label map: 0 is unlabelled, classes are whole numbers from 1 to 65,535, gaps allowed.

    Args:
        labels: lines × samples.
        size: lines and samples of the cube; None takes any.
        name: for messages.

    Raises:
        ShapeError: it is of another size, or holds other values.
    """
    given = plain_numbers(ordered_layer(labels, name), name, gaps=0)
    if given.ndim != 2 or not given.size:
        raise ShapeError(name, f"shape {given.shape}", "lines × samples")
    if size is not None and given.shape != size:
        remedy = "turn it: labels.T" if given.shape == size[::-1] else ""
        raise ShapeError(name, f"shape {given.shape}", f"{size}, as the cube has", remedy)
    # NaN differs from itself.
    if given.dtype.kind == "f" and not (given == np.floor(given)).all():
        raise ShapeError(name, "values that are no whole numbers", "0 and class numbers")
    if given.min() < 0 or given.max() > LARGEST_LABEL:
        found = f"values from {given.min():g} to {given.max():g}"
        raise ShapeError(name, found, f"0 for unlabelled, classes from 1 to {LARGEST_LABEL:,}")
    if not given.any():
        raise ShapeError(name, "no labelled pixel", "class numbers from 1 on")
    return given.astype(np.uint16)


def is_data_array(array: Any) -> bool:
    """Whether an array is an `xarray.DataArray`, or looks like one."""
    fields = hasattr(array, "dims") and hasattr(array, "coords")
    return fields and not hasattr(array, "data_vars")  # as a Dataset has


def plain_array(array: Any, name: str) -> NDArray[Any]:
    """An array of whatever a user gave.

    Raises:
        ShapeError: it makes none, or is the name of a file.
    """
    if isinstance(array, str | os.PathLike):
        remedy = "read the file first, a cube with hsi_suite.read_scene"
        raise ShapeError(name, f"the name {os.fspath(array)!r}", "an array of numbers", remedy)
    try:
        return np.asanyarray(array)
    except (ValueError, TypeError, RuntimeError) as error:
        found = "rows of different lengths" if isinstance(error, ValueError) else str(error)
        raise ShapeError(name, found, "an array of numbers") from error


def plain_numbers(array: Any, name: str, gaps: float | None = None) -> NDArray[np.generic]:
    """Numbers in this machine's order of bytes; masked ones are replaced by `gaps`.

    Raises:
        ShapeError: it holds something else, or masked values where `gaps` is None.
    """
    values = plain_array(array, name)
    if values.dtype.kind not in "uif":
        remedy = "give array.astype(float), if these are numbers" if values.dtype == object else ""
        found = f"values of type {values.dtype}"
        raise ShapeError(name, found, "whole or real numbers", remedy)
    if values.dtype.itemsize > _WIDEST:
        values = values.astype(np.float64)
    if values.dtype == np.float16 or values.dtype.byteorder == ">":
        kind = np.float32 if values.dtype == np.float16 else values.dtype.newbyteorder("=")
        values = values.astype(kind)
    if isinstance(values, np.ma.MaskedArray):
        values = _unmasked(values, name, gaps)
    return np.asarray(values)


def _unmasked(values: Any, name: str, gaps: float | None) -> NDArray[np.generic]:
    masked = np.ma.getmaskarray(values)
    if not masked.any():
        return np.asarray(values.data)
    if gaps is None:
        raise ShapeError(name, f"{int(masked.sum()):,} masked values", "numbers", "fill them first")
    kind = values.dtype
    if np.isnan(gaps) and kind.kind != "f":
        kind = np.result_type(kind, np.float32)
    filled: NDArray[np.generic] = values.astype(kind).filled(gaps)
    return filled


def ordered_layer(layer: Any, name: str) -> Any:
    """A layer, of a `DataArray` as lines × samples whatever the order of its dimensions.

    Raises:
        ShapeError: its two dimensions are not named as lines and samples.
    """
    if not is_data_array(layer):
        return layer
    found = [[dim for dim in layer.dims if axis_named(str(dim)) == axis] for axis in "yx"]
    if len(layer.dims) == 2 and [len(named) for named in found] == [1, 1]:
        return layer.transpose(found[0][0], found[1][0]).values
    if len(layer.dims) == 2:
        dims = ", ".join(map(str, layer.dims))
        raise ShapeError(name, f"dimensions {dims}", "y and x", "rename them")
    return layer.values


def ordered_cube(cube: Any, name: str) -> tuple[Any, NDArray[np.float64] | None]:
    """A `DataArray` as lines × samples × bands, and its wavelengths in nm.

    Raises:
        ShapeError: its dimensions are not named so, or its wavelengths are in no known unit.
    """
    axes = named_axes([str(dim) for dim in cube.dims])
    if axes is None:
        dims = ", ".join(map(str, cube.dims))
        raise ShapeError(name, f"dimensions {dims}", "y, x and band", "rename them")
    ordered = cube.transpose(*(cube.dims[axes.index(axis)] for axis in CUBE_AXES))
    for coordinate in _WAVELENGTHS:
        if coordinate in ordered.coords and ordered.coords[coordinate].dims == ordered.dims[2:]:
            return ordered, _nanometres(ordered.coords[coordinate], f"{name}.{coordinate}")
    return ordered, None


def _nanometres(coordinate: Any, name: str) -> NDArray[np.float64] | None:
    """Wavelengths of a coordinate in nm; None where it only counts the bands."""
    values = np.asarray(coordinate.values)
    if values.dtype.kind not in "iuf":
        raise ShapeError(name, f"values of type {values.dtype}", "numbers in nm or µm")
    unit = str(coordinate.attrs.get("units", ""))
    centres = values.astype(np.float64).tolist()
    why = no_wavelengths(centres, unit)
    if why and not (unit == "" and np.array_equal(values, np.arange(len(values)))):
        raise ShapeError(name, f"it {why}", "wavelengths in nm, or another unit in attrs['units']")
    return in_nanometres(centres, unit)
