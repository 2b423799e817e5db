"""Several scenes of the user's, read and brought to the same bands, values and classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...data.formats.drawn_features import DrawnOptions
from ...data.joined_classes import SceneClasses, join_classes
from ...data.readers import CubeFile, SceneFile, scene_in_file, scene_in_memory
from ...data.scene import Scene
from ...data.scene_labels import LabelChoice
from ...data.scene_stack import StackedScene, stack_scenes
from ...engine.observer import Observer
from ...schemas.classification import ClassificationConfig
from ...schemas.scene_data import NamedSceneConfig, ScenesConfig
from .scene_checks import check_values, report_missing
from .scene_files import open_scenes
from .training_memory import MemoryLimit


def load_scenes(
    config: ClassificationConfig, observer: Observer, memory: MemoryLimit | None = None
) -> StackedScene:
    """The scenes that a resolved configuration names, as one.

    Cubes that do not fit into memory together stay in their files.

    Args:
        config: names them.
        observer: reports how they were read.
        memory: what there is of it.

    Raises:
        HsiSuiteError: a scene is damaged, or they have other bands or classes.
    """
    opened = open_scenes(config, observer)
    try:
        gap = gap_of(config)
        lines = sum(file.shape[0] + gap for file in opened.files) - gap
        widest = max(file.shape[1] for file in opened.files)
        size = lines, widest, opened.files[0].shape[2]
        held = (memory or MemoryLimit()).holds_stack(opened.files, size, config)
        scenes = [
            _read(entry, file, config.data, held, observer)
            for entry, file in zip(config.data.scenes, opened.files, strict=True)
        ]
        joined = join_classes(
            [SceneClasses(scene.name, _truth(scene), scene.class_names) for scene in scenes]
        )
    except BaseException:
        opened.close()
        raise
    if held:
        opened.close()
    for remark in joined.remarks:
        observer.message(remark)
    numbered = [
        replace(scene, labels=labels, class_names=joined.names)
        for scene, labels in zip(scenes, joined.labels, strict=True)
    ]
    return stack_scenes(numbered, gap, joined.names, opened.reference)


def _read(
    entry: NamedSceneConfig, file: CubeFile, data: ScenesConfig, held: bool, observer: Observer
) -> Scene | SceneFile:
    read = scene_in_memory if held else scene_in_file
    scene = read(file, _labels(entry, data), entry.name or file.path.stem)
    check_values(scene, entry.scene)
    for remark in scene.remarks:
        observer.message(f"{scene.name}: {remark}")
    report_missing(scene, observer)
    return scene


def gap_of(config: ClassificationConfig) -> int:
    """Lines between scenes: no window reaches across, and no guard has anything to keep free."""
    return max(1, config.model.reach // 2, config.split.guard or 0)


def _labels(entry: NamedSceneConfig, data: ScenesConfig) -> LabelChoice:
    drawing = DrawnOptions(
        data.labels_field,
        data.labels_layer,
        data.labels_buffer,
        data.labels_crs,
        data.all_touched,
    )
    names = entry.class_names or data.class_names
    return LabelChoice(
        entry.labels, data.labels_variable, names, data.unlabelled, data.warp_labels, drawing
    )


def _truth(scene: Scene | SceneFile) -> NDArray[np.integer]:
    assert scene.labels is not None
    return scene.labels
