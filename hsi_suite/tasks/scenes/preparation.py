"""From a configuration to what a model is trained on: scene, split, reduced spectra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...data.leakage import LeakageAudit
from ...data.pixel_spectra import PixelSpectra
from ...data.position_curve import PositionCurve, position_curve
from ...data.readers import SceneFile
from ...data.reduction import Reduction
from ...data.scene import Scene
from ...data.scene_stack import in_memory, lines_of
from ...data.spatial_folds import SpatialFolds
from ...data.splits import Split
from ...engine.observer import Observer
from ...errors import InputFileError
from ...schemas.classification import GUARDED, ClassificationConfig
from .denoising import SceneDenoising
from .reduction_fitting import fit_reduction
from .scene_checks import check_windows
from .scene_loading import close_scene, load_prepared_scene
from .splitting import fold_scene, scene_audit, split_checksum, split_scene
from .training_memory import MemoryLimit


@dataclass(frozen=True)
class Prepared:
    """A scene made ready for training.

    Attributes:
        scene: as it was read, or denoised; in memory, or open to be read by lines.
        labels: its label map, never None.
        split: which labelled pixels are for what.
        leakage: what the split gives away.
        reduction: the map from spectra to the model's input.
        classes: index of each pixel's class in the model's output, −1 where it has none.
        split_checksum: SHA-256 of the file of a fixed split, by name.
        denoising: what was done to the scene; None where it is as it was read.
        folds: of a spatial cross-validation the scene with the split of each fold; then `split`
            tests the pixels of all of them and trains none.
        fold: lines × samples, which of these each pixel lies in; None without folds.
        untested: pixels that no fold can test, by label value.
        guards: how position alone does at each guard; None for splits without one.
    """

    scene: Scene | SceneFile
    labels: NDArray[np.integer]
    split: Split
    leakage: LeakageAudit
    reduction: Reduction
    classes: NDArray[np.int64]
    split_checksum: Mapping[str, str] = field(default_factory=dict)
    denoising: SceneDenoising | None = None
    folds: tuple[Prepared, ...] = ()
    fold: NDArray[np.int64] | None = None
    untested: Mapping[int, int] = field(default_factory=dict)
    guards: PositionCurve | None = None

    @cached_property
    def spectra(self) -> PixelSpectra:
        """Those of all pixels of the scene."""
        return PixelSpectra(self.scene.cube)

    @property
    def largest(self) -> Prepared:
        """The division with the most training pixels: of the folds, or itself."""
        return max(self.folds, key=lambda each: len(each.split.train), default=self)

    def close(self) -> None:
        """Close the scene's file, where it is open."""
        close_scene(self.scene)

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of everything that was read, by file name; part of the run's identity."""
        weights = {} if self.denoising is None else self.denoising.checksums
        return {**self.scene.checksums, **self.split_checksum, **weights}

    @property
    def class_names(self) -> list[str]:
        """Names in the order of the model's outputs."""
        return [self.scene.class_names[label - 1] for label in self.split.classes]


def prepare(
    config: ClassificationConfig, observer: Observer, memory: MemoryLimit | None = None
) -> Prepared:
    """Load, split and reduce, as a resolved configuration says.

    Args:
        config: says it.
        observer: reports progress.
        memory: what there is of it.

    Raises:
        InputFileError: the scene has no labels.
        ShapeError: the window is larger than the scene.
        SplitError: the labels cannot be divided as asked.
        ConfigError: the scene does not fit into the memory, not even when it is reduced.
    """
    memory = memory or MemoryLimit()
    scene, denoising = load_prepared_scene(config, observer, memory)
    try:
        return _prepared(config, scene, denoising, observer, memory)
    except BaseException:
        close_scene(scene)
        raise


