"""Sides of a comparison in processes of their own, timed in turns: A B A B.

This process must stay small: Linux counts what a parent held when it started a process as that
process's own peak memory. So it imports neither torch nor NumPy.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from .workload import Workload

ROOT = Path(__file__).resolve().parent.parent
Say = Callable[[str], None]


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Attributes:
        name: what the tables call it.
        job: a name of `jobs.JOBS`.
        usual: whether it is a usual way, which others are measured against.
        settings: further `--set` texts.
        precision: of its matrix products, which its operations per second are held against.
    """

    name: str
    job: str
    usual: bool = False
    settings: tuple[str, ...] = ()
    precision: Literal["float32", "bfloat16"] = "float32"


def command_environment(threads: int) -> dict[str, str]:
    """The environment of a process with a number of threads."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(names, str(threads))}


class Worker:
    """One side's process, prepared and warm after construction.

    Raises:
        RuntimeError: the process ended; what it said stands on stderr.
    """

    def __init__(self, side: Side, workload: Workload) -> None:
        self._side = side
        command = [sys.executable, "-m", "benchmarks.worker", side.job]
        self._process = subprocess.Popen(
            [*command, workload.to_json(), json.dumps(side.settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=command_environment(workload.threads),
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        # A side that is in the middle of its work, or of preparing, does not see the end of stdin.
        self._process.kill() if any(error) else self._process.communicate()
        self._process.wait()

    def prepared(self) -> None:
        """Wait until the job is prepared."""
        self._line()

    def work(self) -> dict[str, float]:
        """Let it work once; its `jobs.Timing` with `peak_megabytes`, as a dictionary."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        reply: dict[str, float] = json.loads(self._line())
        return reply

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"the process of {self._side.name!r} ended with {self._process.wait()}"
            )
        return line


def interleave(sides: Sequence[Side], workload: Workload, say: Say) -> list[dict[str, Any]]:
    """Each side's rounds in turns, all sides ready before the first.

    Returns:
        For each side what `Side` holds and `rounds`, the replies of `Worker.work`.
    """
    found: list[dict[str, Any]] = [
        {name: value for name, value in asdict(side).items() if name != "job"} | {"rounds": []}
        for side in sides
    ]
    started = time.monotonic()
    with ExitStack() as stack:
        workers = []
        for side in sides:
            say(f"preparing: {side.name}")
            workers.append(stack.enter_context(Worker(side, workload)))
            workers[-1].prepared()
        for number in range(workload.rounds):
            if number and time.monotonic() - started > workload.budget:
                say(f"no time for more than {number} of {workload.rounds} rounds")
                break
            for side, worker, entry in zip(sides, workers, found, strict=True):
                reply = worker.work()
                entry["rounds"].append(reply)
                say(f"round {number + 1}: {side.name} {reply['timed']:.2f} s")
    return found
