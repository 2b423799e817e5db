"""What a run takes of the machine; torch is imported for what it alone knows."""

from __future__ import annotations

import os
import platform
import resource
import sys
from typing import TypeVar

from ..schemas.training import MachineConfig

_MOST_THREADS = 1024
_Config = TypeVar("_Config", bound=MachineConfig)


def available_threads() -> int:
    """Threads this process may use: OMP_NUM_THREADS where it is set, else its processors."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdecimal() and 0 < int(wanted) <= _MOST_THREADS:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def on_this_machine(config: MachineConfig) -> dict[str, str | int]:
    """The keys of a configuration that its machine decides: the device and the threads.

    Raises:
        DeviceError: the device is not there.
    """
    from ..engine.devices import resolve_device

    return {
        "device": str(resolve_device(config.device)),
        "threads": config.threads or available_threads(),
    }


def on_device(config: _Config, device: str | None) -> _Config:
    """A run's configuration as this machine carries it out.

    Args:
        config: of the run, with the device that it was made with.
        device: auto, cpu, cuda or cuda:N in its place; None keeps it.

    Raises:
        DeviceError: the device is not there.
    """
    from ..engine.devices import resolve_device

    return config.model_copy(update={"device": str(resolve_device(device or config.device))})


def peak_memory_megabytes() -> float:
    """Largest resident memory of this process so far, in units of 10^6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def peak_device_megabytes() -> dict[str, float]:
    """Most memory that tensors took on a CUDA device, in units of 10^6 bytes, by a key of its own.

    Counted since `forget_peak_device_memory`; empty where CUDA was not used.
    """
    import torch

    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return {}
    peaks = [torch.cuda.max_memory_allocated(each) for each in range(torch.cuda.device_count())]
    return {"peak_device_megabytes": round(max(peaks) / 1e6, 1)}


def forget_peak_device_memory() -> None:
    """Let the peak be that of what comes, not of runs before it in this process."""
    import torch

    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        for each in range(torch.cuda.device_count()):
            torch.cuda.reset_peak_memory_stats(each)


def host() -> dict[str, str]:
    """Where a run took its time: kept apart from results, which do not depend on it."""
    return {"name": platform.node(), "system": platform.platform()}
