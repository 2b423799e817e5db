"""A reference moved to where a noisy photograph shows the same: parts of a pixel, and brightness.

References of real cameras are means of many exposures, and between those and the one that is
scored the camera or the light has often moved. No denoiser can or should undo that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..restoration.colour import LUMA

Plane = NDArray[np.float64]

# Lines and samples at the border that a moved reference does not know, and that are cut off.
MARGIN = 8
# Noise is smoothed away before gradients are compared; steps end where they are this short.
_SMOOTHING, _STEPS, _SHORT = 1.0, 10, 1e-3
# Farther than this, gradients say nothing about the way.
_FARTHEST = 3.0
# Two pictures show one scene where brightness of one grows with that of the other at least so much,
# unless that is uncertain: three standard errors, of values smoothed over so many pixels.
_LEAST_SLOPE, _ERRORS, _SMOOTHED_OVER = 0.2, 3, 4 * np.pi * _SMOOTHING**2
# Of the mean square: variance that rounding alone leaves of one value.
_FLAT = 1e-12


@dataclass(frozen=True, eq=False)
class Alignment:
    """A reference that lies on its noisy photograph, `MARGIN` pixels of each border left out.

    Attributes:
        noisy: lines × samples (× 3), as they were given.
        clean: of the same shape, real numbers.
        shift: by how many lines and samples it was moved.
    """

    noisy: NDArray[Any]
    clean: NDArray[np.float64]
    shift: tuple[float, float]


def align(
    noisy: NDArray[Any], clean: NDArray[Any], shift: tuple[float, float] | None = None
) -> Alignment:
    """A clean photograph at the place and with the brightness that a noisy one has.

    The shift is that of least squares between both (Lucas and Kanade, 1981), found in luma and
    made by a spline of degree 5; brightness follows by a straight line for each channel.

    Args:
        noisy: lines × samples (× 3), at least 32 × 32.
        clean: of the same shape.
        shift: by how many lines and samples to move it; None: it is looked for.

    Raises:
        ValueError: shapes differ or are smaller, the two lie more than 3 pixels apart, or they
            are not alike at any shift.
    """
    if noisy.shape != clean.shape:
        raise ValueError(f"shapes {noisy.shape} and {clean.shape} differ")
    if min(noisy.shape[:2]) < 4 * MARGIN:
        raise ValueError(f"{noisy.shape[0]} × {noisy.shape[1]} pixels are too few")
    if shift is None:
        shift = _shift_between(_luma(noisy), _luma(clean))
    observed, moved = (_channels(image) for image in (noisy, clean))
    planes = [
        _levelled(_inside(_moved(plane, shift)), _inside(seen))
        for plane, seen in zip(moved, observed, strict=True)
    ]
    inner = np.stack(planes, -1)
    clean_there = inner[..., 0] if noisy.ndim == 2 else inner
    return Alignment(_inside(noisy), clean_there, shift)


def _shift_between(noisy: Plane, clean: Plane) -> tuple[float, float]:
    target = ndimage.gaussian_filter(noisy, _SMOOTHING)
    shift = np.zeros(2)
    for _ in range(_STEPS):
        here = ndimage.gaussian_filter(_moved(clean, (shift[0], shift[1])), _SMOOTHING)
        down, right = (_inside(slope).ravel() for slope in np.gradient(here))
        values = _inside(here).ravel()
        terms = np.stack([-down, -right, np.ones_like(values), values], 1)
        step = np.linalg.lstsq(terms, (_inside(target).ravel() - values), rcond=None)[0][:2]
        shift += step
        if np.abs(shift).max() > _FARTHEST:
            raise ValueError(f"more than {_FARTHEST:g} pixels apart")
        if np.abs(step).max() < _SHORT:
            break
    if not _alike(values, _inside(target).ravel()):
        raise ValueError("alike at no shift")
    return float(shift[0]), float(shift[1])


def _alike(values: Plane, seen: Plane) -> bool:
    """Whether smoothed values that were seen grow with those of the reference."""
    spread = values - values.mean()
    variance = float(np.square(spread).mean())
    if variance <= _FLAT * float(np.square(values).mean()):
        return True
    slope = float((spread * seen).mean()) / variance
    rest = float((seen - slope * spread).std())
    error = rest / np.sqrt(variance * values.size / _SMOOTHED_OVER)
    return bool(slope + _ERRORS * error > _LEAST_SLOPE)


def _levelled(plane: Plane, seen: Plane) -> Plane:
    """A plane on the straight line that brings it nearest to another."""
    variance = plane.var()
    slope = ((plane - plane.mean()) * (seen - seen.mean())).mean() / variance if variance else 0.0
    return np.asarray(seen.mean() + slope * (plane - plane.mean()))


def _moved(plane: Plane, shift: tuple[float, float]) -> Plane:
    return np.asarray(ndimage.shift(plane, shift, order=5, mode="mirror"))


def _inside(image: NDArray[Any]) -> NDArray[Any]:
    return image[MARGIN:-MARGIN, MARGIN:-MARGIN]


def _luma(image: NDArray[Any]) -> Plane:
    values = image.astype(np.float64)
    return values if image.ndim == 2 else np.asarray(values @ np.array(LUMA))


def _channels(image: NDArray[Any]) -> list[Plane]:
    values = image.astype(np.float64)
    return [values] if image.ndim == 2 else list(np.moveaxis(values, 2, 0))
