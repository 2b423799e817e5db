"""`hsi compare`."""

from __future__ import annotations

import click

from .terminal import announce, names_of

_EXAMPLES = """\b
Examples:
  hsi compare runs/smoke_1a2b3c4d
  hsi compare runs/hybridsn_batch_0a1b2c3d runs/ssrn_batch_4e5f6071 \\
    --metric cohen_kappa
  hsi compare runs/salinas_*
"""


@click.command(epilog=_EXAMPLES)
@click.argument("folders", metavar="RUN|BATCH...", nargs=-1, required=True)
@click.option("--metric", metavar="NAME", help="The score to compare by, e.g. cohen_kappa.")
@click.option("--json", "as_json", is_flag=True, help="Print groups and comparisons as JSON.")
def compare(folders: tuple[str, ...], metric: str | None, as_json: bool) -> None:
    """Say in words which runs are better, and how surely.

    Runs that differ by their seeds alone count as repetitions. What is trained on the same data
    and the same kind of split is compared, split by split where the splits are the same; p values
    are corrected for the number of comparisons (Holm).
    """
    from ..runs.compared_runs import gathered, require_metric
    from ..runs.finished_runs import finished_runs

    # Before what computes is loaded.
    for folder in folders:
        finished_runs(folder)
    if metric is not None:
        require_metric(metric, gathered(folders)[0])
    named = names_of(folders, "runs or batches")
    announce("compare", f"{named}, by {metric or 'the first score of each task'}")
    from ..reports.batches.terminal_tables import contest_blocks
    from ..reports.terminal import print_blocks
    from ..runs.comparison import compare as compare_runs
    from .output import print_json

    found = compare_runs(folders, metric=metric).to_dict()
    if as_json:
        print_json(found)
    else:
        print_blocks(contest_blocks(found))
