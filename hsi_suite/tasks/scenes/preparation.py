"""From a configuration to what a model is trained on: scene, split, reduced spectra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...checksums import hash_file
from ...data.disjoint_split import disjoint_split
from ...data.file_list import listed_files
from ...data.leakage import LeakageAudit, audit
from ...data.pixel_spectra import PixelSpectra
from ...data.readers import SceneFile
from ...data.reduction import Reduction
from ...data.scene import Georeference, Scene, check_window
from ...data.split_files import file_split
from ...data.splits import Split, random_split
from ...engine.observer import Observer
from ...errors import InputFileError
from ...schemas.classification import ClassificationConfig, SplitConfig
from ...seeding import SeedStreams
from .denoising import SceneDenoising
from .reduction_fitting import fit_reduction
from .scene_loading import close_scene, load_prepared_scene
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
    """

    scene: Scene | SceneFile
    labels: NDArray[np.integer]
    split: Split
    leakage: LeakageAudit
    reduction: Reduction
    classes: NDArray[np.int64]
    split_checksum: Mapping[str, str] = field(default_factory=dict)
    denoising: SceneDenoising | None = None

    @cached_property
    def spectra(self) -> PixelSpectra:
        """Those of all pixels of the scene."""
        return PixelSpectra(self.scene.cube)

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
    window = config.model.window
    check_window("model.window", window, scene.lines, scene.samples)
    memory.check_scene(scene, config)
    if isinstance(scene, SceneFile):
        observer.message(
            f"{scene.name}: larger than the memory limit allows, so it is read by lines"
        )
    seeds = config.streams
    split = _split(config.split, scene.labels, scene.georeference, seeds)
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
    files = listed_files(config.file)
    if len(files) == 1:
        return {files[0].name: hash_file(files[0])}
    # Which file is for which part counts as well.
    return {f"{number}. {path.name}": hash_file(path) for number, path in enumerate(files, 1)}


def class_indices(labels: NDArray[np.integer], classes: tuple[int, ...]) -> NDArray[np.int64]:
    """Labels (lines × samples) as flat indices into `classes`; −1 for everything else."""
    table = np.full(max(int(labels.max()), *classes) + 1, -1, np.int64)
    table[list(classes)] = np.arange(len(classes))
    indices: NDArray[np.int64] = table[labels.reshape(-1)]
    return indices


def _split(
    config: SplitConfig,
    labels: NDArray[np.integer],
    georeference: Georeference | None,
    seeds: SeedStreams,
) -> Split:
    rare = config.rare_classes
    assert rare is not None
    if config.kind == "file":
        assert config.file is not None
        return file_split(config.file, labels, rare_classes=rare, georeference=georeference)
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
