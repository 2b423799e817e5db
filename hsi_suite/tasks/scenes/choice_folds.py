"""The folds of the training pixels on which `--model auto` compares candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...data.scene_stack import parts_of
from ...data.spatial_folds import pixel_folds
from ...errors import ConfigError, SplitError
from ...models.spectrum_classifier import Fold
from ...schemas.choosing import AUTO
from ...schemas.classification import ClassificationConfig
from .preparation import Prepared

# Share of the training pixels that folds have to test; else their guard is narrowed.
_MOST_TESTED = 0.8


@dataclass(frozen=True)
class ChoiceFolds:
    """The folds on which candidates are compared.

    Attributes:
        parts: for each the positions among the training pixels of those to learn and to test.
        guard: pixels between the sides.
        words: what they are made of.
    """

    parts: Sequence[Fold]
    guard: int
    words: str


def choice_folds(config: ClassificationConfig, prepared: Prepared) -> ChoiceFolds:
    """Spatial folds of the training pixels, or the scenes that they lie in.

    Blocks keep the guard of the split, or as much of it as lets them test most training pixels:
    the training side is smaller than the scene, and a guard takes more of it. It is not narrowed
    below the radius of the largest window: an average that reaches learnt pixels is flattered.

    Raises:
        ConfigError: there are none.
    """
    assert config.auto is not None
    train, number = prepared.split.train, config.auto.folds
    classes = prepared.classes[train]
    if len(scenes := _scenes(prepared)) > 1:
        number = min(number, len(scenes))
        where = np.empty(len(train), np.int64)
        for place, mine in enumerate(scenes):
            where[mine] = place % number
        dealt = [_known(where != each, where == each, classes) for each in range(number)]
        # Classes of one scene alone test nothing.
        if len(parts := [fold for fold in dealt if len(fold[1])]) > 1:
            return ChoiceFolds(parts, 0, "whole scenes")
    wanted = prepared.split.guard
    least = min(wanted, config.model.reach // 2)
    for guard in dict.fromkeys([*(max(wanted // part, least) for part in (1, 2, 4)), least]):
        try:
            found = pixel_folds(
                train,
                classes,
                prepared.split.shape,
                folds=number,
                guard=guard,
                rare_classes="train",
                generator=config.streams.numpy("init", "choice"),
            )
        except SplitError:
            continue
        tested = sum(len(each) for _, each in found)
        if tested >= _MOST_TESTED * len(train) or guard == least:
            return ChoiceFolds(found, guard, "blocks")
    raise ConfigError(
        f"--model {AUTO}",
        f"{len(train):,} training pixels that cannot be divided by place into {number} folds",
        "training areas of at least two classes in several places",
        "lower auto.folds, name candidates with smaller windows, or name a model",
    )


def folds_text(folds: ChoiceFolds, wanted: int) -> str:
    """What a log says of them.

    Args:
        folds: of the training pixels.
        wanted: the guard of the split.
    """
    text = f"{AUTO}: {len(folds.parts)} folds of the training pixels, {folds.words}"
    if folds.words == "blocks" and wanted:
        text += f" {folds.guard} pixels apart"
        if folds.guard < wanted:
            text += f": {wanted} would leave too few to test"
    return text


def _scenes(prepared: Prepared) -> list[NDArray[np.bool_]]:
    """Of a split by scenes, which training pixels lie in each; [] of another."""
    if prepared.split.kind != "scenes":
        return []
    train, samples = prepared.split.train, prepared.scene.samples
    found = [part.mine(train, samples) for part in parts_of(prepared.scene)]
    return [mine for mine in found if mine.any()]


def _known(
    learnt: NDArray[np.bool_], tested: NDArray[np.bool_], classes: NDArray[np.int64]
) -> Fold:
    """A fold that tests the classes that it knows."""
    tested = tested & np.isin(classes, classes[learnt])
    return np.flatnonzero(learnt), np.flatnonzero(tested)