def _prepared(
    config: ClassificationConfig,
    scene: Scene | SceneFile,
    denoising: SceneDenoising | None,
    observer: Observer,
    memory: MemoryLimit,
) -> Prepared:
    if scene.labels is None:
        raise InputFileError(scene.name, "no ground truth", "labelled pixels", "give --labels FILE")
    check_windows(config.model, scene)
    memory.check_scene(scene, config)
    if not in_memory(scene):
        observer.message(
            f"{scene.name}: larger than the memory limit allows, so it is read by lines"
        )
    guards = None
    if config.split.kind in GUARDED:
        guards = position_curve(scene.labels, lines_of(scene))
        config = with_guard(config, guards)
    if config.split.kind == "spatial_folds":
        return replace(_with_folds(config, scene, denoising), guards=guards)
    split = split_scene(config, scene, config.streams)
    return replace(_with_split(config, scene, denoising, split), guards=guards)


def with_guard(config: ClassificationConfig, guards: PositionCurve) -> ClassificationConfig:
    """A configuration with a settled guard: as given, else the window's reach or the floor."""
    if config.split.guard is not None:
        return config
    guard = max(config.model.reach // 2, guards.floor)
    return config.model_copy(update={"split": config.split.model_copy(update={"guard": guard})})


def _with_split(
    config: ClassificationConfig,
    scene: Scene | SceneFile,
    denoising: SceneDenoising | None,
    split: Split,
    reduction: Reduction | None = None,
) -> Prepared:
    """A scene with one split.

    Args:
        config: resolved.
        scene: with labels.
        denoising: what was done to it.
        split: of its labels.
        reduction: where it is known already.
    """
    assert scene.labels is not None
    if reduction is None:
        rank = None if denoising is None else denoising.rank
        reduction = fit_reduction(config.reduction, scene, split, rank)
    return Prepared(
        scene=scene,
        labels=scene.labels,
        split=split,
        leakage=scene_audit([split], scene, config.model.reach),
        reduction=reduction,
        classes=class_indices(scene.labels, split.classes),
        split_checksum=split_checksum(config.split),
        denoising=denoising,
    )


def _with_folds(
    config: ClassificationConfig, scene: Scene | SceneFile, denoising: SceneDenoising | None
) -> Prepared:
    """A scene with the split of each spatial fold, and all of them together."""
    assert scene.labels is not None
    dealt = fold_scene(config, scene, config.streams)
    folds: list[Prepared] = []
    for split in dealt.splits:
        # What is fitted on the whole scene is the same for all.
        known = folds[0].reduction if folds and config.reduction.fit_on == "scene" else None
        folds.append(_with_split(config, scene, denoising, split, known))
    return Prepared(
        scene=scene,
        labels=scene.labels,
        split=pooled_split(dealt),
        leakage=scene_audit(dealt.splits, scene, config.model.reach),
        reduction=folds[0].reduction,
        classes=class_indices(scene.labels, dealt.classes),
        denoising=denoising,
        folds=tuple(folds),
        fold=dealt.fold,
        untested=dealt.untested,
    )


def pooled_split(dealt: SpatialFolds) -> Split:
    """The test pixels of all folds as one split, that trains none."""
    none = np.empty(0, np.int64)
    return replace(
        dealt.splits[0],
        classes=dealt.classes,
        train=none,
        validation=none,
        test=dealt.tested,
        dropped=dealt.dropped,
        train_only=dealt.train_only,
        lost={},
        layout=dealt.layout,
    )


def with_window(prepared: Prepared, config: ClassificationConfig) -> Prepared:
    """The same with the audit of the window of a configuration."""
    leakage = scene_audit([prepared.split], prepared.scene, config.model.reach)
    return replace(prepared, leakage=leakage)


def class_indices(labels: NDArray[np.integer], classes: tuple[int, ...]) -> NDArray[np.int64]:
    """Labels (lines × samples) as flat indices into `classes`; −1 for everything else."""
    table = np.full(max(int(labels.max()), *classes) + 1, -1, np.int64)
    table[list(classes)] = np.arange(len(classes))
    indices: NDArray[np.int64] = table[labels.reshape(-1)]
    return indices
