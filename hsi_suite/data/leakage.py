"""How much of the test a split shows to training: distances from test to training pixels.

A network that sees a window of pixels has seen a test pixel when that pixel lies inside the
window of a training pixel, and shares input with it when the two windows overlap. Distances are
Chebyshev distances in pixels (the larger of the line and sample differences), the measure by
which square windows meet: a window of 2r + 1 reaches r, two windows overlap up to 2r.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_cdt

from ..errors import ShapeError, SplitError
from .splits import Split

# First and last line, not included, of a scene among several below each other.
Lines = tuple[int, int]
FAR = -1
"""The distance of what lies in another scene: none."""


@dataclass(frozen=True)
class PolygonAudit:
    """What a split does to polygons.

    Attributes:
        polygons: with a pixel in any part.
        divided: of these, with pixels both of the training side and of the test.
        test_in_training_polygons: share of the test pixels in polygons that the training side has
            pixels of.
    """

    polygons: int
    divided: int
    test_in_training_polygons: float


@dataclass(frozen=True)
class LeakageAudit:
    """What a split lets slip. Shares are of the test pixels, in [0, 1].

    The training side is the training and the validation pixels together: both shape the model
    that is tested.

    Attributes:
        window: edge of the patch in pixels.
        n_training: pixels of the training side.
        n_test: test pixels.
        test_inside_training_window: share that lies inside the window of a pixel of the training
            side.
        windows_overlapping: share whose own window overlaps such a window.
        within_one_pixel: share within 1 pixel of a pixel of the training side.
        min_distance: smallest distance between a test pixel and the training side, in pixels; None
            where all test pixels are in other scenes, as the next two.
        median_distance: median distance of the test pixels to the training side, in pixels.
        max_distance: largest distance of a test pixel to the training side, in pixels.
        histogram: entry d counts the test pixels whose nearest pixel of the training side is d
            pixels away; entry 0 is 0 in every valid split.
        polygons: what becomes of polygons; None where none are known.
        in_other_scenes: share of the test pixels in scenes without any pixel of the training
            side; they are far from it, and no distance counts them. None for a single scene.
        on_training_ground: share of the test pixels that lie on the ground of a pixel of the
            training side in another scene; None where none does.
        identical_spectra: of several scenes, share of the test pixels with the very spectrum of a
            pixel of the training side; None where none has.
    """

    window: int
    n_training: int
    n_test: int
    test_inside_training_window: float
    windows_overlapping: float
    within_one_pixel: float
    min_distance: int | None
    median_distance: float | None
    max_distance: int | None
    histogram: tuple[int, ...]
    polygons: PolygonAudit | None = None
    in_other_scenes: float | None = None
    on_training_ground: float | None = None
    identical_spectra: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The audit in plain types, for JSON; the histogram as [distance, pixels] rows."""
        rows = [[distance, pixels] for distance, pixels in enumerate(self.histogram) if pixels]
        plain = {**asdict(self), "histogram": rows}
        for later in ("polygons", "in_other_scenes", "on_training_ground", "identical_spectra"):
            if plain[later] is None:
                del plain[later]
        return plain


def nearest_training_distance(split: Split, scenes: Sequence[Lines] = ()) -> NDArray[np.int64]:
    """Chebyshev distance in pixels from each test pixel, in order, to the training side.

    Args:
        split: the split to examine.
        scenes: first and last line, not included, of each of several scenes below each other:
            distances are within a scene, `FAR` where it has no pixel of the training side.

    Raises:
        SplitError: the training side or the test is empty.
    """
    for part, pixels in (("training", split.train), ("test", split.test)):
        if not pixels.size:
            raise SplitError("split", f"no {part} pixel", "at least one")
    away = np.ones(split.shape, dtype=bool)
    away.ravel()[split.train] = False
    away.ravel()[split.validation] = False
    distances = np.full(split.shape, FAR, np.int32)
    for first, last in scenes or ((0, split.shape[0]),):
        if not away[first:last].all():
            distances[first:last] = distance_transform_cdt(away[first:last], metric="chessboard")
    return distances.ravel()[split.test].astype(np.int64)


