"""The machine that figures belong to, how busy it is and how fast it multiplies matrices."""

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

from .interleaving import ROOT, command_environment

_VECTOR_FLAGS = re.compile(r"avx|amx|fma|f16c|sse4|asimd|sve|bf16|i8mm|fphp")
_SIZE = 2048
_REPEATS = 12


def describe_machine(threads: int) -> dict[str, Any]:
    """Processor, flags, threads and versions."""
    return {
        "cpu": _cpu_model(),
        "flags": _vector_flags(),
        "processors": os.cpu_count(),
        "threads": threads,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def measure_machine(threads: int) -> dict[str, Any]:
    """What varies with what else runs: load average, matrix-multiply rates; what torch is."""
    load = os.getloadavg()[0]
    measured = subprocess.run(
        [sys.executable, "-m", "benchmarks.machine", str(threads)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=command_environment(threads),
    )
    return {"load_average": load, **json.loads(measured.stdout)}


def best_of(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Two results of `measure_machine` as one: both loads, the better rates."""
    name = "matrix_multiply_gflops"
    rates = {kind: max(rate, after[name][kind]) for kind, rate in before[name].items()}
    loads = [before["load_average"], after["load_average"]]
    return {**before, "load_average": loads, name: rates}


def _cpu_model() -> str:
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return _cpu_fact("model name") or platform.processor() or platform.machine()


def _vector_flags() -> list[str]:
    words = (_cpu_fact("flags") or _cpu_fact("Features")).split()
    return sorted(word for word in words if _VECTOR_FLAGS.search(word))


def _cpu_fact(name: str) -> str:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return ""
    found = re.search(rf"^{name}\s*:\s*(.+)$", path.read_text(), re.MULTILINE)
    return found[1] if found else ""


def measure_multiplication(threads: int) -> dict[str, Any]:
    """The best rates of square matrix products, GFLOP/s; run in a process of its own."""
    import torch

    torch.set_num_threads(threads)
    rates = {}
    for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a, b = torch.randn(2, _SIZE, _SIZE).to(kind)
        seconds = []
        for _ in range(_REPEATS):
            started = time.perf_counter()
            torch.mm(a, b)
            seconds.append(time.perf_counter() - started)
        rates[name] = 2 * _SIZE**3 / min(seconds) / 1e9
    return {
        "torch": torch.__version__,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "matrix_multiply_gflops": rates,
    }


if __name__ == "__main__":
    print(json.dumps(measure_multiplication(int(sys.argv[1]))))
