"""Several scenes from Python: lists of files, of arrays, or of scenes in memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from ..data.data_arrays import is_data_array
from ..data.scene import Scene
from ..errors import ConfigError
from .array_files import scene_arrays, scene_files


def are_several(scene: Any) -> TypeGuard[Sequence[Any]]:
    """Whether this is a list of scenes, and not a cube as nested lists."""
    return isinstance(scene, list | tuple) and bool(scene) and all(map(_is_scene, scene))


def several_scenes(
    scenes: Sequence[Any], labels: Any, class_names: Sequence[str], output: Path
) -> dict[str, Any]:
    """The options that say where several scenes are; arrays become files.

    Args:
        scenes: files, or arrays and scenes in memory.
        labels: one for each; None for those of scenes in memory.
        class_names: names of the classes of arrays.
        output: where runs are made.

    Raises:
        ConfigError: there are other numbers of scenes and labels, or files among arrays.
    """
    truths = [None] * len(scenes) if labels is None else labels
    if not isinstance(truths, list | tuple) or len(truths) != len(scenes):
        found = f"{len(truths)}" if isinstance(truths, list | tuple) else "one"
        raise ConfigError("labels", f"{found} for {len(scenes)} scenes", "a list, one for each")
    files = [isinstance(each, str | os.PathLike) for each in scenes]
    if all(files):
        if labels is None or not all(isinstance(each, str | os.PathLike) for each in truths):
            raise ConfigError("labels", "arrays beside scenes in files", "files")
        return {
            "scene": [os.fspath(each) for each in scenes],
            "labels": [os.fspath(each) for each in truths],
        }
    if any(files):
        raise ConfigError("scene", "files among arrays", "one or the other")
    entries = []
    for number, (scene, truth) in enumerate(zip(scenes, truths, strict=True), 1):
        arrays = scene_arrays(scene, truth, class_names)
        if arrays.labels is None:
            raise ConfigError(
                "labels", f"none of scene {number}", "lines × samples, 0 = unlabelled"
            )
        name = scene.name if isinstance(scene, Scene) else f"scene{number}"
        entries.append({**scene_files(arrays, output, header=True), "name": name})
    # Names that came as a list stand in files now.
    return {"scenes": entries, **({"class_names": None} if class_names else {})}


def _is_scene(each: Any) -> bool:
    if isinstance(each, str | os.PathLike | Scene) or is_data_array(each):
        return True
    return isinstance(each, np.ndarray) and each.ndim == 3
