"""Keys that every trained task shares: optimiser, schedule, seeds, device."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from ..config import Section
from ..seeding import SeedStreams
from ..unread_keys import ReadWith

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
LEAST_SHARE = 1e-9
Precision = Literal["fp32", "tf32", "bf16", "fp16"]


def _not_empty(value: str) -> str:
    if not value:
        raise ValueError("text that is not empty")
    return value


# Not a least length: to count, pydantic refuses the bytes of a file's name that are no UTF-8.
Text = Annotated[str, AfterValidator(_not_empty)]
"""A name or a path, of which an empty one would be the folder that one is in."""


def _not_infinite(value: float) -> float:
    if math.isinf(value):
        raise ValueError("a finite number, or .nan")
    return value


def _some_or_none(value: float) -> float:
    if 0 < value < LEAST_SHARE:
        raise ValueError(f"0, or a share of at least {LEAST_SHARE:g}")
    return value


def _all_finite(value: Any) -> Any:
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for one in inner:
            _all_finite(one)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"finite numbers, not {value}")
    return value


NumberOrNaN = Annotated[float, Field(allow_inf_nan=True), AfterValidator(_not_infinite)]
SetApart = Annotated[float, Field(ge=0, lt=1), AfterValidator(_some_or_none)]
"""A share that is set apart, of which so little that the rest counts as all would be none."""
Options = Annotated[dict[str, Any], AfterValidator(_all_finite)]


class OptimizerConfig(Section):
    """The rule that moves the weights.

    Attributes:
        name: adam (Kingma and Ba 2015), sgd, rmsprop (Tieleman and Hinton 2012) or adagrad (Duchi,
            Hazan, Singer 2011).
        learning_rate: at step 0, before the schedule.
        beta1: Adam's decay rate of the first moment.
        beta2: Adam's decay rate of the second moment.
        momentum: of SGD and RMSProp.
        weight_decay: L2 penalty added to the gradient.
        decay: RMSProp's decay rate of the second moment; here and below Inception v3's value.
        epsilon: what RMSProp adds to the root of the second moment.
    """

    name: Literal["adam", "sgd", "rmsprop", "adagrad"] = "adam"
    learning_rate: Annotated[float, Field(gt=0, le=1e30)] = 1e-3
    beta1: Annotated[float, Field(ge=0, lt=1), ReadWith("name", ("adam",))] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1), ReadWith("name", ("adam",))] = 0.999
    momentum: Annotated[float, Field(ge=0, lt=1), ReadWith("name", ("sgd", "rmsprop"))] = 0.9
    weight_decay: NonNegative = 0.0
    decay: Annotated[float, Field(ge=0, lt=1), ReadWith("name", ("rmsprop",))] = 0.9
    epsilon: Annotated[Positive, ReadWith("name", ("rmsprop",))] = 1.0


class ScheduleConfig(Section):
    """How the learning rate changes.

    Attributes:
        name: constant; inverse_time (rate / (1 + decay · step), the `decay` of Keras optimisers);
            cosine (to zero at the last step); step (times `factor` every `every` epochs).
        decay: of inverse_time, per step.
        factor: of step.
        every: of step, in epochs.
        warmup: steps of linear growth from 0 at the start.
    """

    name: Literal["constant", "inverse_time", "cosine", "step"] = "constant"
    decay: Annotated[NonNegative, ReadWith("name", ("inverse_time",))] = 1e-6
    factor: Annotated[Positive, ReadWith("name", ("step",))] = 0.1
    every: Annotated[int, Field(ge=1), ReadWith("name", ("step",))] = 30
    warmup: Annotated[int, Field(ge=0)] = 0


class TrainingConfig(Section):
    """The training loop.

    Attributes:
        epochs: passes over the training part.
        batch_size: items per step.
        gradient_clip: largest L2 norm of the gradient; null leaves it alone.
        average: share of the old weights that each step keeps in their moving average, which is
            then validated and kept instead of the weights themselves; null keeps no average.
        precision: of forward and backward passes; weights and optimiser stay fp32. fp32, bf16, or
            on CUDA devices tf32 (products and convolutions alone) and fp16 (with loss scaling:
            steps whose gradients leave its range are skipped and counted).
        selection: last (the model after the last epoch, as in the HybridSN paper) or best (the
            epoch with the best validation score; needs a validation part).
        early_stopping: epochs without a better validation score before training stops; null
            trains to the end; needs a validation part.
        checkpoint_seconds: longest work that a killed run loses.
    """

    epochs: Annotated[int, Field(ge=1)] = 100
    batch_size: Annotated[int, Field(ge=1)] = 256
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    gradient_clip: Positive | None = None
    average: Annotated[float, Field(gt=0, lt=1)] | None = None
    precision: Precision = "fp32"
    selection: Literal["last", "best"] = "last"
    early_stopping: Annotated[int, Field(ge=1)] | None = None
    checkpoint_seconds: NonNegative = 30.0


class ClassifierTrainingConfig(TrainingConfig):
    """The training loop of a classifier.

    Attributes:
        label_smoothing: share of the target that is spread evenly over all classes (Szegedy et
            al., CVPR 2016, section 7).
    """

    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0


class SeedsConfig(Section):
    """The random streams; each is derived from `base` unless it is set alone.

    Attributes:
        base: what all others are derived from (`--seed`).
        split: of the pixels or images of each part.
        init: of the first weights, and of models that draw when they are fitted.
        order: of the training items in each epoch.
        dropout: of what dropout leaves out.
        noise: of the noise that denoisers learn to take.
        augment: of turns, gains and other changes of training items.
    """

    base: Seed = 0
    split: Seed | None = None
    init: Seed | None = None
    order: Seed | None = None
    dropout: Seed | None = None
    noise: Seed | None = None
    augment: Seed | None = None


class MachineConfig(Section):
    """Keys of the machine, shared by every task's configuration.

    Attributes:
        seeds: see `SeedsConfig`.
        threads: CPU threads of this run; part of its identity, as results differ in the last
            bits between thread counts. null takes the processors this process may use.
        device: auto (CUDA when there is one), cpu, cuda or cuda:N.
        deterministic: refuse operations whose result depends on chance; equal seeds, threads and
            machine then give equal bits.
    """

    seeds: SeedsConfig = SeedsConfig()
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    device: Text = "auto"
    deterministic: bool = True

    @property
    def streams(self) -> SeedStreams:
        """The random streams of this run."""
        fixed = self.seeds.model_dump(exclude={"base"}, exclude_none=True)
        return SeedStreams(self.seeds.base, fixed)
