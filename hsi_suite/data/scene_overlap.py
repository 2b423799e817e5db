"""What several scenes have in common, so that one which is held out was seen nevertheless.

Scenes may overlap on the ground, as neighbouring tiles do, show the same place on another day, or
be copies of each other under other names. Distances within a scene say nothing of that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .formats.georeferencing import same_system
from .formats.reprojection import reprojected
from .holding_pixels import holding_pixels
from .identical_spectra import identical_spectra
from .pixel_spectra import PixelSpectra
from .scene import Georeference
from .scene_stack import ScenePart, StackedScene
from .splits import Split

Pixels = NDArray[np.integer]


def shared_spectra(scene: StackedScene, folds: Sequence[Split]) -> float:
    """The share of the test pixels whose spectrum the training side has, to the last bit.

    Args:
        scene: with labels.
        folds: the split of its pixels, or several; the training side is training and validation.
    """
    assert scene.labels is not None
    spectra = PixelSpectra(scene.cube)
    found = [identical_spectra(spectra, scene.labels, _side(s), s.test).identical for s in folds]
    return sum(found) / max(sum(len(split.test) for split in folds), 1)


def shared_ground(scene: StackedScene, folds: Sequence[Split]) -> float:
    """The share of the test pixels whose centre lies in a training-side pixel of another scene.

    Scenes without coordinates share none that is known, nor do those in different reference systems
    where rasterio is not installed.

    Args:
        scene: several below each other.
        folds: the split of its pixels, or several; the training side is training and validation.
    """
    shared = [_on_training_ground(scene, split) for split in folds]
    return float(np.concatenate(shared).mean())


def _on_training_ground(scene: StackedScene, split: Split) -> NDArray[np.bool_]:
    """Which test pixels lie there."""
    side = np.zeros(split.shape, bool)
    side.ravel()[_side(split)] = True
    shared = np.zeros(len(split.test), bool)
    for part in scene.parts:
        mine = part.mine(split.test, scene.samples)
        if part.georeference is None or not mine.any():
            continue
        lines, samples = np.divmod(split.test[mine], scene.samples)
        centres = np.stack([samples + 0.5, lines - part.first_line + 0.5])
        at = _ground(part.georeference, centres)
        for other in scene.parts:
            places = None if other is part else _in_system_of(other, part, at)
            if places is not None:
                shared[mine] |= _held(side, other, places)
    return shared


def _side(split: Split) -> Pixels:
    return np.concatenate([split.train, split.validation])


def _in_system_of(
    other: ScenePart, part: ScenePart, at: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Places of a scene in the reference system of another; None where that is not known."""
    one, two = part.georeference, other.georeference
    if one is None or two is None:
        return None
    same = same_system(one.crs, two.crs)
    if same is None or same:
        return at if same else None
    assert one.crs is not None and two.crs is not None
    return _reprojected(at, one.crs, two.crs)


def _reprojected(at: NDArray[np.float64], own: str, to: str) -> NDArray[np.float64] | None:
    try:
        from rasterio.errors import CRSError
    except ImportError:
        return None
    try:
        return reprojected(at, own, to)
    except CRSError:
        return None


def _held(side: NDArray[np.bool_], part: ScenePart, at: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which places on the ground lie in a pixel of a scene that is True."""
    assert part.georeference is not None
    inside, lines, samples = holding_pixels(part.georeference, (part.lines, part.samples), at)
    held = np.zeros(len(inside), bool)
    held[inside] = side[part.place][lines, samples]
    return held


def _ground(georeference: Georeference, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sample and line of points, as coordinates."""
    a, b, c, d, e, f = georeference.transform
    placed: NDArray[np.float64] = np.array([[a, b], [d, e]]) @ pixels + np.array([[c], [f]])
    return placed
