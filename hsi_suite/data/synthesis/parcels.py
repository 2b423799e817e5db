"""Maps of farmland: fields between strips and roads, woods, and what of it a surveyor labelled.

Fields are the leaves of a recursive guillotine cut in a rotated frame, so that they are slanted
rectangles side by side as in surveyed farmland; the first cuts become roads. Woods and the like
follow the level sets of a smooth random surface. Each class gets whole fields, spread over the
scene, until its count is reached; the fields left over stay unlabelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError
from .radiance import smooth_noise

_STRIP = 0.7  # half the width of the unlabelled strip between two fields, pixels
_ROAD = 1.6  # half the width that a road and its verges take, pixels
_BLOCK = 12  # fields between roads
_ATTEMPTS = 50
# A field takes at most about this part of its class, so that classes vary and lie apart; of a
# class below _SMALL_CLASS pixels one field may take all, as with real rare classes.
_FIELDS_PER_CLASS = 3
_SMALL_CLASS = 60
_SMALLEST_FIELD = 12  # pixels; a class is not left with fewer to place


class _NoRoomError(Exception):
    """A layout without enough fields for the classes; another one is drawn."""


@dataclass(frozen=True)
class ParcelMap:
    """Where everything lies.

    Attributes:
        labels: lines × samples, 0 = unlabelled.
        cover: lines × samples, the class that grows there whether labelled or not; 0 on strips
            between fields, -1 on roads.
        parcels: lines × samples, a number from 1 on for each field or wood; 0 between them.
    """

    labels: NDArray[np.uint8]
    cover: NDArray[np.int64]
    parcels: NDArray[np.int64]


@dataclass(frozen=True)
class _Field:
    """A rectangle in the rotated frame: across from u0 to u1, along from v0 to v1, in pixels."""

    u0: float
    u1: float
    v0: float
    v1: float

    @property
    def area(self) -> float:
        return max(self.u1 - self.u0, 0.0) * max(self.v1 - self.v0, 0.0)

    def cut(self, share: float, gap: float) -> tuple[_Field, _Field]:
        """Two fields with a strip of half-width `gap` between, cut across the longer side."""
        if self.u1 - self.u0 >= self.v1 - self.v0:
            at = self.u0 + share * (self.u1 - self.u0)
            return (
                _Field(self.u0, at - gap, self.v0, self.v1),
                _Field(at + gap, self.u1, self.v0, self.v1),
            )
        at = self.v0 + share * (self.v1 - self.v0)
        return (
            _Field(self.u0, self.u1, self.v0, at - gap),
            _Field(self.u0, self.u1, at + gap, self.v1),
        )


class _Canvas:
    """The pixels of a scene in the rotated frame, and those that are still free."""

    def __init__(self, shape: tuple[int, int], slant: float) -> None:
        lines, samples = np.indices(shape).astype(np.float64)
        across, along = np.cos(slant), np.sin(slant)
        self.u = samples * across + lines * along
        self.v = lines * across - samples * along
        self.free = np.ones(shape, dtype=bool)

    def whole(self) -> _Field:
        return _Field(self.u.min() - 1, self.u.max() + 1, self.v.min() - 1, self.v.max() + 1)

    def pixels(self, field: _Field, margin: float = 0.0) -> NDArray[np.bool_]:
        """The free pixels of `field` widened by `margin`."""
        inside = (self.u > field.u0 - margin) & (self.u < field.u1 + margin)
        inside &= (self.v > field.v0 - margin) & (self.v < field.v1 + margin)
        return np.asarray(inside & self.free)


def draw_parcels(
    shape: tuple[int, int],
    counts: Sequence[int],
    natural: Sequence[bool],
    parcel_area: float,
    slant: float,
    rng: np.random.Generator,
) -> ParcelMap:
    """Lay out a scene in which every class has exactly its number of labelled pixels.

    Args:
        shape: lines and samples.
        counts: labelled pixels of each class.
        natural: whether the class grows in irregular patches instead of fields.
        parcel_area: typical size of a field, pixels.
        slant: angle of the fields against the image's axes, radians.
        rng: source of the layout.

    Raises:
        ConfigError: the classes need more room than the scene has.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _attempt(shape, counts, natural, parcel_area, slant, rng)
        except _NoRoomError:
            continue
    raise ConfigError(
        "synthetic scene",
        f"no room for {sum(counts)} labelled pixels on {shape[0]} × {shape[1]}",
        "classes that cover at most about 60 % of the scene",
        "enlarge the scene or lower the classes' pixel counts",
    )


def _attempt(
    shape: tuple[int, int],
    counts: Sequence[int],
    natural: Sequence[bool],
    parcel_area: float,
    slant: float,
    rng: np.random.Generator,
) -> ParcelMap:
    canvas = _Canvas(shape, slant)
    result = ParcelMap(
        np.zeros(shape, np.uint8), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    )
    for label, (count, wild) in enumerate(zip(counts, natural, strict=True), start=1):
        if wild:
            _grow_patches(result, canvas, label, count, parcel_area, rng)
    fields, roads = _cut_fields(canvas, parcel_area, rng)
    result.cover[roads & canvas.free] = -1
    wanted = {k: n for k, (n, wild) in enumerate(zip(counts, natural, strict=True), 1) if not wild}
    rest = _hand_out(result, canvas, fields, wanted, rng)
    shares = np.array(list(wanted.values())) / sum(wanted.values())
    for field in rest:
        _plant(result, canvas, field, int(rng.choice(list(wanted), p=shares)))
    return result


