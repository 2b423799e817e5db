"""What the log of a training on scenes begins with."""

from __future__ import annotations

from ...models.classical import CLASSICAL
from ...schemas.classification import ClassificationConfig
from ..shared.opening import bands_left_out, epochs_text, guard_lines, opening, scene_lines
from .preparation import Prepared
from .scene_domain import unlike_scenes


def opening_lines(config: ClassificationConfig, prepared: Prepared) -> list[str]:
    """What is trained on what, how it is divided, and what to know of it beforehand."""
    scene, split = prepared.scene, prepared.split
    if prepared.folds:
        parts = f"{len(split.test):,} pixels of {len(split.classes)} classes tested in "
        parts += f"{len(prepared.folds)} spatial folds of {split.layout}"
    else:
        parts = (
            f"{len(split.train):,} training and {len(split.test):,} test pixels of "
            f"{len(split.classes)} classes"
        )
    at_once = config.model.name in CLASSICAL or config.auto is not None
    length = "" if at_once else epochs_text(config.train.epochs)
    denoised = [] if prepared.denoising is None else [f"{scene.name}: {prepared.denoising}"]
    guard = [] if prepared.guards is None else guard_lines(config, prepared.guards)
    first = opening(config, scene.name, parts, length, scene.unverified)
    bands = bands_left_out(scene)
    unlike = [f"warning: {line}" for line in unlike_scenes(prepared)]
    return [*first, *guard, *scene_lines(config, split), *bands, *denoised, *unlike]
