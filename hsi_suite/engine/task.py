"""What a task gives the engine, and what the engine gives back.

The engine knows neither models nor data: it receives a module and a `TrainingTask` and turns
them into trained weights and a history.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn


class TrainingTask(Protocol):
    """A task to be trained by `engine.trainer`.

    `batch` must be a pure function of its arguments and the task's seeds: the trainer keeps no
    random state, so a resumed run asks for the same batches as an unbroken one.
    """

    #: The validation figure that selects the best epoch; higher is better.
    selection_metric: str

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in an epoch."""
        ...

    def batch(self, epoch: int, step: int) -> Any:
        """The batch of a step (both counted from 0), on the training device."""
        ...

    def loss(self, model: nn.Module, batch: Any) -> tuple[Tensor, dict[str, Tensor], int]:
        """The mean loss of a batch, sums of further figures over its items, and their number."""
        ...

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Figures of the validation part, `selection_metric` among them; empty without one.

        Called with the model in eval mode and gradients off.
        """
        ...


Device = torch.device
