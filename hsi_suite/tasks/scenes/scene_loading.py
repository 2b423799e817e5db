"""The scene that a configuration names: read, checked, and denoised where it says so."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ...data.band_order import scene_with_selection, with_selection
from ...data.catalogue import load_dataset
from ...data.readers import SceneFile, open_scene, read_scene
from ...data.scene import Scene
from ...engine.observer import Observer
from ...schemas.classification import ClassificationConfig
from ...schemas.scene_data import SceneConfig
from ..shared.settled_bands import opened_cube
from .denoising import SceneDenoising, denoise_open_scene, denoise_scene
from .many_scenes import load_scenes
from .scene_checks import check_values, report_missing
from .training_memory import MemoryLimit


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
        observer: reports how it was read, and pixels without data.
        memory: what there is of it.

    Raises:
        HsiSuiteError: there is no such scene, it is damaged, or holds impossible values.
    """
    data = config.data
    if data.scenes:
        return load_scenes(config, observer, memory)
    if data.scene is None:
        return named_scene(data, observer)
    with opened_cube(data) as opened:
        file = with_selection(opened, data.bands, drop_water=data.drop_water)
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
        observer: reports how it was read, and pixels without data.
        read: how the user's cube is read: whole, or left in its file.

    Raises:
        HsiSuiteError: there is no such scene, it is damaged, or holds impossible values.
    """
    if data.dataset is not None:
        loaded = load_dataset(
            data.dataset,
            seed=data.seed,
            allow_unverified=data.allow_unverified,
            on_message=observer.message,
        )
        return scene_with_selection(loaded, data.bands, drop_water=data.drop_water)
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
        labels_field=data.labels_field,
        labels_layer=data.labels_layer,
        labels_buffer=data.labels_buffer,
        labels_crs=data.labels_crs,
        all_touched=data.all_touched,
        nodata=data.nodata,
        bands=data.bands,
        drop_water=data.drop_water,
    )
    try:
        check_values(scene, data.scene)
    except BaseException:
        close_scene(scene)
        raise
    # Which bands are left out stands among the first lines of a run's log.
    selected = None if scene.selection is None else scene.selection.summary()
    for remark in scene.remarks:
        if remark != selected:
            observer.message(f"{scene.name}: {remark}")
    report_missing(scene, observer)
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
