"""`make bench`: time everything, print the report, keep it in benchmarks/results/."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hsi_suite.atomic import write_json, write_text
from hsi_suite.engine.devices import resolve_device
from hsi_suite.errors import HsiSuiteError
from hsi_suite.runs.machine import available_threads

from .group import NAMES, Group, load_group
from .interleaving import ROOT
from .load import idle_load, too_busy
from .machine import describe_machine, free_memory, measure_rates
from .report import FORMAT, page
from .workload import Workload

# The full run takes more rounds, and as much time as they need.
_FULL_ROUNDS, _FULL_BUDGET = 10, 900.0


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    workload = _workload(options)
    names = options.groups or [n for n in NAMES if options.full or not load_group(n).full_only]
    name = "bench" + ("-full" if options.full else "")
    name += "" if options.device == "cpu" else f"-{options.device}"
    try:
        resolve_device(options.device)
        print(run(workload, names, options.output / name))
    except (RuntimeError, HsiSuiteError) as error:
        sys.exit(f"make bench: {error}")


def run(workload: Workload, names: Sequence[str], output: Path) -> str:
    """Groups in order; both reports are written after each.

    Args:
        workload: sizes.
        names: of groups.
        output: path of the reports without their endings.

    Returns:
        The Markdown report.

    Raises:
        RuntimeError: memory does not suffice, or a side's process ended.
    """
    groups = [load_group(name) for name in names]
    _check_memory(groups)
    started = time.monotonic()
    idle = idle_load()
    if too_busy(idle):
        _say("WARNING: other programs use the processors; the figures are not to be quoted")
    rates = measure_rates(workload)
    result: dict[str, Any] = {
        "format": FORMAT,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "workload": asdict(workload),
        "machine": describe_machine(workload),
        "idle": idle,
        "groups": [],
    }
    for group in groups:
        tables = [part(workload, _say) for part in group.parts]
        result["groups"].append({"title": group.title, "tables": tables})
        # Other programs only ever slow the products down.
        rates = {kind: max(rate, rates[kind]) for kind, rate in measure_rates(workload).items()}
        result["machine"]["matrix_multiply_gflops"] = rates
        result["seconds"] = time.monotonic() - started
        text = page([result])
        write_json(output.with_suffix(".json"), result)
        write_text(output.with_suffix(".md"), text)
    _say(f"{result['seconds']:.0f} s; {output.name}.json and .md are in the folder of results")
    return text


def _check_memory(groups: Sequence[Group]) -> None:
    needed, free = max(group.memory for group in groups), free_memory()
    if free is not None and free < needed:
        raise RuntimeError(
            f"{free / 1e9:.1f} GB of memory are free and {needed / 1e9:.0f} GB are needed: close "
            "something, use a larger machine or leave groups out with --groups"
        )


def _workload(options: argparse.Namespace) -> Workload:
    workload = Workload(threads=options.threads)
    if options.full:
        workload = replace(workload, rounds=_FULL_ROUNDS, budget=_FULL_BUDGET)
    if options.rounds is not None:
        workload = replace(workload, rounds=options.rounds)
    return workload.on_device(options.device)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="more rounds, and what costs grow with")
    parser.add_argument("--groups", nargs="+", choices=NAMES, help="these alone")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=_positive, default=available_threads())
    parser.add_argument("--rounds", type=_positive, help="of every side, time permitting")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


if __name__ == "__main__":
    main()
