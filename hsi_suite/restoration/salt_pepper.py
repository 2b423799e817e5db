"""Salt and pepper in photographs: single values thrown to black or white, found and filled.

Errors of transmission and dead or saturated elements do that. A value is such an impulse where it
is 0 or white and far from the median of its eight neighbours. Specks of light, texture and letters
have such values, too, so an image is only believed to be struck where black and white ones are
about as many, lie in all its parts alike, and are a good share of all that stands out so far. Of
fewer values than photographs have, as dithers and mazes, nothing is believed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .noise_signs import large_enough, middle_of

Pixels = NDArray[Any]
Plane = NDArray[np.float32]

_LEVELS = 255.0
_AROUND = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
# Levels, and standard deviations of what neighbours differ by, that are far from the median.
_FAR, _DEVIATIONS = 40.0, 4.0
_TO_SIGMA = 1.4826
# Of the values that may be struck, and of those that stand out: clean photographs that are at all
# near the other limits reach 0.005 and 0.09.
_LEAST_SHARE, _LEAST_PURE = 0.004, 0.12
# Dithers and mazes have no more different values.
_PALETTE = 16
# Of the impulses, those that are white.
_WHITE_SHARE = (0.25, 0.75)
# An image is cut into 8 × 8 cells; those where so many are expected, and so many of them, count,
# and in nearly all a third of them is there.
_CELLS, _EXPECTED, _FEWEST, _THERE, _NEARLY_ALL = 8, 8.0, 4, 1 / 3, 0.9
# Levels from what is around, beyond which an extreme value is filled once there are impulses, and
# the reach, in pixels, of what is around and of what fills.
_NEAR, _WIDE, _NARROW, _MARGIN = 20.0, 1.5, 0.6, 8
# Side, in pixels, of where most is looked for; shares of what is around that have to be known.
_MOST, _SOME, _ANY = 5, 0.3, 1e-4
_STRIP = 256


def impulse_share(image: Pixels, white: float) -> float | None:
    """Which share of an image's values salt and pepper strike; None where it has none.

    Args:
        image: lines × samples (× 3), the values of its file; the middle of a large one is looked
            at.
        white: the largest value.
    """
    planes = _planes(middle_of(image))
    if not large_enough(image) or max(len(np.unique(plane)) for plane in planes) <= _PALETTE:
        return None
    found, places = np.zeros(_CELLS * _CELLS), np.zeros(_CELLS * _CELLS)
    salt = standing_out = 0
    for plane in planes:
        levels = np.asarray(plane, np.float32) * np.float32(_LEVELS / white)
        median = ndimage.median_filter(levels, footprint=_AROUND, mode="mirror")
        beyond = levels - median
        ends = (plane == 0) | (plane == white)
        spread = _TO_SIGMA * float(np.median(np.abs(beyond[~ends]))) if not ends.all() else 0.0
        far = max(_FAR, _DEVIATIONS * spread)
        may = (median > far) & (median < _LEVELS - far)
        odd = may & (np.abs(beyond) > far)
        cells = _cells((plane.shape[0], plane.shape[1]))
        found += np.bincount(cells[odd & ends], minlength=len(found))
        places += np.bincount(cells[may], minlength=len(places))
        salt += int((odd & (plane == white)).sum())
        standing_out += int(odd.sum())
    count, share = found.sum(), found.sum() / max(places.sum(), 1)
    if share < _LEAST_SHARE or count < _LEAST_PURE * standing_out:
        return None
    counted = share * places >= _EXPECTED
    there = found[counted] >= _THERE * share * places[counted]
    least, most = _WHITE_SHARE
    even = counted.sum() >= _FEWEST and there.mean() >= _NEARLY_ALL
    return float(share) if even and least <= salt / count <= most else None


def without_impulses(image: Pixels, white: float) -> Pixels:
    """A copy of an image with its impulses filled by the mean of what is right beside them.

    Args:
        image: lines × samples (× 3), with salt and pepper.
        white: the largest value.
    """
    filled = image.copy()
    lines = len(image)
    for begin in range(0, lines, _STRIP):
        first, last = max(begin - _MARGIN, 0), min(begin + _STRIP + _MARGIN, lines)
        inner = slice(begin - first, begin - first + _STRIP)
        for plane, target in zip(_planes(image[first:last]), _planes(filled), strict=True):
            target[begin : begin + _STRIP] = _filled(plane, white)[inner]
    return filled


def _filled(plane: Pixels, white: float) -> Pixels:
    levels = np.asarray(plane, np.float32)
    ends = (plane == 0) | (plane == white)
    # Where nearly all is black or white, what most of it is.
    most = ndimage.median_filter(levels, _MOST)
    wide = _mean(levels, ~ends, _WIDE, most, _SOME)
    struck = ends & (np.abs(levels - wide) > _NEAR / _LEVELS * white)
    narrow = _mean(levels, ~struck, _NARROW, wide, _ANY)
    if plane.dtype.kind == "u":
        narrow = np.rint(narrow)
    return np.where(struck, narrow, levels).astype(plane.dtype)


def _mean(
    values: Plane, known: NDArray[np.bool_], reach: float, otherwise: Plane, least: float
) -> Plane:
    """The mean of the known values around each, nearer ones counting more; or something else.

    Args:
        values: of a plane.
        known: which of them count.
        reach: standard deviation of their weights, in pixels.
        otherwise: what is taken where less is known.
        least: share of the weights that has to be known.
    """
    total = ndimage.gaussian_filter(np.where(known, values, np.float32(0)), reach)
    weight = ndimage.gaussian_filter(known.astype(np.float32), reach)
    floor = np.float32(least)
    return np.where(weight > floor, total / np.maximum(weight, floor), otherwise)


def _planes(image: Pixels) -> list[Pixels]:
    return [image] if image.ndim == 2 else [image[..., place] for place in range(image.shape[2])]


def _cells(shape: tuple[int, int]) -> NDArray[np.intp]:
    """The cell of each pixel."""
    down, across = (np.arange(size) * _CELLS // size for size in shape)
    return np.asarray(down[:, None] * _CELLS + across, np.intp)
