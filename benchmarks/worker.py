"""A process that does one job: prepares, says so, and works once for each line it is sent."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hsi_suite.engine.precision import products_in
from hsi_suite.runs.machine import peak_memory_megabytes

from .group import Timing, find_job
from .workload import Workload


def main(job: str, workload: str, settings: str, output: str) -> None:
    """Serve the requests of `interleaving.Worker`.

    Args:
        job: `module:job`.
        workload: of `Workload.to_json`.
        settings: a JSON list of further settings.
        output: file for what comes out of the first round.
    """
    sizes = Workload.from_json(workload)
    # Both sides in whole float32: by default torch lets convolutions of a GPU take TF32.
    with products_in("fp32", torch.device(sizes.device)):
        _serve(job, sizes, settings, output)


def _serve(job: str, sizes: Workload, settings: str, output: str) -> None:
    torch.set_num_threads(sizes.threads)
    torch.manual_seed(0)
    work = find_job(job)(sizes, json.loads(settings))
    work(brief=True)
    print("ready", flush=True)
    for _ in sys.stdin:
        timing = work(brief=False)
        if timing.output is not None and not Path(output).exists():
            np.save(output, timing.output)
        print(json.dumps(_reply(timing, sizes.device)), flush=True)


def _reply(timing: Timing, device: str) -> dict[str, Any]:
    reply = {name: value for name, value in asdict(timing).items() if name != "output"}
    reply["peak_megabytes"] = _own_peak()
    if device.startswith("cuda"):
        reply["device_megabytes"] = torch.cuda.max_memory_allocated() / 1e6
    return reply


def _own_peak() -> float:
    """Largest resident memory of this process, in units of 10^6 bytes.

    On Linux `ru_maxrss` starts with what the parent held; the high-water mark of the process's
    own memory does not.
    """
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 / 1e6 if found else peak_memory_megabytes()


if __name__ == "__main__":
    main(*sys.argv[1:])
