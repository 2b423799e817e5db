"""Whether to train by windows or by the whole scene at once: a choice from counts alone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ..errors import ConfigError
from .dense import runs_dense, scene_features
from .task import WindowNetwork

# Multiply-adds per second in a scene's features, as a share of those in windows, which stay in a
# processor's caches. Measured: docs/decisions/0003-dense-training.md.
_SCENE_RATE = 0.8


@dataclass(frozen=True)
class EpochCost:
    """Multiply-adds of the forward passes of an epoch; backward passes take twice as many.

    Attributes:
        windows: by a window for every pixel.
        scene: by the features of the whole scene at every step.
        head: by the layers that follow them at the pixels of the batches.
    """

    windows: int
    scene: int
    head: int

    @property
    def speed_up(self) -> float:
        """Expected time of an epoch by windows over that by the whole scene."""
        return self.windows / (self.scene / _SCENE_RATE + self.head)


@dataclass(frozen=True)
class TrainingPlan:
    """How a network is trained.

    Attributes:
        strategy: patch (by windows) or dense (by the whole scene).
        cost: of both; None for a network that cannot be trained on a whole scene.
    """

    strategy: Literal["patch", "dense"]
    cost: EpochCost | None

    def __str__(self) -> str:
        if self.cost is None:
            return f"training strategy {self.strategy}, the only one for this network"
        dense = self.cost.scene + self.cost.head
        return (
            f"training strategy {self.strategy}; a dense epoch takes {dense:.2g} multiply-adds "
            f"against {self.cost.windows:.2g}, estimated at {self.cost.speed_up:.2g} × the speed"
        )


def plan_training(
    strategy: Literal["auto", "patch", "dense"],
    network: object,
    shape: tuple[int, int, int],
    pixels: int,
    batch_size: int,
) -> TrainingPlan:
    """Choose how to train; the choice depends on nothing but the arguments.

    Args:
        strategy: auto takes the one expected to be faster.
        network: to be trained; models of other kinds have no choice.
        shape: components, lines and samples of the scene.
        pixels: in the training part.
        batch_size: pixels per step.

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
        return TrainingPlan("patch", None)
    cost = epoch_cost(network, shape, pixels, batch_size)
    if strategy == "auto":
        strategy = "dense" if cost.speed_up > 1 else "patch"
    return TrainingPlan(strategy, cost)


def epoch_cost(
    network: WindowNetwork, shape: tuple[int, int, int], pixels: int, batch_size: int
) -> EpochCost:
    """Count multiply-adds; nothing is computed.

    Args:
        network: one that `engine.dense.runs_dense`.
        shape: components, lines and samples of the scene.
        pixels: in the training part.
        batch_size: pixels per step.
    """
    shadow = copy.deepcopy(network)
    assert isinstance(shadow, nn.Module)
    shadow.to("meta")
    components, lines, samples = shape
    border = network.window - 1
    one = torch.empty(1, components, border + 1, border + 1, device="meta")
    scene = torch.empty(components, lines + border, samples + border, device="meta")
    whole = _multiply_adds(shadow, one)
    steps = -(-pixels // batch_size)
    return EpochCost(
        windows=pixels * whole,
        scene=steps * _multiply_adds(partial(scene_features, shadow), scene),
        head=pixels * (whole - _multiply_adds(shadow.features, one)),
    )


def _multiply_adds(function: Callable[[Tensor], Tensor], x: Tensor) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        function(x)
    # Torch counts a multiplication and an addition as two operations.
    return int(counter.get_total_flops()) // 2
