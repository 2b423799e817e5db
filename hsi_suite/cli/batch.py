"""`hsi batch`."""

from __future__ import annotations

import click


@click.command()
@click.argument("name", metavar="NAME|FILE")
@click.option(
    "--output", default="runs", show_default=True, help="Where the batch's folder is made."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def batch(name: str, output: str, as_json: bool) -> None:
    """Carry out a grid of runs and sum them up.

    Finished runs are never redone: after a crash the same command goes on. `hsi config show
    batch/smoke` prints a batch to start from.
    """
    from ..pipelines.batch import run_batch
    from .output import print_batch
    from .progress import TerminalObserver

    print_batch(run_batch(name, output, TerminalObserver()), as_json)
