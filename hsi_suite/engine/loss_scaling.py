"""Steps of a training in fp16, whose small gradients would be rounded to zero.

The loss is multiplied by a factor before the backward pass and the gradients are divided by it
afterwards, in fp32. Where they have left the range of fp16, the step is skipped and the factor
halved; after 2,000 steps without one it is doubled (Micikevicius et al., ICLR 2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class LossScaling:
    """Scales the loss of a training in fp16; of any other it does nothing.

    Args:
        device: what computes.
        active: whether it is a training in fp16.

    Attributes:
        skipped: steps that were not made.
    """

    def __init__(self, device: torch.device, active: bool) -> None:
        self._scaler = torch.amp.GradScaler(device.type) if active else None
        self.skipped = 0

    @property
    def active(self) -> bool:
        """Whether it scales anything."""
        return self._scaler is not None

    def backward(self, loss: Tensor) -> None:
        """Gradients of the loss, scaled."""
        scaled = loss if self._scaler is None else self._scaler.scale(loss)
        scaled.backward()  # type: ignore[no-untyped-call]

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Give gradients their own size, before anybody looks at it."""
        if self._scaler is not None:
            self._scaler.unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer) -> bool:
        """Make a step; whether it was made, and not skipped."""
        if self._scaler is None:
            optimizer.step()
            return True
        before = self._scaler.get_scale()
        self._scaler.step(optimizer)
        self._scaler.update()
        made = self._scaler.get_scale() >= before
        self.skipped += not made
        return made

    def remark(self, steps: int) -> str | None:
        """What to say of the steps that were skipped, in one line; None where none was.

        Args:
            steps: of the training so far.
        """
        if not self.skipped:
            return None
        return (
            f"fp16: {self.skipped:,} of {steps:,} steps were skipped, as their gradients left its "
            "range; a few at the begin are usual"
        )

    def state(self) -> dict[str, Any] | None:
        """What a checkpoint keeps; None of trainings that are not in fp16."""
        if self._scaler is None:
            return None
        return {"scaler": self._scaler.state_dict(), "skipped": self.skipped}

    def load(self, state: Mapping[str, Any] | None) -> None:
        """Go on from what `state` gave; a training may go on in another precision."""
        if self._scaler is not None and state is not None:
            self._scaler.load_state_dict(state["scaler"])
            self.skipped = state["skipped"]
