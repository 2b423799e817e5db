"""Filters of finished class maps: the most frequent class around, and no small areas."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .formats.reading_guard import quiet_libraries
from .pixel_areas import line_areas
from .scene import Georeference

Labels = NDArray[np.integer[Any]]

_MIN_AREA = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(px|m2|m²|ha|)\s*", re.IGNORECASE)
_SQUARE_METRES = {"m2": 1.0, "m²": 1.0, "ha": 1e4}
# Lines that are counted at a time.
_LINES = 256
# Bytes for each pixel that the filters take beside maps: GDAL's lists of regions, where hardly two
# pixels are alike (measured: 24).
_REGION_BYTES = 26


@dataclass(frozen=True)
class MapFilter:
    """What is done to a finished map, in this order.

    Attributes:
        majority: side of the window whose most frequent class each pixel takes; None: none.
        min_area: the smallest region that stays, in pixels; None: all stay.
    """

    majority: int | None = None
    min_area: int | None = None

    def __bool__(self) -> bool:
        return self.majority is not None or self.min_area is not None

    def __str__(self) -> str:
        parts = []
        if self.majority is not None:
            parts.append(f"majority of {self.majority} × {self.majority} pixels")
        if self.min_area is not None:
            parts.append(f"regions of at least {self.min_area} pixels")
        return " and then ".join(parts)

    def memory(self, pixels: int, itemsize: int) -> float:
        """About the bytes that `apply` takes, the result included."""
        regions = 0 if self.min_area is None else _REGION_BYTES + 5 * itemsize
        return pixels * (2.0 * itemsize + regions)

    def apply(self, labels: Labels) -> Labels:
        """The filtered map; 0, no data, stays where it is and nothing becomes it.

        Args:
            labels: lines × samples.
        """
        filtered = labels if self.majority is None else majority(labels, self.majority)
        return filtered if self.min_area is None else without_small(filtered, self.min_area)


def check_filters(size: int | None, area: str | float | None) -> tuple[float, str] | None:
    """The number and the unit of the smallest region; None where none was asked for.

    Args:
        size: as of `map_filter`; so is `area`.
        area: see there.

    Raises:
        ConfigError: the window is not odd, or the area is none.
    """
    if size is not None and (size < 3 or not size % 2):
        raise ConfigError("--majority", f"{size}", "an odd number of pixels from 3 on", "3, say")
    if area is None:
        return None
    match = _MIN_AREA.fullmatch(f"{area:f}" if isinstance(area, float) else str(area))
    if match is None or not float(match[1]):
        raise ConfigError(
            "--min-area", f"{area}", "pixels such as 12px or an area such as 3600m2 or 2ha"
        )
    return float(match[1]), match[2].lower()


def map_filter(
    size: int | None, area: str | float | None, georeference: Georeference | None, lines: int
) -> MapFilter:
    """The filter that a user asks for.

    Args:
        size: side of the majority's window.
        area: the smallest region: pixels (12, "12px") or an area on the ground ("3600m2", "2ha").
        georeference: of the map.
        lines: its number of lines.

    Raises:
        ConfigError: the window is not odd, or the area is none or cannot be told in pixels.
    """
    smallest = check_filters(size, area)
    if smallest is None:
        return MapFilter(size)
    number, unit = smallest
    if unit in _SQUARE_METRES:
        areas = line_areas(georeference, lines)
        if areas is None:
            raise ConfigError(
                "--min-area", f"{area} for a scene of unknown pixel size", "pixels", "give it in px"
            )
        number *= _SQUARE_METRES[unit] / float(areas.mean())
    # A hair of tolerance: 4 pixels of 900 m² are 3600 m² whatever rounding says.
    pixels = max(1, math.ceil(number * (1 - 1e-9)))
    return MapFilter(size, min(pixels, np.iinfo(np.int32).max))


def majority(labels: Labels, size: int) -> Labels:
    """Give each pixel the most frequent class of the window around it.

    Pixels without data (0) stay so and have no vote; windows are cut at the map's edges. Of several
    most frequent classes a pixel keeps its own if it is one of them, else takes the lowest.

    Args:
        labels: lines × samples, 0 where there is no data.
        size: side of the window, odd.
    """
    filtered, radius = np.empty_like(labels), size // 2
    for first in range(0, len(labels), _LINES):
        last = min(first + _LINES, len(labels))
        above = max(0, first - radius)
        part = np.asarray(labels[above : last + radius])
        inner = slice(first - above, last - above)
        filtered[first:last] = _majority_of(part, inner, radius)
    return filtered


def _majority_of(part: Labels, inner: slice, radius: int) -> Labels:
    own = part[inner]
    best = np.zeros_like(own)
    most = np.zeros(own.shape, np.int32)
    for value in np.unique(part[part > 0]):
        votes = _window_sums(part == value, inner, radius)
        # In rising order, so that the lowest of equals stays; but a pixel's own class wins.
        better = (votes > most) | ((votes == most) & (own == value))
        best[better], most[better] = value, votes[better]
    best[own == 0] = 0
    return best


def _window_sums(mask: NDArray[np.bool_], inner: slice, radius: int) -> NDArray[np.int32]:
    """How many are True in the window around each pixel of some lines."""
    sums = np.pad(mask.cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32), ((1, 0), (1, 0)))
    lines, samples = mask.shape
    row, column = np.arange(inner.start, inner.stop), np.arange(samples)
    top, bottom = np.maximum(row - radius, 0), np.minimum(row + radius + 1, lines)
    left, right = np.maximum(column - radius, 0), np.minimum(column + radius + 1, samples)
    rows = sums[bottom] - sums[top]
    counts: NDArray[np.int32] = rows[:, right] - rows[:, left]
    return counts


def without_small(labels: Labels, pixels: int) -> Labels:
    """Give regions below a size the class of their largest neighbour.

    Regions are pixels of one class that share edges. GDAL's sieve does it, once more until nothing
    changes, as a region may have had small neighbours only. Pixels without data (0) stay so. Small
    regions join those of at least the size: where none can be reached, they stay. Of neighbours of
    one size the first in GDAL's order counts.

    Args:
        labels: lines × samples, 0 where there is no data.
        pixels: the smallest region that stays.

    Raises:
        ConfigError: rasterio is not installed.
    """
    try:
        from rasterio.features import sieve
    except ImportError:
        raise ConfigError(
            "--min-area", "rasterio is not installed", "", "install hsi-suite[geo]"
        ) from None
    if pixels >= labels.size:  # No region is larger for another to join, and rasterio refuses it.
        return labels.copy()
    valid = labels > 0
    while True:
        with quiet_libraries():
            filtered: Labels = sieve(labels, pixels, mask=valid, connectivity=4)
        if np.array_equal(filtered, labels):
            return filtered
        labels = filtered


def count_small(labels: Labels, pixels: int) -> int:
    """How many regions (of shared edges) of a map are below a size; see `without_small`.

    Args:
        labels: lines × samples, 0 where there is no data.
        pixels: the size.
    """
    # Here, so that filters can be checked before anything heavy is loaded.
    from scipy.ndimage import label

    found = 0
    for value in np.unique(labels[labels > 0]):
        regions, _ = label(labels == value)
        found += int((np.bincount(regions.reshape(-1))[1:] < pixels).sum())
    return found
