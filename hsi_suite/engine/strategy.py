"""Whether to train by windows or by the whole scene at once: a choice from counts alone."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ..operation_count import OperationCount
from .dense import runs_dense, scene_features
from .task import WindowNetwork
from .tiled import TileGrid

# Multiply-adds per second in a scene's features, as a share of those in windows, which stay in a
# processor's caches. Measured: docs/decisions/0003-dense-training.md.
_SCENE_RATE = 0.9


@dataclass(frozen=True)
class Costs:
    """Multiply-adds of forward passes; backward passes take twice as many.

    Attributes:
        window: of one pixel by its window.
        scene: of the features of the whole scene.
        tile: of the features of a tile of it, see `engine.tiled`.
        head: of the layers after them, for one pixel.
    """

    window: int
    scene: int
    tile: int
    head: int

    @property
    def break_even(self) -> int:
        """The pixels in a batch from which on the whole scene is expected to be faster."""
        return math.ceil(self.scene / _SCENE_RATE / (self.window - self.head))


@dataclass(frozen=True)
class TrainingPlan:
    """How a network is trained.

    Attributes:
        strategy: patch (by windows) or dense (by the whole scene).
        dense_from: the pixels from which on a batch goes by the whole scene; a last batch may
            be much smaller than the others. None for patch.
        text: the same in words, with the estimate that decides.
    """

    strategy: Literal["patch", "dense"]
    dense_from: int | None
    text: str


def plan_training(
    strategy: Literal["auto", "patch", "dense"],
    network: object,
    shape: tuple[int, int, int],
    pixels: int,
    batch_size: int,
    tiles: int | None = None,
) -> TrainingPlan:
    """Choose how to train; the choice depends on nothing but the arguments.

    Args:
        strategy: auto takes the one expected to be faster.
        network: to be trained; models of other kinds have no choice.
        shape: components, lines and samples of the scene.
        pixels: in the training part.
        batch_size: pixels per step.
        tiles: how many tiles the batches of an epoch hold in all, where they are drawn tile by
            tile; None where they are drawn pixel by pixel.

    Raises:
        ConfigError: dense is asked of a network that sees windows and scenes differently.
    """
    if not runs_dense(network, training=True):
        if strategy == "dense":
            raise ConfigError(
                "train.strategy",
                "dense, with a model that sees a window otherwise than a whole scene",
                "patch or auto",
            )
        return TrainingPlan(
            "patch", None, "training by windows (train.strategy=patch), the only way for this model"
        )
    costs = count_costs(network, shape)
    windows = pixels * costs.window
    if tiles is None:
        dense_from = min(batch_size, pixels, costs.break_even)
        dense, effort = _dense_epoch(costs, pixels, batch_size, dense_from)
    else:
        dense_from = 1
        features, rows = tiles * costs.tile, pixels * costs.head
        dense, effort = features + rows, features / _SCENE_RATE + rows
    speed_up = windows / effort
    if strategy == "auto":
        strategy = "dense" if speed_up > 1 else "patch"
    how = "the whole scene at once" if strategy == "dense" else "windows, one for each pixel"
    text = (
        f"training by {how} (train.strategy={strategy}): the whole scene is estimated at "
        f"{speed_up:.2g} × the speed of windows, {dense:.2g} against {windows:.2g} multiply-adds "
        "an epoch"
    )
    return TrainingPlan(strategy, dense_from if strategy == "dense" else None, text)


def _dense_epoch(costs: Costs, pixels: int, batch_size: int, dense_from: int) -> tuple[int, float]:
    """Multiply-adds of an epoch's forward passes, and the same weighted by their speed."""
    batches = [batch_size] * (pixels // batch_size) + [pixels % batch_size]
    dense = [batch for batch in batches if batch >= dense_from]
    scenes, rows = len(dense) * costs.scene, sum(dense) * costs.head
    rows += (pixels - sum(dense)) * costs.window
    return scenes + rows, scenes / _SCENE_RATE + rows


def count_costs(network: WindowNetwork, shape: tuple[int, int, int]) -> Costs:
    """Count multiply-adds; nothing is computed.

    Args:
        network: one that `engine.dense.runs_dense`.
        shape: components, lines and samples of the scene.
    """
    shadow = copy.deepcopy(network)
    assert isinstance(shadow, nn.Module)
    shadow.to("meta")
    components, lines, samples = shape
    border = network.window - 1
    one = torch.empty(1, components, border + 1, border + 1, device="meta")
    size = TileGrid(samples).side + border
    tile = torch.empty(1, components, size, size, device="meta")
    scene = torch.empty(components, lines + border, samples + border, device="meta")
    window = _multiply_adds(shadow, one)
    return Costs(
        window=window,
        scene=_multiply_adds(partial(scene_features, shadow), scene),
        tile=_multiply_adds(shadow.features, tile),
        head=window - _multiply_adds(shadow.features, one),
    )


def _multiply_adds(function: Callable[[Tensor], Tensor], x: Tensor) -> int:
    with torch.no_grad(), OperationCount() as count:
        function(x)
    total: int = count.multiply_adds
    return total
