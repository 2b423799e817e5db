"""Sides of a comparison in processes of their own, timed in turns: A B A B."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hsi_suite.cublas import SETTING, WORKSPACE

from .group import Say, Table
from .load import watched
from .workload import Workload

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Attributes:
        name: what the tables call it.
        job: `module:job`, see `group.find_job`.
        usual: whether it is a usual way, which others are measured against.
        settings: further settings of the job.
        precision: of its matrix products, which its operations per second are held against.
    """

    name: str
    job: str
    usual: bool = False
    settings: tuple[str, ...] = ()
    precision: Literal["float32", "bfloat16"] = "float32"


def compare(
    title: str,
    note: str,
    sides: Sequence[Side],
    columns: Sequence[str],
    workload: Workload,
    say: Say,
) -> Table:
    """A table of a report: every side's rounds, and what other programs took meanwhile.

    Args:
        title: heading.
        note: what the reader has to know.
        sides: to be timed in turns.
        columns: names of `report.COLUMNS`.
        workload: sizes.
        say: reports progress.
    """
    say(title)
    with watched() as load:
        found = interleave(sides, workload, say)
    return {
        "title": title,
        "note": note,
        "columns": list(columns),
        "sides": found,
        "load": load,
    }


def command_environment(threads: int, *, usual: bool = False) -> dict[str, str]:
    """The environment of a process with a number of threads; that of `hsi`, or the usual one."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    own = {} if usual else {"OMP_WAIT_POLICY": "passive", WORKSPACE: SETTING}
    return {**own, **os.environ, **dict.fromkeys(names, str(threads))}


class Worker:
    """One side's process, prepared and warm after `prepared`.

    Args:
        side: what it does.
        workload: sizes.
        output: file for what comes out of its first round.

    Raises:
        RuntimeError: the process ended; what it said stands on stderr.
    """

    def __init__(self, side: Side, workload: Workload, output: Path) -> None:
        self._side = side
        command = [sys.executable, "-m", "benchmarks.worker", side.job]
        self._process = subprocess.Popen(
            [*command, workload.to_json(), json.dumps(side.settings), str(output)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=command_environment(workload.threads, usual=side.usual),
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

    def work(self) -> dict[str, Any]:
        """Let it work once; its `group.Timing` and its peak memory, as a dictionary."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        reply: dict[str, Any] = json.loads(self._line())
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
        For each side what `Side` holds; `rounds`, the replies of `Worker.work`; and `agreement`
        of its output with that of the usual side before it.
    """
    found: list[dict[str, Any]] = [
        {name: value for name, value in asdict(side).items() if name != "job"} | {"rounds": []}
        for side in sides
    ]
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        outputs = [Path(scratch) / f"{number}.npy" for number in range(len(sides))]
        workers = []
        for side, output in zip(sides, outputs, strict=True):
            say(f"preparing: {side.name}")
            workers.append(stack.enter_context(Worker(side, workload, output)))
            workers[-1].prepared()
        started = time.monotonic()
        for number in range(workload.rounds):
            if number and time.monotonic() - started > workload.budget:
                say(f"no time for more than {number} of {workload.rounds} rounds")
                break
            for side, worker, entry in zip(sides, workers, found, strict=True):
                reply = worker.work()
                entry["rounds"].append(reply)
                say(f"round {number + 1}: {side.name} {reply['timed']:.2f} s")
        _add_agreements(found, outputs)
    return found


def _add_agreements(found: list[dict[str, Any]], outputs: Sequence[Path]) -> None:
    reference: tuple[str, NDArray[Any]] | None = None
    for entry, path in zip(found, outputs, strict=True):
        if not path.exists():
            continue
        own = np.load(path)
        if entry["usual"]:
            reference = entry["name"], own
        elif reference is not None:
            entry["agreement"] = {"with": reference[0], **agreement(reference[1], own)}


def agreement(usual: NDArray[Any], own: NDArray[Any]) -> dict[str, float]:
    """How far two outputs agree: labels by their equal share, values by their largest difference.

    Labels are compared where both have one, that is none below 0.
    """
    if np.issubdtype(own.dtype, np.integer):
        both = (usual >= 0) & (own >= 0)
        return {"equal_share": float((usual == own)[both].mean())}
    return {"largest_difference": float(np.abs(usual - own).max())}
