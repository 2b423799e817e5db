"""`make bench`: time everything, print the report, keep it in benchmarks/results/."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hsi_suite.pipelines.machine import available_threads

from hsi_suite.errors import HsiSuiteError

from .classification import compare_maps, compare_training
from .interleaving import ROOT
from .machine import best_of, describe_machine, measure_machine
from .report import write_report
from .start_up import time_start_up
from .workload import Workload

_NEEDED = 6e9  # bytes: the usual way's windows and their copies
_START_UP_ROUNDS = 7


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    if (free := _free_memory()) is not None and free < _NEEDED:
        sys.exit(
            f"make bench: {free / 1e9:.1f} GB of memory are free; the usual way needs "
            f"{_NEEDED / 1e9:.0f} GB: close something or use a larger machine"
        )
    workload = Workload(threads=options.threads, rounds=options.rounds)
    try:
        print(run(workload, options.output))
    except (RuntimeError, HsiSuiteError) as error:
        sys.exit(f"make bench: {error}")


def run(workload: Workload, folder: Path) -> str:
    """Everything, in order; the Markdown report."""
    started = time.monotonic()
    before = measure_machine(workload.threads)
    result: dict[str, Any] = {
        "format": "hsi_suite benchmark 1",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "workload": asdict(workload),
        "start_up": time_start_up(_START_UP_ROUNDS),
        "comparisons": [compare(workload, _say) for compare in (compare_training, compare_maps)],
    }
    measured = best_of(before, measure_machine(workload.threads))
    result["machine"] = describe_machine(workload.threads) | measured
    result["seconds"] = time.monotonic() - started
    text = write_report(result, folder)
    _say(f"{result['seconds']:.0f} s; written to {folder}")
    return text


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--threads", type=int, default=available_threads(), help="of every side")
    parser.add_argument("--rounds", type=int, default=Workload.rounds, help="of every side")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    return parser


def _free_memory() -> float | None:
    """Bytes that new processes can have; None where the system does not say."""
    path = Path("/proc/meminfo")
    if not path.exists():
        return None
    facts = dict(line.split(":") for line in path.read_text().splitlines())
    return float(facts["MemAvailable"].split()[0]) * 1024


if __name__ == "__main__":
    main()
