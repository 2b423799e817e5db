"""A process that does one job: prepares, says so, and works once for each line it is sent."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import torch
from hsi_suite.pipelines.machine import peak_memory_megabytes

from .jobs import JOBS
from .workload import Workload


def main(job: str, workload: str, settings: str) -> None:
    sizes = Workload.from_json(workload)
    torch.set_num_threads(sizes.threads)
    torch.manual_seed(0)
    work = JOBS[job](sizes, json.loads(settings))
    work(brief=True)
    print("ready", flush=True)
    for _ in sys.stdin:
        reply = asdict(work(brief=False)) | {"peak_megabytes": peak_memory_megabytes()}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
