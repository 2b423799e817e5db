"""From a configuration to what a model is trained on: scene, split, reduced spectra."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from ...checksums import hash_file
from ...data.catalogue import load_dataset
from ...data.disjoint_split import disjoint_split
from ...data.file_list import listed_files
from ...data.leakage import LeakageAudit, audit
from ...data.pixel_spectra import PixelSpectra
from ...data.readers import SceneFile, open_cube, open_scene, read_scene
from ...data.reduction import BLOCK_PIXELS, Reduction
from ...data.scene import Georeference, Scene, check_window
from ...data.split_files import file_split
from ...data.splits import Split, random_split
from ...engine.observer import Observer
from ...errors import InputFileError
from ...restoration.damage import LARGEST_VALUE
from ...schemas.classification import ClassificationConfig, SceneConfig, SplitConfig
from ...seeding import SeedStreams
from .denoising import SceneDenoising, denoise_open_scene, denoise_scene
from .reduction_fitting import fit_reduction
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


def close_scene(scene: Scene | SceneFile) -> None:
    """Close a scene's file; nothing is to do for one in memory."""
    if isinstance(scene, SceneFile):
        scene.cube.close()


def load_scene(
    config: ClassificationConfig, observer: Observer, memory: MemoryLimit | None = None
) -> Scene | SceneFile:
    """The scene that a configuration names, as it was recorded.

    A cube of the user's that does not fit into memory stays in its file.

    Args:
        config: names it.
        observer: hears how it was read, and of pixels without data.
        memory: what there is of it.

    Raises:
        HsiSuiteError: there is no such scene, it is damaged, or holds impossible values.
    """
    data = config.data
    if data.scene is None:
        return named_scene(data, observer)
    with open_cube(
        data.scene,
        variable=data.scene_variable,
        axes=data.axes,
        shape=data.shape,
        nodata=data.nodata,
    ) as file:
        held = (memory or MemoryLimit()).holds(file, config)
    return named_scene(data, observer, read_scene if held else open_scene)


def named_scene(
    data: SceneConfig,
    observer: Observer,
    read: Callable[..., Scene | SceneFile] = read_scene,
) -> Scene | SceneFile:
    """The registered scene, or that of the user's files.

    Args:
        data: names it.
        observer: hears how it was read, and of pixels without data.
        read: how the user's cube is read: whole, or left in its file.

    Raises:
        HsiSuiteError: there is no such scene, it is damaged, or holds impossible values.
    """
    if data.dataset is not None:
        return load_dataset(
            data.dataset,
            seed=data.seed,
            allow_unverified=data.allow_unverified,
            on_message=observer.message,
        )
    assert data.scene is not None
    scene = read(
        data.scene,
        labels=data.labels,
        variable=data.scene_variable,
        axes=data.axes,
        shape=data.shape,
        labels_variable=data.labels_variable,
        class_names=data.class_names,
        unlabelled=data.unlabelled,
        warp_labels=data.warp_labels,
        nodata=data.nodata,
    )
    try:
        check_values(scene, data.scene)
    except BaseException:
        close_scene(scene)
        raise
    for remark in scene.remarks:
        observer.message(f"{scene.name}: {remark}")
    tell_missing(scene, observer)
    return scene


def load_prepared_scene(
    config: ClassificationConfig, observer: Observer, memory: MemoryLimit | None = None
) -> tuple[Scene | SceneFile, SceneDenoising | None]:
    """The scene that a resolved configuration names, denoised where it says so."""
    scene = load_scene(config, observer, memory)
    if not config.preprocess.denoise:
        return scene, None
    device = torch.device(config.device)
    if isinstance(scene, Scene):
        return denoise_scene(scene, device, observer)
    try:
        return denoise_open_scene(scene, device, (memory or MemoryLimit()).size, observer)
    except BaseException:
        close_scene(scene)
        raise


def check_values(scene: Scene | SceneFile, path: object) -> None:
    """Refuse values that no spectrometer gives and that arithmetic cannot square.

    Args:
        scene: a scene, or lines of one.
        path: of its file, for the message.

    Raises:
        InputFileError: a valid pixel holds such a value.
    """
    if scene.cube.dtype.kind != "f":
        return
    spectra = PixelSpectra(scene.cube)
    for start in range(0, len(spectra), BLOCK_PIXELS):
        block = spectra[start : start + BLOCK_PIXELS]
        if scene.valid is not None:
            block = block[scene.valid.reshape(-1)[start : start + BLOCK_PIXELS]]
        largest = max(abs(float(block.max())), abs(float(block.min()))) if block.size else 0.0
        if not largest <= LARGEST_VALUE:
            raise InputFileError(
                path,
                f"values up to {largest:.3g}",
                f"spectra of at most {LARGEST_VALUE:.0e}",
                "mark missing pixels with --nodata VALUE",
            )


def tell_missing(scene: Scene | SceneFile, observer: Observer) -> None:
    """Say how many pixels hold no data, if any."""
    if scene.valid is not None and not scene.valid.all():
        missing = int((~scene.valid).sum())
        observer.message(f"{scene.name}: {missing:,} pixels hold no data and are left out")


def prepare(
    config: ClassificationConfig, observer: Observer, memory: MemoryLimit | None = None
) -> Prepared:
    """Load, split and reduce, as a resolved configuration says.

    Args:
        config: says it.
        observer: hears of the progress.
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
