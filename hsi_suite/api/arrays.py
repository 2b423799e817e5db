"""Arrays as people hand them over: checked, and brought into the suite's order of axes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..data.band_matching import KnownBands
from ..data.band_selection import BandSelection
from ..data.data_arrays import (
    LARGEST_LABEL,
    is_data_array,
    ordered_cube,
    ordered_layer,
    plain_array,
    plain_numbers,
)
from ..data.scene import Scene
from ..errors import ShapeError

# Of Pillow's pictures, those whose values are brightness or red, green and blue.
_PICTURE_MODES = ("RGB", "L", "F", "I", "I;16", "I;16L", "I;16B", "I;16N")


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
        values = plain_numbers(cube.cube, cube.name, gaps=np.nan)
        valid = _valid(values, cube.valid)
        return Cube(values, cube.wavelengths, valid, None, cube.fwhm, cube.selection, cube.valid)
    template, wavelengths = None, None
    if is_data_array(cube):
        template, wavelengths = ordered_cube(cube, name)
        cube = template.values
    values = plain_numbers(cube, name, gaps=np.nan)
    if values.ndim != 3 or not values.size:
        remedy = "a single band is cube[:, :, None]" if values.ndim == 2 and values.size else ""
        found = f"an array of shape {values.shape}"
        raise ShapeError(name, found, "lines × samples × bands", remedy)
    return Cube(values, wavelengths, _valid(values, None), template)


def _valid(values: NDArray[np.generic], mask: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    """Where all values are finite and a mask lets them count; None: everywhere."""
    if values.dtype.kind != "f":
        return mask
    finite: NDArray[np.bool_] = np.isfinite(values).all(2)
    if mask is not None:
        finite &= mask
    return None if finite.all() else finite


def as_polygons(polygons: Any, size: tuple[int, ...]) -> NDArray[np.integer]:
    """The number of the polygon that each pixel lies in, 0 for none; any number of them.

    Raises:
        ShapeError: it is not lines × samples of whole numbers from 0 on, or of another size.
    """
    found = plain_numbers(ordered_layer(polygons, "polygons"), "polygons", gaps=0)
    if found.shape != size:
        raise ShapeError("polygons", f"shape {found.shape}", f"{size}, as the labels")
    if found.dtype.kind not in "iu" or found.min() < 0:
        raise ShapeError("polygons", f"values of {found.dtype}", "whole numbers, 0 for no polygon")
    return found  # type: ignore[return-value]


def as_mask(mask: Any, size: tuple[int, int], name: str) -> NDArray[np.bool_]:
    """A mask of lines × samples; numbers count where they are not 0.

    Raises:
        ShapeError: it is of another size.
    """
    given = plain_array(ordered_layer(mask, name), name)
    if isinstance(given, np.ma.MaskedArray):
        given = given.filled(0)
    if given.shape != size or given.dtype.kind not in "buif":
        raise ShapeError(name, f"shape {given.shape}, {given.dtype}", f"a mask of {size}")
    return given.astype(bool)


def as_image(image: Any, name: str = "image", *, any_shape: bool = False) -> NDArray[np.generic]:
    """An image of finite numbers, lines × samples or lines × samples × 3.

    Args:
        image: the array.
        name: for messages.
        any_shape: only look whether these are numbers.

    Raises:
        ShapeError: it is none; or one of Pillow's whose values are neither grey nor red, green and
            blue: numbers of a palette, inks, transparency.
    """
    mode = image.mode if isinstance(image, Image.Image) else _PICTURE_MODES[0]
    if mode not in _PICTURE_MODES:
        remedy = 'give image.convert("RGB"), or the file to hsi denoise, which keeps transparency'
        raise ShapeError(name, f"a picture of mode {mode}", "grey or RGB", remedy)
    values = plain_numbers(image, name, gaps=np.nan)
    if any_shape:
        return values
    if not values.size or not (values.ndim == 2 or (values.ndim == 3 and values.shape[2] == 3)):
        found = f"an array of shape {values.shape}"
        raise ShapeError(name, found, "lines × samples, or lines × samples × 3")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ShapeError(name, "values that are not finite", "numbers", "fill or crop them")
    return values


def as_weights(weights: Any, size: tuple[int, ...]) -> NDArray[np.float64]:
    """Weights of the pixels, finite and not negative.

    Raises:
        ShapeError: they have another shape, or are all 0.
    """
    values = plain_numbers(ordered_layer(weights, "sample_weight"), "sample_weight", gaps=0)
    if values.shape != size:
        raise ShapeError("sample_weight", f"shape {values.shape}", f"{size}, as the labels")
    wide = values.astype(np.float64)
    if not np.isfinite(wide).all() or wide.min() < 0 or not wide.any():
        raise ShapeError("sample_weight", "negative, undefined or only zeros", "numbers from 0 on")
    return wide


def as_items(items: Any, name: str) -> NDArray[np.float32]:
    """Finite features, N × values, or patches, N × lines × samples × channels.

    Raises:
        ShapeError: they have another shape, or hold what is no number.
    """
    values = plain_numbers(items, name)
    if values.ndim not in (2, 4) or not values.size:
        found = f"an array of shape {values.shape}"
        raise ShapeError(name, found, "items × values, or items × lines × samples × channels")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise ShapeError(name, "values that are not finite in single precision", "numbers")
    return np.ascontiguousarray(values)


def as_classes(labels: Any) -> NDArray[np.int64]:
    """A class for each item, whole numbers from 0 on, or 0 and 1 of items × classes.

    Raises:
        ShapeError: they are neither.
    """
    values = plain_numbers(labels, "labels")
    whole = np.asarray(values == np.floor(values)) if values.dtype.kind == "f" else np.array(True)
    if not values.size or values.ndim not in (1, 2) or not whole.all():
        found = f"{values.dtype} of shape {values.shape}"
        expected = "a whole number for each item, or 0 and 1 of items × classes"
        raise ShapeError("labels", found, expected)
    highest = 1 if values.ndim == 2 else LARGEST_LABEL
    if values.min() < 0 or values.max() > highest:
        found = f"values from {values.min():g} to {values.max():g}"
        raise ShapeError("labels", found, f"0 to {highest:,}")
    return values.astype(np.int64)
