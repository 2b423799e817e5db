"""What a run costs: seconds of its stages, energy, memory; as cost.json and its page have it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..reports.content import flat_rows
from .energy import EnergyMeter, energy_metered
from .machine import host, peak_device_megabytes, peak_memory_megabytes

if TYPE_CHECKING:
    from ..engine.trainer import Training

# By candidate, of --model auto.
CANDIDATE_SECONDS = "candidate_seconds"
_PREPARATION, _ENERGY = "preparation_seconds", "processor_joules"
# How many runs were trained at once: the epochs' seconds are those of all of them.
_TOGETHER = "trained_together"
_UNTOLD = "not told by this machine"
# What a run's cost.json may hold, in the order of its page.
_ORDER = (
    _PREPARATION,
    "training_seconds",
    CANDIDATE_SECONDS,
    "epoch_seconds",
    _TOGETHER,
    "map_seconds",
    "test_seconds",
    "baseline_seconds",
    "evaluation_seconds",
    "pictures_seconds",
    _ENERGY,
    "peak_memory_megabytes",
    "peak_device_megabytes",
    "finished",
    "host",
)


@dataclass
class _Metered:
    """A run that is under way.

    Attributes:
        energy: what it takes of the processors.
        started: when its data began to be read, by `time.monotonic`.
        preparation: seconds until its work began; None before.
    """

    energy: EnergyMeter
    started: float
    preparation: float | None = None


_under_way: ContextVar[_Metered | None] = ContextVar("_under_way", default=None)


@contextmanager
def metered() -> Iterator[None]:
    """Count what a run takes, from the reading of its data on."""
    with energy_metered() as energy:
        token = _under_way.set(_Metered(energy, time.monotonic()))
        try:
            yield
        finally:
            _under_way.reset(token)


def prepared() -> None:
    """Note that the data are there and the work begins."""
    run = _under_way.get()
    if run is not None:
        run.preparation = time.monotonic() - run.started


def measured_cost(training: float, epochs: Sequence[float], **further: float) -> dict[str, Any]:
    """What a run took, as cost.json holds it.

    Of a run that was continued, all but the epochs is of the process that finished it.

    Args:
        training: seconds from its begin to its last step.
        epochs: seconds of each epoch.
        further: other seconds by their keys.
    """
    run = _under_way.get()
    seconds = {"training_seconds": training, **further}
    if run is not None and run.preparation is not None:
        seconds[_PREPARATION] = run.preparation
    joules = None if run is None else run.energy.joules
    return {
        **{name: round(value, 3) for name, value in seconds.items()},
        "epoch_seconds": [round(value, 4) for value in epochs],
        _ENERGY: None if joules is None else round(joules, 1),
        "peak_memory_megabytes": round(peak_memory_megabytes(), 1),
        **peak_device_megabytes(),
        "finished": datetime.now().astimezone().isoformat(timespec="seconds"),
        "host": host(),
    }


def judged_cost(seconds: float, training: Training, begun: float, judged: float) -> dict[str, Any]:
    """The same of a training that was then scored, and whose pictures were drawn since.

    Args:
        seconds: `training` of `measured_cost`.
        training: what came out; where several were carried out together their number is said, as
            the seconds of the epochs are those of all.
        begun: when scoring began, by `time.monotonic`.
        judged: when it ended.
    """
    cost = measured_cost(
        seconds,
        training.seconds,
        evaluation_seconds=judged - begun,
        pictures_seconds=time.monotonic() - judged,
    )
    return cost | ({_TOGETHER: training.together} if training.together > 1 else {})


def shown_cost(cost: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rows of a page; runs of earlier versions have fewer."""
    place = {name: number for number, name in enumerate(_ORDER)}
    names = sorted(cost, key=lambda name: place.get(name, len(place)))
    untold = {_ENERGY: _UNTOLD} if cost.get(_ENERGY, 0.0) is None else {}
    return flat_rows({name: cost[name] for name in names} | untold)
