"""Arrays as people hand them over: checked, and brought into the suite's order of axes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data.band_matching import KnownBands
from ..data.band_selection import BandSelection
from ..data.scene import Scene
from ..errors import ShapeError

# Names of dimensions of an `xarray.DataArray`, as rioxarray and others give them.
_BANDS = {"band", "bands", "wavelength", "wavelengths", "channel"}
_LINES = {"y", "line", "lines", "row", "rows", "latitude", "lat", "northing"}
_SAMPLES = {"x", "sample", "samples", "column", "columns", "longitude", "lon", "easting"}
_LARGEST_LABEL = 65_535


@dataclass(frozen=True)
class Cube:
    """A cube with what came along.

    Attributes:
        values: lines × samples × bands.
        wavelengths: of the bands in nm; None where the array names none.
        valid: lines × samples, False where a value is not finite; None where all are.
        template: the `DataArray` that it came from, in this order; None for others.
        fwhm: widths of the bands in nm; None when unknown.
        selection: which bands of a scene's file these are; None: all.
        mask: lines × samples, False where a scene says that there is no data; None: nowhere.
    """

    values: NDArray[np.generic]
    wavelengths: NDArray[np.float64] | None
    valid: NDArray[np.bool_] | None
    template: Any = None
    fwhm: NDArray[np.float64] | None = None
    selection: BandSelection | None = None
    mask: NDArray[np.bool_] | None = None

    @property
    def known_bands(self) -> KnownBands:
        """What is known of the bands."""
        count = self.values.shape[2]
        return KnownBands.chosen(count, self.wavelengths, self.fwhm, self.selection)

    def with_bands(self, bands: NDArray[np.intp]) -> Cube:
        """Some of its bands, by their numbers from 0."""
        values = np.take(self.values, bands, axis=2)
        return replace(
            self,
            values=values,
            wavelengths=None if self.wavelengths is None else self.wavelengths[bands],
            fwhm=None if self.fwhm is None else self.fwhm[bands],
            valid=_valid(values, self.mask),
            selection=None,
        )

    def like(self, layer: NDArray[Any]) -> Any:
        """A layer of lines × samples as the cube was given: a `DataArray` with its coordinates."""
        if self.template is None:
            return layer
        import xarray

        y, x = self.template.dims[:2]
        coordinates = {
            name: values
            for name, values in self.template.coords.items()
            if set(values.dims) <= {y, x}
        }
        return xarray.DataArray(layer, coords=coordinates, dims=(y, x))


def as_cube(cube: Any, name: str = "cube") -> Cube:
    """A cube from a NumPy array, an `xarray.DataArray` or a `Scene`.

    Args:
        cube: lines × samples × bands; of a `DataArray` in any order, known by the names of its
            dimensions (band, y, x and their like), wavelengths in nm by a coordinate of that name.
        name: for messages.

    Raises:
        ShapeError: it has other dimensions, is empty, or is not of numbers.
    """
    if isinstance(cube, Scene):
        values = _numbers(cube.cube, name)
        valid = _valid(values, cube.valid)
        return Cube(values, cube.wavelengths, valid, None, cube.fwhm, cube.selection, cube.valid)
    template, wavelengths = None, None
    if hasattr(cube, "dims") and hasattr(cube, "coords"):
        template, wavelengths = _ordered(cube, name)
        cube = template.values
    values = _numbers(cube, name)
    if values.ndim != 3 or not values.size:
        raise ShapeError(name, f"an array of shape {values.shape}", "lines × samples × bands")
    return Cube(values, wavelengths, _valid(values, None), template)


def _valid(values: NDArray[np.generic], mask: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    """Where all values are finite and a mask lets them count; None: everywhere."""
    if values.dtype.kind != "f":
        return mask
    finite: NDArray[np.bool_] = np.isfinite(values).all(2)
    if mask is not None:
        finite &= mask
    return None if finite.all() else finite


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
    given = _numbers(getattr(labels, "values", labels), name)
    if size is None and given.ndim != 2:
        raise ShapeError(name, f"shape {given.shape}", "lines × samples")
    if size is not None and given.shape != size:
        raise ShapeError(name, f"shape {given.shape}", f"{size}, as the cube has")
    # NaN differs from itself.
    if given.dtype.kind == "f" and not (given == np.floor(given)).all():
        raise ShapeError(name, "values that are no whole numbers", "0 and class numbers")
    if given.min() < 0 or given.max() > _LARGEST_LABEL:
        found = f"values from {given.min():g} to {given.max():g}"
        raise ShapeError(name, found, f"0 for unlabelled, classes from 1 to {_LARGEST_LABEL:,}")
    if not given.any():
        raise ShapeError(name, "no labelled pixel", "class numbers from 1 on")
    return given.astype(np.uint16)


def as_polygons(polygons: Any) -> NDArray[np.integer]:
    """The number of the polygon that each pixel lies in, 0 for none; any number of them.

    Raises:
        ShapeError: it is not lines × samples of whole numbers from 0 on.
    """
    found = np.asarray(polygons)
    if found.ndim != 2 or found.dtype.kind not in "iu" or (found.size and found.min() < 0):
        what = f"{found.dtype} of shape {found.shape}"
        raise ShapeError("polygons", what, "lines × samples of whole numbers, 0 for no polygon")
    return found


def as_mask(mask: Any, size: tuple[int, int], name: str) -> NDArray[np.bool_]:
    """A mask of lines × samples; numbers count where they are not 0.

    Raises:
        ShapeError: it is of another size.
    """
    given = np.asarray(getattr(mask, "values", mask))
    if given.shape != size or given.dtype.kind not in "buif":
        raise ShapeError(name, f"shape {given.shape}, {given.dtype}", f"a mask of {size}")
    return given.astype(bool)


def _numbers(array: ArrayLike, name: str) -> NDArray[np.generic]:
    try:
        values = np.asarray(array)
    except ValueError as error:
        raise ShapeError(name, "rows of different lengths", "an array of numbers") from error
    if values.dtype.kind not in "uif":
        raise ShapeError(name, f"values of type {values.dtype}", "whole or real numbers")
    return values


def _ordered(cube: Any, name: str) -> tuple[Any, NDArray[np.float64] | None]:
    """A `DataArray` as lines × samples × bands, and its wavelengths."""
    found = []
    for kind in (_LINES, _SAMPLES, _BANDS):
        named = [dim for dim in cube.dims if str(dim).lower() in kind]
        if len(named) != 1 or len(cube.dims) != 3:
            dims = ", ".join(map(str, cube.dims))
            raise ShapeError(name, f"dimensions {dims}", "y, x and band", "rename them")
        found += named
    ordered = cube.transpose(*found)
    for coordinate in ("wavelength", "wavelengths"):
        if coordinate in ordered.coords and ordered.coords[coordinate].dims == (found[2],):
            return ordered, np.asarray(ordered.coords[coordinate].values, np.float64)
    return ordered, None
