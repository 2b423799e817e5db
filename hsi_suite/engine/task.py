"""What a task gives the engine, and what the engine gives back.

The engine knows neither models nor data: it receives a module and a `TrainingTask` and turns
them into trained weights and a history.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn


class TrainingTask(Protocol):
    """A task to be trained by `engine.trainer`.

    `batch` must be a pure function of its arguments and the task's seeds: the trainer keeps no
    random state, so a resumed run asks for the same batches as an unbroken one.
    """

    #: The validation metric that selects the best epoch; higher is better.
    selection_metric: str

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in an epoch."""
        ...

    def batch(self, epoch: int, step: int) -> Any:
        """The batch of a step (both counted from 0), on the training device."""
        ...

    def loss(self, model: nn.Module, batch: Any) -> tuple[Tensor, dict[str, Tensor], int]:
        """The mean loss of a batch, sums of further values over its items, and their number."""
        ...

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Values of the validation part, `selection_metric` among them; empty without one.

        Called with the model in eval mode and gradients off.
        """
        ...


@runtime_checkable
class WindowNetwork(Protocol):
    """A classifier of windows that `engine.dense` can run over a whole scene.

    Its logits are those of a head over the features of the window: one linear layer over all of
    them, then layers on the rows that come out; or layers of any kind (attention or pooling over
    the window, padded convolutions), which see the features of each window apart.
    """

    #: Side of the window in pixels.
    window: int
    #: Lines, and samples, that the features have less than what they are computed from.
    margin: int

    def features(self, cubes: Tensor) -> Tensor:
        """The part before the head: (N, components, h, w) to (N, depth, h − margin, w − margin)."""
        ...

    def window_equivariant(self, training: bool) -> bool:
        """Whether `features` of a scene hold those of its windows, in training or evaluation."""
        ...

    def split_head(self) -> tuple[nn.Linear | None, nn.Module]:
        """The linear layer over a window's features (depth × lines × samples), and the rest.

        None where the head does not begin with one: the rest is then all of the head and takes
        features of windows (N, depth, lines, samples).
        """
        ...
