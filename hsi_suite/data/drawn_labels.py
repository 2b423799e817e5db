"""Labels as people draw them, rasterised on the grid of a scene."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from .drawn_classes import DrawnClasses, classes_of, refuse_open_zero
from .drawn_geometry import SceneGrid, in_scene, outside, short_system, whole_shapes
from .formats.class_names import ClassNames
from .formats.drawn_features import DrawnFeatures, DrawnOptions, Geometries
from .formats.drawn_files import read_drawn
from .formats.label_values import LabelFile, StoredLabels, understood_labels

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class _Drawn:
    """Features of one or several files in the coordinates of a scene, in the order of drawing."""

    path: Path
    layers: Sequence[DrawnFeatures]
    shapes: Geometries
    grid: SceneGrid
    all_touched: bool
    told: Sequence[str]

    def ids(self, which: NDArray[np.intp] | None = None) -> Ids:
        """The number, from 1 on, of the last feature that has each pixel; 0 where none has.

        Args:
            which: the features to draw, in this order; None for all in their own.
        """
        from rasterio.env import Env
        from rasterio.features import rasterize
        from rasterio.transform import Affine

        places = range(len(self.shapes)) if which is None else which
        drawn = [(self.shapes[at], int(at) + 1) for at in places if self.shapes[at] is not None]
        if not drawn:
            return np.zeros(self.grid.shape, np.int32)
        with Env():
            found: Ids = rasterize(
                drawn,
                self.grid.shape,
                transform=Affine(*self.grid.transform),
                all_touched=self.all_touched,
                dtype=np.int32,
            )
        return found


def drawn_labels(
    paths: Sequence[Path],
    grid: SceneGrid,
    options: DrawnOptions,
    unlabelled: float | None = None,
    order: Sequence[str] = (),
) -> LabelFile:
    """The label map of drawn features, those of several files numbered together.

    A pixel is labelled where its centre lies inside a polygon (every pixel touched with
    `all_touched`), as `rasterio.features.rasterize` has it. Where features overlap, the last one
    wins: later in the file, and later files.

    Args:
        paths: files that `recognise_drawn` knows.
        grid: of the scene.
        options: what the user says of them.
        unlabelled: as in `read_labels`, for classes by number.
        order: the names of the labels from 1 on, for classes by name.

    Raises:
        InputFileError: a file is damaged or empty, its classes, layer or reference system are not
            clear, or no feature labels a pixel of the scene.
    """
    drawn = _read(paths, grid, options)
    classes = classes_of(drawn.layers, options.field, order)
    refuse_open_zero(drawn.path, classes, unlabelled)
    ids = drawn.ids()
    beyond = outside(drawn.shapes, grid)
    if not ids.any():
        raise InputFileError(
            drawn.path, _nothing_labelled(drawn, beyond), "labels of the scene's place"
        )
    stored = StoredLabels(
        drawn.path,
        _by_feature(classes, ids),
        names=None if classes.names is None else ClassNames(classes.names),
        georeference=grid.georeference,
        files=tuple(file for layer in drawn.layers for file in layer.files),
        held=_by_feature(replace(classes, values=classes.said.astype(np.int64)), ids) > 0,
    )
    truth = understood_labels(stored, unlabelled)
    told = [
        classes.remark,
        f"{len(drawn.shapes):,} features label {np.count_nonzero(truth.labels):,} pixels",
        *drawn.told,
        *_left_out(drawn, classes, ids, beyond),
        *_overlaps(drawn, classes, ids),
    ]
    names = " and ".join(dict.fromkeys(path.name for path in paths))
    digest = hashlib.sha256(truth.labels.tobytes()).hexdigest()
    return replace(
        truth,
        remarks=(
            *(remark for layer in drawn.layers for remark in layer.remarks),
            *truth.remarks,
            *(f"{names}: {remark}" for remark in told),
        ),
        # The file alone does not say where its features lie on this grid.
        placement={f"{names} on the scene's grid": digest},
        features=np.where(truth.labels > 0, ids, 0).astype(np.int32),
    )


def drawn_mask(paths: Sequence[Path], grid: SceneGrid, options: DrawnOptions) -> NDArray[np.bool_]:
    """Where features lie, whatever their classes.

    Raises:
        InputFileError: as in `drawn_labels`.
    """
    inside: NDArray[np.bool_] = drawn_numbers(paths, grid, options) > 0
    return inside


def drawn_numbers(paths: Sequence[Path], grid: SceneGrid, options: DrawnOptions) -> Ids:
    """The number, from 1 on, of the last feature that has each pixel; 0 where none has.

    Raises:
        InputFileError: as in `drawn_labels`.
    """
    drawn = _read(paths, grid, options)
    found = drawn.ids()
    if not found.any():
        why = _nothing_labelled(drawn, outside(drawn.shapes, grid))
        raise InputFileError(drawn.path, why, "a part of the scene's labels")
    return found


def _read(paths: Sequence[Path], grid: SceneGrid, options: DrawnOptions) -> _Drawn:
    layers = [read_drawn(path, options) for path in paths]
    shapes, told = [], []
    for layer in layers:
        found, words = whole_shapes(
            layer.path, in_scene(layer, grid, options.crs), grid, options.buffer
        )
        shapes.append(found)
        told += [*_frame_words(layer, grid, options.crs), *words]
    return _Drawn(
        paths[0],
        layers,
        np.concatenate(shapes),
        grid,
        options.all_touched,
        tuple(dict.fromkeys(told)),
    )


def _frame_words(layer: DrawnFeatures, grid: SceneGrid, crs: str | None) -> list[str]:
    if crs is not None or layer.crs is not None or layer.frame == "unknown":
        return []
    if layer.frame == "pixels":
        return ["coordinates are samples and lines of the scene"]
    if not grid.placed:
        return ["x and y are sample and line, from 0, as the scene has no coordinates"]
    system = grid.georeference.crs if grid.georeference else None
    name = "" if system is None else f", {short_system(system)}"
    return [f"x and y are taken in the scene's reference system{name}"]


def _by_feature(classes: DrawnClasses, ids: Ids) -> NDArray[np.int64]:
    """What stands for each feature, where it has the pixel."""
    values = np.where(classes.said, classes.values, 0)
    return np.asarray(np.concatenate([[0], values])[ids], np.int64)


def _nothing_labelled(drawn: _Drawn, beyond: NDArray[np.bool_]) -> str:
    number = len(drawn.shapes)
    if all(shape is None for shape in drawn.shapes):
        return f"none of the {number} features has a shape in the scene's coordinates"
    if beyond.all():
        there, here = _span(drawn.shapes), _span([drawn.grid.frame])
        return f"all {number} features lie outside the scene, at {there}; the scene lies at {here}"
    return f"no pixel's centre lies in one of {number} features: give --all-touched for small ones"


def _span(shapes: Sequence[Any] | Geometries) -> str:
    """Where shapes lie, in words."""
    import shapely

    bounds = shapely.total_bounds(np.asarray(shapes, dtype=object))
    if not np.isfinite(bounds).all():
        return "no place"
    left, bottom, right, top = (f"{number:.10g}" for number in bounds)
    return f"x {left} to {right}, y {bottom} to {top}"


def _left_out(
    drawn: _Drawn, classes: DrawnClasses, ids: Ids, beyond: NDArray[np.bool_]
) -> list[str]:
    """What became of features that label nothing, in words."""
    shown = np.zeros(len(drawn.shapes) + 1, bool)
    shown[ids] = True
    drawable = np.array([shape is not None for shape in drawn.shapes])
    missing = ~shown[1:] & drawable
    hidden = 0
    left = np.flatnonzero(missing & ~beyond)
    while len(left):  # those that have pixels of their own where the others are not drawn
        found = np.unique(drawn.ids(left))
        found = found[found > 0] - 1
        if not len(found):
            break
        hidden += len(found)
        left = np.setdiff1d(left, found)
    rule = "touch no pixel" if drawn.all_touched else "hold no pixel's centre (--all-touched)"
    told = (
        (int((missing & beyond).sum()), "lie outside the scene"),
        (len(left), rule),
        (hidden, "are hidden under later ones"),
        (int((~classes.said).sum()), f"have no class in {classes.field}"),
    )
    return [f"{number:,} features {words}" for number, words in told if number]


def _overlaps(drawn: _Drawn, classes: DrawnClasses, ids: Ids) -> list[str]:
    """How many pixels several features have, and of how many the classes differ, in words."""
    several = drawn.ids(np.arange(len(drawn.shapes))[::-1]) != ids
    if not several.any():
        return []
    kinds = np.zeros(ids.shape, np.uint16)
    for value in np.unique(classes.values[classes.said]):
        kinds += drawn.ids(np.flatnonzero(classes.said & (classes.values == value))) > 0
    return [
        f"{int(several.sum()):,} pixels lie in several features, {int((kinds > 1).sum()):,} of "
        "them in features of different classes: the last feature wins"
    ]
