"""What jobs measure with: a stopwatch that waits for the device, and a counter of operations."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from hsi_suite.operation_count import OperationCount


class Stopwatch:
    """Seconds on the wall, and of all this process's threads on the processors."""

    seconds = 0.0
    cpu_seconds = 0.0


@contextmanager
def stopwatch(device: str) -> Iterator[Stopwatch]:
    """Time a block; what it gave a GPU to do is waited for."""
    watch = Stopwatch()
    synchronise(device)
    wall, cpu = time.perf_counter(), time.process_time()
    yield watch
    synchronise(device)
    watch.seconds = time.perf_counter() - wall
    watch.cpu_seconds = time.process_time() - cpu


def synchronise(device: str) -> None:
    """Wait until a GPU has done what it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def on_meta(network: nn.Module) -> nn.Module:
    """A copy without numbers, for counting."""
    return copy.deepcopy(network).to("meta")


def operations(function: Callable[[Tensor], Tensor], *shape: int) -> float:
    """Floating-point operations of a function of an input of some shape; nothing is computed."""
    # Not torch's own counter: it imports its compiler, 50 MB that would be a side's peak memory.
    with torch.no_grad(), OperationCount() as counter:
        function(torch.empty(*shape, device="meta"))
    return float(counter.total)
