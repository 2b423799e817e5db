"""The machine that figures belong to, and how fast it multiplies."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from hsi_suite.engine.precision import products_in
from hsi_suite.environment import describe_environment

from .interleaving import ROOT, command_environment
from .measuring import synchronise
from .workload import Workload

_VECTOR_FLAGS = re.compile(r"avx|amx|fma|f16c|sse4|asimd|sve|bf16|i8mm|fphp")
_SIZE = 2048
_REPEATS, _LEAST_SECONDS = 6, 0.2
Rates = dict[str, float]


def describe_machine(workload: Workload) -> dict[str, Any]:
    """Processor, memory, threads, versions, state of the code; no names of hosts, no paths."""
    known = describe_environment(workload.device, workload.threads)
    flags = _vector_flags()
    return {
        "cpu": _cpu_model(),
        "flags": flags,
        "bf16_instructions": [f for f in flags if f in ("avx512_bf16", "amx_bf16", "bf16")],
        "processors": os.cpu_count(),
        "threads": workload.threads,
        "memory_gigabytes": _memory_bytes() / 1e9,
        "device": workload.device,
        "device_name": known.get("device_name"),
        "cpu_capability": known["cpu_capability"],
        "system": known["platform"],
        "python": known["python"],
        "torch": known["packages"]["torch"],
        "code": known["code"],
    }


def measure_rates(workload: Workload) -> Rates:
    """The best rates of dense products, GFLOP/s, in a process of its own."""
    measured = subprocess.run(
        [sys.executable, "-m", "benchmarks.machine", str(workload.threads), workload.device],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=command_environment(workload.threads),
    )
    rates: Rates = json.loads(measured.stdout)
    return rates


def free_memory() -> float | None:
    """Bytes that new processes can have; None where the system does not say."""
    found = _line("/proc/meminfo", "MemAvailable")
    return float(found.split()[0]) * 1024 if found else None


def _memory_bytes() -> float:
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _cpu_model() -> str:
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return _line("/proc/cpuinfo", "model name") or platform.processor() or platform.machine()


def _vector_flags() -> list[str]:
    words = (_line("/proc/cpuinfo", "flags") or _line("/proc/cpuinfo", "Features")).split()
    return sorted(word for word in words if _VECTOR_FLAGS.search(word))


def _line(file: str, name: str) -> str:
    """What a file of the Linux kernel says of something; "" where there is no such line."""
    path = Path(file)
    text = path.read_text() if path.exists() else ""
    found = re.search(rf"^{name}\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else ""


def multiplication_rates(threads: int, device: str, size: int = _SIZE) -> Rates:
    """The best rates of dense products in this process, GFLOP/s, by precision.

    No single product shows what a processor can do: libraries cut matrices to its caches, choose
    other kernels for other layouts, and convolutions have kernels of their own, which were seen to
    pass square matrices by a factor of two. So the fastest of several counts.
    """
    torch.set_num_threads(threads)
    # By default torch lets convolutions of a GPU take TF32, and their rate would be no float32's.
    with products_in("fp32", torch.device(device)):
        return {
            name: max(_rate(product, device) for product in _products(kind, device, size))
            for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16))
        }


def _products(
    kind: torch.dtype, device: str, size: int
) -> Iterator[tuple[Callable[[], Tensor], float]]:
    """Products of several sizes, layouts and libraries, with their floating-point operations."""
    for side in (size // 4, size // 2, size, 2 * size):
        a, b = torch.randn(2, side, side).to(device, kind)
        yield partial(torch.mm, a, b), 2 * side**3
        yield partial(functional.linear, a, b), 2 * side**3
    for kernel, channels in ((1, size // 4), (3, size // 8), (3, size // 16)):
        lines = max(size // 32, 1)
        images = torch.randn(8, channels, lines, lines).to(device, kind)
        weights = torch.randn(channels, channels, kernel, kernel).to(device, kind)
        operations = 2 * 8 * lines**2 * channels**2 * kernel**2
        for layout in (torch.contiguous_format, torch.channels_last):
            given = [each.contiguous(memory_format=layout) for each in (images, weights)]
            yield partial(functional.conv2d, *given, padding=kernel // 2), operations


@torch.inference_mode()
def _rate(product: tuple[Callable[[], Tensor], float], device: str) -> float:
    run, operations = product
    seconds = []
    # Other programs lengthen the time on the wall, but not that of a single thread.
    alone = device == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter
    started = time.perf_counter()
    while len(seconds) < _REPEATS or time.perf_counter() - started < _LEAST_SECONDS:
        synchronise(device)
        before = clock()
        run()
        synchronise(device)
        # The time of a process moves in steps on some machines: a product within one took some.
        if (taken := clock() - before) > 0:
            seconds.append(taken)
    return operations / min(seconds) / 1e9


if __name__ == "__main__":
    print(json.dumps(multiplication_rates(int(sys.argv[1]), sys.argv[2])))
