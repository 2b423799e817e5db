"""Optimisers, learning-rate schedules and the running average of weights."""

from __future__ import annotations

import copy
import functools
import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn, optim

from ..schemas.training import OptimizerConfig, ScheduleConfig

# Values of a part of a parameter, enough for eight threads.
_PART = 2**18


def build_optimizer(parameters: Iterable[nn.Parameter], config: OptimizerConfig) -> optim.Optimizer:
    """The optimiser that `config` describes.

    Adam follows Kingma and Ba (2015); SGD has plain (not Nesterov) momentum. RMSProp divides the
    gradient by the root of its running mean square plus epsilon, and then gathers momentum
    (Szegedy et al., CVPR 2016, section 8, with decay 0.9 and epsilon 1). AdaGrad divides it by the
    root of the sum of all squares so far.
    """
    if config.name == "adam":
        return _plain(_AdamInParts)(
            parameters,
            lr=config.learning_rate,
            betas=(config.beta1, config.beta2),
            weight_decay=config.weight_decay,
        )
    if config.name == "rmsprop":
        return _plain(optim.RMSprop)(
            parameters,
            lr=config.learning_rate,
            alpha=config.decay,
            eps=config.epsilon,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
        )
    if config.name == "adagrad":
        return _plain(optim.Adagrad)(
            parameters, lr=config.learning_rate, weight_decay=config.weight_decay
        )
    return _plain(optim.SGD)(
        parameters,
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
    )


def learning_rate(
    optimizer: OptimizerConfig,
    schedule: ScheduleConfig,
    step: int,
    steps_per_epoch: int,
    epochs: int,
) -> float:
    """The learning rate at a step (from 0): a pure function, so nothing has to be resumed."""
    rate = optimizer.learning_rate
    if schedule.name == "inverse_time":
        rate /= 1 + schedule.decay * step
    elif schedule.name == "cosine":
        total = max(1, steps_per_epoch * epochs - schedule.warmup)
        done = min(1.0, max(0, step - schedule.warmup) / total)
        rate *= 0.5 * (1 + math.cos(math.pi * done))
    elif schedule.name == "step":
        rate *= schedule.factor ** (step // steps_per_epoch // schedule.every)
    if step < schedule.warmup:
        rate *= (step + 1) / schedule.warmup
    return rate


class _AdamInParts(optim.Adam):
    """torch's Adam, large parameters a part after the other.

    Two copies of a parameter are made on the way, which go through a processor's caches where they
    are small. The values are the same, bit by bit.
    """

    def _init_group(self, group: Any, *lists: Any) -> Any:
        found = super()._init_group(group, *lists)  # type: ignore[no-untyped-call]
        *columns, _, steps = lists
        rows = list(zip(*columns, strict=True))
        for column, tensors in zip(columns, zip(*map(_in_parts, rows), strict=True), strict=False):
            column[:] = [part for parts in tensors for part in parts]
        # Each part counts its steps, the first of them for the parameter.
        parts = (len(_in_parts(row)[0]) for row in rows)
        steps[:] = [
            each
            for step, count in zip(steps, parts, strict=True)
            for each in (step, *(step.clone() for _ in range(count - 1)))
        ]
        return found


def _in_parts(tensors: Sequence[Tensor]) -> list[Sequence[Tensor]]:
    """Tensors of one shape, each cut in the same places; whole where they are small, or spread."""
    first = tensors[0]
    if first.numel() <= _PART or first.is_cuda or not all(each.is_contiguous() for each in tensors):
        return [[each] for each in tensors]
    return [torch.split(each.view(-1), _PART) for each in tensors]


@functools.cache
def _plain(kind: type[optim.Optimizer]) -> Callable[..., optim.Optimizer]:
    """An optimiser of torch whose methods are as they were written.

    Torch wraps them to keep its compiler out, and imports it for that: three seconds, and 50 MB of
    memory that stay.
    """
    names = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in names}
    methods["step"] = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), methods)


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
