"""A class map's regions as polygons, strip by strip.

A region is what shares a class and pixel edges (4-connected). Polygons are those of
`rasterio.features.shapes`, in samples and lines from the map's upper-left corner; a region that
several strips cut is put together from its parts as soon as it is complete, so that memory holds
what is open at the last line read, and nothing of the map.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from .formats.reading_guard import quiet_libraries

Labels = NDArray[np.integer[Any]]
Region = tuple[int, shapely.Polygon]

STRIP_PIXELS = 2**18
"""Pixels of a strip: where hardly two are alike, their polygons take 100 MB (measured)."""


def map_polygons(strips: Iterable[Labels]) -> Iterator[Region]:
    """The class and the polygon of each region of a map.

    Args:
        strips: the map's lines from the first on, lines × samples each; 0 where there is no data,
            which gets no polygon.

    Yields:
        class, polygon in samples and lines (x to the right, y down, from 0).
    """
    seam = _Seam()
    first = 0
    previous: Labels | None = None
    for strip in strips:
        parts = _parts(strip, first)
        last = first + len(strip)
        top = _touching(parts, first, strip.shape[1])
        bottom = _touching(parts, last, strip.shape[1])
        joined = np.zeros(strip.shape[1], bool)
        if previous is not None:
            joined = (previous == strip[0]) & (strip[0] > 0)
        waiting = set(np.unique(np.concatenate([top[joined], bottom[bottom >= 0]])).tolist())
        yield from (part for number, part in enumerate(parts) if number not in waiting)
        yield from seam.go_on({number: parts[number] for number in waiting}, top, bottom, joined)
        previous, first = strip[-1].copy(), last
    yield from seam.close(set())


def _parts(strip: Labels, first: int) -> list[Region]:
    """The regions of some lines as if they were all, in GDAL's order."""
    from rasterio.features import shapes
    from rasterio.transform import Affine

    corners: list[tuple[float, float]] = []
    sizes: list[int] = []
    owners: list[int] = []
    classes: list[int] = []
    with quiet_libraries():
        transform = Affine.translation(0, first)
        for shape, label in shapes(strip, mask=strip > 0, connectivity=4, transform=transform):
            for ring in shape["coordinates"]:
                corners += ring
                sizes.append(len(ring))
                owners.append(len(classes))
            classes.append(int(label))
    if not classes:
        return []
    # All at once, which is many times faster than one by one.
    rings = shapely.linearrings(corners, indices=np.repeat(np.arange(len(sizes)), sizes))
    return list(zip(classes, shapely.polygons(rings, indices=owners), strict=True))


def _touching(parts: list[Region], y: int, samples: int) -> NDArray[np.int64]:
    """For each sample the number of the part that has an edge there on a line, or −1."""
    numbers = np.full(samples, -1)
    polygons = np.array([polygon for _, polygon in parts], object)
    for number in np.flatnonzero((shapely.bounds(polygons)[:, 1::2] == y).any(axis=1)).tolist():
        # What lies on the border of a strip is never a hole's.
        corners = shapely.get_coordinates(polygons[number].exterior)
        on = (corners[:-1, 1] == y) & (corners[1:, 1] == y)
        for (left, _), (right, _) in zip(corners[:-1][on], corners[1:][on], strict=True):
            numbers[int(min(left, right)) : int(max(left, right))] = number
    return numbers


@dataclass
class _Seam:
    """The regions that reach the last line read.

    Attributes:
        below: for each sample the key of the region that reaches it there, or −1.
        regions: class and parts of each by its key.
        next_key: the first key that is not used.
    """

    below: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    regions: dict[int, tuple[int, list[shapely.Polygon]]] = field(default_factory=dict)
    next_key: int = 0

    def go_on(
        self,
        parts: dict[int, Region],
        top: NDArray[np.int64],
        bottom: NDArray[np.int64],
        joined: NDArray[np.bool_],
    ) -> Iterator[Region]:
        """Take the parts of the next strip that reach another one.

        Args:
            parts: class and polygon by number.
            top: for each sample the number of the part at the strip's first line.
            bottom: the same at its last line.
            joined: where the first line goes on with the region above.

        Yields:
            The regions that are complete now.
        """
        keys = {number: self.next_key + place for place, number in enumerate(sorted(parts))}
        self.next_key += len(parts)
        self.regions |= {keys[number]: (part[0], [part[1]]) for number, part in parts.items()}
        now: dict[int, int] = {}
        if joined.any():
            pairs = np.unique(np.stack([self.below[joined], top[joined]]), axis=1)
            for above, number in pairs.T.tolist():
                self._join(_root(now, above), _root(now, keys[number]), now)
        reached = {
            number: _root(now, keys[number]) for number in np.unique(bottom).tolist() if number >= 0
        }
        yield from self.close(set(reached.values()))
        lookup = np.full(int(bottom.max(initial=-1)) + 2, -1)
        for number, key in reached.items():
            lookup[number] = key
        self.below = lookup[bottom]

    def close(self, still_open: set[int]) -> Iterator[Region]:
        """The regions but those of some keys, each as one polygon."""
        for key in [key for key in self.regions if key not in still_open]:
            label, parts = self.regions.pop(key)
            # The union leaves corners where strips met on a straight edge.
            whole = parts[0] if len(parts) == 1 else shapely.simplify(shapely.union_all(parts), 0)
            yield label, whole

    def _join(self, one: int, other: int, now: dict[int, int]) -> None:
        if one == other:
            return
        # The longer list takes in the shorter one.
        if len(self.regions[one][1]) < len(self.regions[other][1]):
            one, other = other, one
        self.regions[one][1].extend(self.regions.pop(other)[1])
        now[other] = one


def _root(now: dict[int, int], key: int) -> int:
    """The key that a region goes by since it was joined with others."""
    while key in now:
        key = now[key]
    return key