def audit_polygons(folds: Sequence[Split], polygons: NDArray[np.integer]) -> PolygonAudit:
    """Which polygons a split, or any fold of a cross-validation, divides.

    Args:
        folds: the split to examine, or one of each fold.
        polygons: lines × samples, the polygon of each pixel, 0 for none.

    Raises:
        ShapeError: the sizes differ.
    """
    if polygons.shape != folds[0].shape:
        raise ShapeError("polygons", f"{polygons.shape}", f"{folds[0].shape}, as the split")
    names, flat = np.unique(polygons, return_inverse=True)
    flat = flat.ravel()
    used, divided = np.zeros(len(names), bool), np.zeros(len(names), bool)
    shared = tests = 0
    for split in folds:
        learnt, tested = np.zeros(len(names), bool), np.zeros(len(names), bool)
        learnt[flat[split.train]] = learnt[flat[split.validation]] = True
        tested[flat[split.test]] = True
        learnt[names == 0] = tested[names == 0] = False
        used |= learnt | tested
        divided |= learnt & tested
        shared += int((learnt & tested)[flat[split.test]].sum())
        tests += split.test.size
    return PolygonAudit(
        polygons=int(used.sum()),
        divided=int(divided.sum()),
        test_in_training_polygons=shared / tests if tests else 0.0,
    )


def audit(
    split: Split,
    *,
    window: int,
    polygons: NDArray[np.integer] | None = None,
    scenes: Sequence[Lines] = (),
) -> LeakageAudit:
    """Measure the leakage of a split for a window.

    Args:
        split: the split to examine.
        window: edge of the square patch in pixels, odd; 1 for a classifier of single spectra.
        polygons: lines × samples, the polygon of each pixel, 0 for none; None where none are known.
        scenes: see `nearest_training_distance`.

    Raises:
        ShapeError: the window is not a positive odd number.
        SplitError: the training side or the test is empty.
    """
    return audit_folds((split,), window=window, polygons=polygons, scenes=scenes)


def audit_folds(
    folds: Sequence[Split],
    *,
    window: int,
    polygons: NDArray[np.integer] | None = None,
    scenes: Sequence[Lines] = (),
) -> LeakageAudit:
    """Measure the leakage of a cross-validation: of each test pixel in its own fold.

    The training side has as many pixels as those of the folds have on average. A polygon is
    divided where any fold divides it.

    Args:
        folds: one split of each.
        window: as of `audit`, like all that follow.
        polygons: lines × samples.
        scenes: see `nearest_training_distance`.

    Raises:
        ShapeError: the window is not a positive odd number.
        SplitError: a training side or a test is empty.
    """
    if window < 1 or window % 2 == 0:
        raise ShapeError("window", str(window), "a positive odd number of pixels")
    radius = window // 2
    distances = np.concatenate([nearest_training_distance(split, scenes) for split in folds])
    there = distances != FAR
    near = distances[there]

    def share(reach: int) -> float:
        return float((there & (distances <= reach)).mean())

    sides = [split.train.size + split.validation.size for split in folds]
    return LeakageAudit(
        window=window,
        n_training=round(sum(sides) / len(sides)),
        n_test=int(distances.size),
        test_inside_training_window=share(radius),
        windows_overlapping=share(2 * radius),
        within_one_pixel=share(1),
        min_distance=int(near.min()) if near.size else None,
        median_distance=float(np.median(near)) if near.size else None,
        max_distance=int(near.max()) if near.size else None,
        histogram=tuple(int(n) for n in np.bincount(near)),
        polygons=None if polygons is None else audit_polygons(folds, polygons),
        in_other_scenes=float((~there).mean()) if scenes else None,
    )
