"""The machine that figures belong to, and how fast it multiplies matrices."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from hsi_suite.environment import describe_environment

from .interleaving import ROOT, command_environment
from .measuring import synchronise
from .workload import Workload

_VECTOR_FLAGS = re.compile(r"avx|amx|fma|f16c|sse4|asimd|sve|bf16|i8mm|fphp")
_SIZE = 2048
_REPEATS = 12
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
    """The best rates of square matrix products, GFLOP/s, in a process of its own."""
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
    """The best rates of square matrix products in this process, GFLOP/s, by precision."""
    torch.set_num_threads(threads)
    rates = {}
    for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a, b = torch.randn(2, size, size).to(device, kind)
        seconds = []
        for _ in range(_REPEATS):
            synchronise(device)
            started = time.perf_counter()
            torch.mm(a, b)
            synchronise(device)
            seconds.append(time.perf_counter() - started)
        rates[name] = 2 * size**3 / min(seconds) / 1e9
    return rates


if __name__ == "__main__":
    print(json.dumps(multiplication_rates(int(sys.argv[1]), sys.argv[2])))
