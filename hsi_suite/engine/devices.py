"""Devices, threads and determinism, set for one piece of work and restored after it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from ..cublas import SETTING, WORKSPACE, reserve_workspace
from ..errors import DeviceError
from ..seeding import seed_own_draws
from .device_failures import device_failure
from .device_memory import FAILURES
from .device_names import check_device_name, no_such_device
from .launched import launched_processes
from .precision import products_in

# Of the settings that are the whole process's: threads, determinism, TF32, torch's own draws.
_alone = threading.RLock()


def resolve_device(name: str) -> torch.device:
    """The device a name stands for.

    Args:
        name: auto (CUDA when there is one, else the CPU), cpu, cuda or cuda:N. Where a launcher
            has started several processes, each has the CUDA device of its own number
            (LOCAL_RANK) instead of N.

    Raises:
        DeviceError: the name is none of these or the device is not there.
    """
    check_device_name(name)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return torch.device("cpu")
    index = int(name.partition(":")[2] or 0)
    if launched_processes() > 1:
        index = int(os.environ.get("LOCAL_RANK", index))
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if index >= count:
        raise no_such_device(index, count)
    return torch.device("cuda", index)


@contextmanager
def computing(
    device: torch.device, threads: int, deterministic: bool, lower: str = ""
) -> Iterator[None]:
    """Compute with a fixed number of threads and, if wanted, deterministically.

    Everything is restored afterwards. What is set, and the state of torch's own draws, holds for
    the whole process: one thread computes at a time, another waits for its turn. An operation that
    has no deterministic form on the device is refused by name instead of giving results that differ
    from run to run. New memory is not filled before it is written to, which torch does in this mode
    to show who reads what nobody wrote: 2 to 5 % of the time of maps and denoisers. TF32 is off;
    what asks for it switches it on (`precision.products_in`).

    Args:
        device: that computes.
        threads: of the processor.
        deterministic: whether what depends on chance is refused.
        lower: what a user can lower where memory runs out, as keys or options.

    Raises:
        DeviceError: determinism cannot be had, because CUDA started without its cuBLAS workspace
            setting or an operation does not offer it; memory ran out; or the device is busy, or
            of a kind that torch was not built for.
    """
    with _alone:
        _require_workspace(device, deterministic)
        try:
            with _settings(threads, deterministic), products_in("fp32", device):
                yield
        except FAILURES as error:
            failure = device_failure(device, error, lower)
            if failure is None:
                raise
            raise failure from error


@contextmanager
def _settings(threads: int, deterministic: bool) -> Iterator[None]:
    """Torch's and other libraries' settings of the whole process."""
    old_threads = torch.get_num_threads()
    old_mode = torch.get_deterministic_debug_mode()
    memory: Any = torch.utils.deterministic
    old_filling = memory.fill_uninitialized_memory
    cudnn = torch.backends.cudnn
    old_cudnn = (cudnn.benchmark, cudnn.deterministic)
    torch.set_num_threads(threads)
    # The same switch as use_deterministic_algorithms, which imports torch's compiler: seconds.
    torch.set_deterministic_debug_mode("error" if deterministic else "default")
    memory.fill_uninitialized_memory = False
    cudnn.benchmark, cudnn.deterministic = not deterministic, deterministic
    try:
        with threadpool_limits(threads):
            yield
    finally:
        torch.set_num_threads(old_threads)
        torch.set_deterministic_debug_mode(old_mode)
        memory.fill_uninitialized_memory = old_filling
        cudnn.benchmark, cudnn.deterministic = old_cudnn


def _require_workspace(device: torch.device, deterministic: bool) -> None:
    # It is set when this package is imported; somebody may have taken it away since.
    if device.type != "cuda" or not deterministic or os.environ.get(WORKSPACE):
        return
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        raise DeviceError(
            WORKSPACE,
            "not set although CUDA has started",
            f"{WORKSPACE}={SETTING}",
            "set it before Python starts, or use deterministic=false",
        )
    reserve_workspace()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Run torch's own draws (dropout takes no generator) from `seed`; restore its state after.

    Draws on other devices, which are somebody else's, go on as they were.
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        seed_own_draws(seed, devices)
        yield
