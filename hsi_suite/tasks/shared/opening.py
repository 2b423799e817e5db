"""The first lines in the log of a training."""

from __future__ import annotations

from collections.abc import Sequence

from ...data.position_curve import PositionCurve
from ...data.readers import SceneFile
from ...data.scene import Scene
from ...data.splits import Split
from ...models.network_file import shown_name
from ...reports.content import unverified_text
from ...runs.task import Config
from ...schemas.classification import ClassificationConfig


def epochs_text(epochs: int) -> str:
    """A number of epochs in words."""
    return "1 epoch" if epochs == 1 else f"{epochs:,} epochs"


def bands_left_out(scene: Scene | SceneFile | None) -> list[str]:
    """A line of the bands that a scene's file has and the run does not use, if any."""
    if scene is None or scene.selection is None:
        return []
    return [f"{scene.name}: {scene.selection.summary()}"]


def scene_lines(config: ClassificationConfig, split: Split) -> list[str]:
    """What a log says first of several scenes."""
    if split.kind == "scenes":
        return [f"split by scenes: {split.layout}"]
    if any(entry.role for entry in config.data.scenes):
        return [
            f"the roles of the scenes are not used by a split of kind {split.kind}; "
            "--split scenes does"
        ]
    return []


def guard_lines(config: ClassificationConfig, guards: PositionCurve) -> list[str]:
    """What a log says of a guard that nobody chose, where it is wider than the window asks for."""
    radius = config.model.window // 2
    if config.split.guard is not None or guards.floor <= radius:
        return []
    why = "there position alone falls near chance"
    if not guards.reached:
        why = "there position alone scores least, which is not near chance"
    return [f"split.guard: {guards.floor} pixels, as {why}; --set split.guard={radius} keeps fewer"]


def opening(
    config: Config, data: str, parts: str, length: str = "", unverified: Sequence[str] = ()
) -> list[str]:
    """What is about to be trained on what, and what to know of the data.

    Args:
        config: of the run, resolved.
        data: name of the data.
        parts: their sizes in words.
        length: of the training in words; empty where nothing is repeated.
        unverified: files of the data that nobody vouches for.
    """
    words = (parts, length, f"seed {config.seeds.base}", f"on {config.device}")
    what = f"training {shown_name(config.model.name)} on {data}: {', '.join(filter(None, words))}"
    return [what, *([unverified_text(unverified)] if unverified else [])]
