"""`hsi replay`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .terminal import say
from .values import device_option, parse_bytes

if TYPE_CHECKING:
    from ..runs.replay import Replay, ReplayedRun

_SHOWN = 3
_EXAMPLES = """\b
Examples:
  hsi replay runs/synthetic_hybridsn_random_s0_12473a0b
  hsi replay runs/smoke_1a2b3c4d --sample 3
"""


@click.command(epilog=_EXAMPLES)
@click.argument("folder", metavar="RUN|BATCH")
@click.option("--sample", type=click.IntRange(1), metavar="K", help="K runs of a batch, not all.")
@click.option(
    "--memory-limit",
    callback=parse_bytes,
    metavar="SIZE",
    help="Most memory that replays of scenes may take, as `hsi train` keeps it; what cannot be "
    "done within it is refused. Other tasks keep to no limit.",
)
@device_option("auto, cpu or cuda:N instead of the runs' own.")
@click.option("--json", "as_json", is_flag=True, help="Print what was compared as JSON.")
def replay(
    folder: str, sample: int | None, memory_limit: float | None, device: str | None, as_json: bool
) -> int:
    """Carry out finished runs once more and compare weights and predictions bit by bit.

    The runs' own folders are only read. Exit status 0: all are identical; 1: some differ; 2: some
    could not be replayed.
    """
    from ..api.progress import TerminalObserver
    from ..engine.allocation import keep_large_blocks
    from ..runs.replay import replay as replay_runs
    from .output import print_json

    keep_large_blocks()
    found = replay_runs(
        folder,
        sample=sample,
        memory_limit=memory_limit,
        device=device,
        observer=TerminalObserver(),
    )
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found)
    return found.status


def _print(found: Replay) -> None:
    for run in found.runs:
        _print_run(run)
    for name in found.unfinished:
        say(f"passed over, not finished: {name}")
    chosen = f", chosen from {found.finished}" if len(found.runs) < found.finished else ""
    say(f"{found.identical} of {len(found.runs)} identical{chosen}")


def _print_run(run: ReplayedRun) -> None:
    if run.problem is not None:
        say(f"{run.name}: not replayed: {run.problem}")
        return
    if run.identical:
        equal = ", ".join(f"{each.total:,} {each.what}" for each in run.compared)
        say(f"{run.name}: identical ({equal})")
        return
    say(f"{run.name}: differs")
    for each in run.compared:
        say(f"  {each.equal:,} of {each.total:,} {each.what} are equal")
        for line in each.differences[:_SHOWN]:
            say(f"    {line}")
    for line in run.environment:
        say(f"  not as recorded: {line}")
    if not run.environment:
        say("  everything recorded of the environment is as it was")
