"""From a configuration to what a model is trained on: scene, split, reduced spectra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..data.catalogue import load_dataset
from ..data.disjoint_split import disjoint_split
from ..data.formats.checksums import hash_file
from ..data.leakage import LeakageAudit, audit
from ..data.readers import read_scene
from ..data.reduction import Reduction, fit_pca, fit_standardisation
from ..data.scene import Scene
from ..data.split_files import file_split
from ..data.splits import Split, random_split
from ..engine.observer import Observer
from ..errors import InputFileError, ShapeError
from ..schemas.classification import (
    ClassificationConfig,
    ReductionConfig,
    SceneConfig,
    SplitConfig,
)
from ..seeding import SeedStreams
from .scene_denoising import SceneDenoising, denoise_scene

_LARGEST_VALUE = 1e12


@dataclass(frozen=True)
class Prepared:
    """A scene made ready for training.

    Attributes:
        scene: as it was read, or denoised.
        labels: its label map, never None.
        split: which labelled pixels are for what.
        leakage: what the split gives away.
        reduction: the map from spectra to the model's input.
        classes: index of each pixel's class in the model's output, −1 where it has none.
        split_checksum: SHA-256 of the file of a fixed split, by name.
        denoising: what was done to the scene; None where it is as it was read.
    """

    scene: Scene
    labels: NDArray[np.integer]
    split: Split
    leakage: LeakageAudit
    reduction: Reduction
    classes: NDArray[np.int64]
    split_checksum: Mapping[str, str] = field(default_factory=dict)
    denoising: SceneDenoising | None = None

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of everything that was read, by file name; part of the run's identity."""
        weights = {} if self.denoising is None else self.denoising.checksums
        return {**self.scene.checksums, **self.split_checksum, **weights}

    @property
    def class_names(self) -> list[str]:
        """Names in the order of the model's outputs."""
        return [self.scene.class_names[label - 1] for label in self.split.classes]


def load_scene(config: SceneConfig, observer: Observer) -> Scene:
    """The scene that a configuration names."""
    if config.dataset is not None:
        return load_dataset(
            config.dataset,
            seed=config.seed,
            allow_unverified=config.allow_unverified,
            on_message=observer.message,
        )
    assert config.scene is not None
    scene = read_scene(
        config.scene,
        labels=config.labels,
        variable=config.scene_variable,
        labels_variable=config.labels_variable,
        class_names=config.class_names,
        nodata=config.nodata,
    )
    check_values(scene)
    tell_missing(scene, observer)
    return scene


def load_prepared_scene(
    config: ClassificationConfig, observer: Observer
) -> tuple[Scene, SceneDenoising | None]:
    """The scene that a resolved configuration names, denoised where it says so."""
    scene = load_scene(config.data, observer)
    if not config.preprocess.denoise:
        return scene, None
    return denoise_scene(scene, torch.device(config.device), observer)


def check_values(scene: Scene) -> None:
    """Refuse values that no spectrometer gives and that arithmetic cannot square.

    Raises:
        InputFileError: a valid pixel holds such a value.
    """
    if scene.cube.dtype.kind != "f":
        return
    good = scene.cube if scene.valid is None else scene.cube[scene.valid]
    largest = max(abs(float(good.max())), abs(float(good.min()))) if good.size else 0.0
    if not largest <= _LARGEST_VALUE:
        raise InputFileError(
            scene.name,
            f"values up to {largest:.3g}",
            f"spectra of at most {_LARGEST_VALUE:.0e}",
            "mark missing pixels with --nodata VALUE",
        )


def tell_missing(scene: Scene, observer: Observer) -> None:
    """Say how many pixels hold no data, if any."""
    if scene.valid is not None and not scene.valid.all():
        missing = int((~scene.valid).sum())
        observer.message(f"{scene.name}: {missing:,} pixels hold no data and are left out")


def prepare(config: ClassificationConfig, observer: Observer) -> Prepared:
    """Load, split and reduce, as a resolved configuration says.

    Raises:
        InputFileError: the scene has no labels.
        ShapeError: the window is larger than the scene.
        SplitError: the labels cannot be divided as asked.
    """
    scene, denoising = load_prepared_scene(config, observer)
    if scene.labels is None:
        raise InputFileError(scene.name, "no ground truth", "labelled pixels", "give --labels FILE")
    window = config.model.window
    if window > min(scene.lines, scene.samples):
        raise ShapeError(
            "model.window",
            f"a window of {window} in a scene of {scene.lines} × {scene.samples} pixels",
            "a window no larger than the scene",
            "lower model.window",
        )
    seeds = config.streams
    split = _split(config.split, scene.labels, seeds)
    return Prepared(
        scene=scene,
        labels=scene.labels,
        split=split,
        leakage=audit(split, window=window),
        reduction=fit_reduction(
            config.reduction, scene, split, None if denoising is None else denoising.rank
        ),
        classes=class_indices(scene.labels, split.classes),
        split_checksum=_split_checksum(config.split),
        denoising=denoising,
    )


def _split_checksum(config: SplitConfig) -> dict[str, str]:
    if config.file is None:
        return {}
    return {Path(config.file).name: hash_file(Path(config.file))}


def class_indices(labels: NDArray[np.integer], classes: tuple[int, ...]) -> NDArray[np.int64]:
    """Labels (lines × samples) as flat indices into `classes`; −1 for everything else."""
    table = np.full(max(int(labels.max()), *classes) + 1, -1, np.int64)
    table[list(classes)] = np.arange(len(classes))
    indices: NDArray[np.int64] = table[labels.reshape(-1)]
    return indices


def fit_reduction(
    config: ReductionConfig, scene: Scene, split: Split, rank: int | None = None
) -> Reduction:
    """The reduction of the spectra, fitted on the whole scene or on the training part.

    Args:
        config: which one.
        scene: what is reduced.
        split: its training part.
        rank: in how many directions the spectra vary, where that is known; principal components
            beyond it are rounding errors and become 0.
    """
    flat = scene.cube.reshape(-1, scene.bands)
    if config.fit_on == "train":
        flat = flat[split.train]
    elif scene.valid is not None:
        flat = flat[scene.valid.reshape(-1)]
    if config.method == "standardize":
        return fit_standardisation(flat)
    if config.components > scene.bands:
        raise ShapeError(
            "reduction.components",
            f"{config.components} components of {scene.bands} bands",
            f"at most {scene.bands}",
            "lower reduction.components",
        )
    kept = min(config.components, rank or config.components)
    fitted = fit_pca(flat, kept, config.whiten)
    empty = config.components - kept
    if not empty:
        return fitted
    return Reduction(
        fitted.mean,
        np.pad(fitted.matrix, ((0, 0), (0, empty))),
        np.pad(fitted.explained, (0, empty)),
    )


def _split(config: SplitConfig, labels: NDArray[np.integer], seeds: SeedStreams) -> Split:
    rare = config.rare_classes
    assert rare is not None
    if config.kind == "file":
        assert config.file is not None
        return file_split(Path(config.file), labels, rare_classes=rare)
    generator = seeds.numpy("split")
    # A whole number is meant as pixels per class.
    train = int(config.train) if config.train >= 1 else config.train
    if config.kind == "random":
        return random_split(
            labels,
            train=train,
            validation=config.validation,
            rare_classes=rare,
            generator=generator,
        )
    assert config.guard is not None
    return disjoint_split(
        labels,
        train=config.train,
        guard=config.guard,
        validation=config.validation,
        rare_classes=rare,
        layout=config.layout,
        generator=generator,
    )
