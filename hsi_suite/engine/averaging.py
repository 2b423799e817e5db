"""The running average of a model's weights during training."""

from __future__ import annotations

import copy

import torch
from torch import nn


class WeightAverage:
    """An exponential moving average of weights (Polyak and Juditsky, 1992), as a model.

    The decay grows from 0.1 at the first step to `decay`, so that the initial weights are soon
    forgotten. Counters and other whole numbers are copied, not averaged.

    Args:
        model: is copied, not changed.
        decay: share of the old average that a step keeps, below 1.

    Attributes:
        model: has the averaged weights and is in eval mode.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights that `model` has after step `step` (from 0)."""
        kept = min(self.decay, (1 + step) / (10 + step))
        averages, values = self.model.state_dict(), model.state_dict()
        for name, average in averages.items():
            if average.is_floating_point():
                average.lerp_(values[name], 1 - kept)
            else:
                average.copy_(values[name])
