"""Which epoch of a training is kept, and when no better one is waited for."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn

from ..errors import ConfigError
from ..schemas.training import TrainingConfig


class Selection:
    """The best epoch so far, by a figure of the validation part.

    Args:
        config: `selection` says whether the best epoch's weights are kept, `early_stopping` how
            many epochs without a better one end the training.
        metric: the figure's name; larger is better.

    Attributes:
        best: figure, epoch and weights (None unless they are kept) of the best epoch; None before
            there is one. Part of a checkpoint.
    """

    def __init__(self, config: TrainingConfig, metric: str) -> None:
        self.best: dict[str, Any] | None = None
        self._keeps_weights = config.selection == "best"
        self._patience = config.early_stopping
        self._name = f"validation_{metric}"

    def consider(self, row: dict[str, float], epoch: int, model: nn.Module) -> None:
        """Keep an epoch, if it is better than all before.

        Args:
            row: its figures.
            epoch: counted from 1.
            model: as it was judged.

        Raises:
            ConfigError: the configuration asks for a choice, and there is nothing to choose by.
        """
        if self._name not in row:
            if self._keeps_weights or self._patience is not None:
                raise ConfigError(
                    "train.selection",
                    "there is no validation part to choose by",
                    "one",
                    "set split.validation above 0",
                )
            return
        if self.best is not None and row[self._name] <= self.best["figure"]:
            return
        self.best = {"figure": row[self._name], "epoch": epoch, "weights": None}
        if self._keeps_weights:
            self.best["weights"] = copy.deepcopy(model.state_dict())

    def no_better(self, done: int) -> bool:
        """Whether the last of `done` epochs ended the wait for a better one."""
        return (
            self._patience is not None
            and self.best is not None
            and done - self.best["epoch"] >= self._patience
        )

    def take(self, model: nn.Module) -> int | None:
        """Give a model the weights that were kept, and tell of which epoch; None: none were."""
        if not self._keeps_weights or self.best is None:
            return None
        model.load_state_dict(self.best["weights"])
        return int(self.best["epoch"])