def _grow_patches(
    result: ParcelMap,
    canvas: _Canvas,
    label: int,
    count: int,
    parcel_area: float,
    rng: np.random.Generator,
) -> None:
    """Patches of a natural class where a smooth surface is highest; their rims stay unlabelled."""
    size = parcel_area**0.5
    surface = smooth_noise(canvas.free.shape, 0.45 * size, rng)
    surface += 0.3 * smooth_noise(canvas.free.shape, 0.12 * size, rng)
    surface[~canvas.free] = -np.inf
    order = np.argsort(surface, axis=None, kind="stable")[::-1]
    with_rim = round(1.3 * count)
    if with_rim > canvas.free.sum():
        raise _NoRoomError
    grown = np.zeros_like(canvas.free)
    grown.flat[order[:with_rim]] = True
    result.labels.flat[order[:count]] = label
    result.cover[grown] = label
    from scipy.ndimage import label as connected_components

    patches, _ = connected_components(grown)
    result.parcels[grown] = patches[grown] + result.parcels.max()
    canvas.free &= ~grown


def _cut_fields(
    canvas: _Canvas, parcel_area: float, rng: np.random.Generator
) -> tuple[list[_Field], NDArray[np.bool_]]:
    """The fields of a scene and the pixels of the roads between blocks of them."""
    roads = np.zeros(canvas.free.shape, dtype=bool)
    uncut, fields = [canvas.whole()], []
    while uncut:
        field = uncut.pop()
        if field.area < parcel_area * rng.lognormal(0.5, 0.45):
            fields.append(field)
            continue
        road = field.area > _BLOCK * parcel_area
        first, second = field.cut(rng.uniform(0.36, 0.64), _ROAD if road else _STRIP)
        uncut += [first, second]
        if road:
            between = replace(field, u0=first.u1, u1=second.u0)
            if first.u1 == second.u1:
                between = replace(field, v0=first.v1, v1=second.v0)
            roads |= canvas.pixels(between, margin=0.8 - _ROAD)
    return fields, roads


def _hand_out(
    result: ParcelMap,
    canvas: _Canvas,
    fields: list[_Field],
    wanted: dict[int, int],
    rng: np.random.Generator,
) -> list[_Field]:
    """Give fields to the classes until each has its pixels, and return the fields left over."""
    pool = [field for field in fields if canvas.pixels(field).any()]
    missing = dict(wanted)
    while missing:
        label = max(missing, key=lambda k: missing[k])
        spread = 1 if wanted[label] < _SMALL_CLASS else _FIELDS_PER_CLASS
        limit = min(missing[label], -(-wanted[label] // spread))
        field = _take(pool, canvas, limit, missing[label], rng)
        inside = canvas.pixels(field)
        _plant(result, canvas, field, label)
        missing[label] -= _label(result, canvas, field, inside, label, missing[label])
        if not missing[label]:
            del missing[label]
    return pool


def _take(
    pool: list[_Field], canvas: _Canvas, limit: int, missing: int, rng: np.random.Generator
) -> _Field:
    """Take out of `pool` a field of about `limit` pixels, cutting a larger one when need be."""
    sizes = np.array([int(canvas.pixels(field).sum()) for field in pool])
    tidy = (sizes >= missing) | (missing - sizes >= max(0.15 * limit, _SMALLEST_FIELD))
    fitting = np.flatnonzero((sizes > 0.35 * limit) & (sizes <= 1.4 * limit) & tidy)
    if len(fitting):
        return pool.pop(int(rng.choice(fitting)))
    larger = np.flatnonzero(sizes > limit)
    if not len(larger):
        smaller = np.flatnonzero((sizes > 0.5 * sizes.max(initial=0)) & tidy)
        if not len(smaller):
            raise _NoRoomError
        return pool.pop(int(rng.choice(smaller)))
    field, offcuts = _cut_down(pool.pop(int(larger[np.argmin(sizes[larger])])), canvas, limit)
    pool += offcuts
    return field


def _cut_down(field: _Field, canvas: _Canvas, limit: int) -> tuple[_Field, list[_Field]]:
    """A part of `field` with at least `limit` pixels and little more, and what was cut off."""
    offcuts = []
    # Halved as often as possible before the last cut, so that the part is no sliver.
    share = 0.5
    while share < 0.95:
        part, rest = field.cut(share, _STRIP)
        if canvas.pixels(part).sum() < limit:
            share += 0.05
            continue
        field = part
        offcuts.append(rest)
        if share > 0.5:
            break
    return field, offcuts


def _plant(result: ParcelMap, canvas: _Canvas, field: _Field, label: int) -> None:
    """Let a class grow on a field and a little into the strips around it."""
    grown = canvas.pixels(field, margin=0.5 * _STRIP)
    result.cover[grown] = label
    result.parcels[grown] = result.parcels.max() + 1


def _label(
    result: ParcelMap,
    canvas: _Canvas,
    field: _Field,
    inside: NDArray[np.bool_],
    label: int,
    missing: int,
) -> int:
    """Label a field, or as much of it as is missing up to a straight line; the pixels labelled."""
    along = canvas.u if field.u1 - field.u0 >= field.v1 - field.v0 else canvas.v
    where = np.flatnonzero(inside)
    kept = where[np.argsort(along.flat[where], kind="stable")][:missing]
    result.labels.flat[kept] = label
    return len(kept)
