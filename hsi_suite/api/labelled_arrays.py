"""Cubes and labels in memory as the scenes that trainings take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.band_matching import KnownBands, require_same_bands
from ..data.data_arrays import as_labels
from ..data.leakage import LeakageAudit, audit
from ..data.scene import Scene
from ..data.scene_stack import StackedScene, stack_scenes
from ..data.splits import Split
from ..errors import ConfigError, ShapeError, SplitError
from ..schemas.classification import ClassificationConfig
from ..tasks.scenes.many_scenes import gap_of
from ..tasks.scenes.preparation import Prepared, class_indices
from ..tasks.scenes.reduction_fitting import fit_reduction
from ..tasks.scenes.scene_checks import check_windows
from .arrays import as_cube
from .splits import check_split


def scene_of(cube: Any, labels: Any, name: str) -> Scene:
    """A scene of a cube and its labels.

    Raises:
        ShapeError: they do not fit each other, or a labelled pixel has values that are not finite.
    """
    given = as_cube(cube)
    truth = as_labels(labels, given.values.shape[:2])
    if given.valid is not None and truth[~given.valid].any():
        raise ShapeError("cube", "values that are not finite at labelled pixels", "numbers")
    return Scene(
        name=name,
        cube=given.values,
        labels=truth,
        class_names=tuple(map(str, range(1, int(truth.max()) + 1))),
        wavelengths=given.wavelengths,
        fwhm=given.fwhm,
        selection=given.selection,
        valid=given.valid,
    )


def stacked_scene(cubes: Sequence[Any], labels: Any, config: ClassificationConfig) -> StackedScene:
    """Several cubes and their labels as one scene.

    Raises:
        ConfigError: there are other numbers of cubes and labels.
        ShapeError: their bands are not the same.
    """
    if not isinstance(labels, list | tuple) or len(labels) != len(cubes):
        found = f"{len(labels)}" if isinstance(labels, list | tuple) else "one"
        raise ConfigError("labels", f"{found} for {len(cubes)} cubes", "a list, one for each cube")
    scenes = [
        scene_of(cube, truth, f"scene{number}")
        for number, (cube, truth) in enumerate(zip(cubes, labels, strict=True), 1)
    ]
    known = [
        KnownBands.chosen(scene.bands, scene.wavelengths, scene.fwhm, scene.selection)
        for scene in scenes
    ]
    for scene, bands in zip(scenes, known, strict=True):
        if bands.count != known[0].count:
            expected = f"{known[0].count}, as the first cube has"
            raise ShapeError(scene.name, f"{bands.count} bands", expected)
        require_same_bands(scene.name, bands, known[0])
    names = max((scene.class_names for scene in scenes), key=len)
    return stack_scenes(scenes, gap_of(config), names)


def prepared_scene(
    scene: Scene | StackedScene,
    labels: NDArray[np.integer],
    split: Split,
    config: ClassificationConfig,
) -> Prepared:
    """A scene with its split, audit and reduction, ready to be learnt from."""
    check_windows(config.model, scene)
    window = config.model.reach
    tested = len(split.test) > 0
    return Prepared(
        scene=scene,
        labels=labels,
        split=split,
        leakage=audit(split, window=window) if tested else _nothing_tested(window, split),
        reduction=fit_reduction(config.reduction, scene, split),
        classes=class_indices(labels, split.classes),
    )


def _nothing_tested(window: int, split: Split) -> LeakageAudit:
    return LeakageAudit(window, len(split.train), 0, 0.0, 0.0, 0.0, 0, 0.0, 0, ())


def all_pixels(labels: NDArray[np.integer]) -> Split:
    """All labelled pixels for training.

    Raises:
        SplitError: there is a single class.
    """
    none = np.zeros(0, np.int64)
    classes = tuple(int(label) for label in np.unique(labels) if label)
    if len(classes) < 2:
        raise SplitError("labels", "a single class", "at least two")
    train = np.flatnonzero(labels).astype(np.int64)
    return Split("file", labels.shape, classes, train, none, none, 0, {}, {}, {}, "")


def learnt_part(split: Split, labels: NDArray[np.integer]) -> Split:
    """A split of these labels that can be learnt from.

    Raises:
        SplitError: it is of other labels, or trains fewer than two classes.
    """
    split = check_split(split, labels)
    if len(np.unique(labels.reshape(-1)[split.train])) < 2:
        raise SplitError("split", "fewer than two classes in training", "at least two")
    return split
