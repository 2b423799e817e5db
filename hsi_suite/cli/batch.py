"""`hsi batch`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from .terminal import announce
from .values import language_option

_MOST_JOBS = 1024
_EXAMPLES = """\b
Examples:
  hsi batch batch/smoke
  hsi batch mine.yaml --jobs 2
  hsi batch mine.yaml --runs 8 --language zh
"""


def _jobs(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> int | Literal["auto"] | None:
    if value is None:
        return None
    if value == "auto":
        return "auto"
    if not value.isdecimal() or not 1 <= int(value) <= _MOST_JOBS:
        raise click.BadParameter(f"{value!r} is neither a number from 1 to {_MOST_JOBS} nor auto")
    return int(value)


@click.command(epilog=_EXAMPLES)
@click.argument("name", metavar="NAME|FILE")
@click.option(
    "--runs",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="Seeds 0 to N-1 instead of the file's.",
)
@click.option(
    "--jobs",
    metavar="N|auto",
    callback=_jobs,
    help="Runs at a time on this machine; auto: processors / threads, or CUDA devices.",
)
@click.option(
    "--together",
    metavar="N",
    type=click.IntRange(1, 1024),
    help="Seeds of one configuration that are trained at once, stacked.",
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="A dask scheduler that shares out the runs, or local."
)
@click.option("--tls-ca-file", metavar="FILE", help="Authority of a scheduler tls://HOST:PORT.")
@click.option("--tls-cert", metavar="FILE", help="Your certificate for it.")
@click.option("--tls-key", metavar="FILE", help="The key of your certificate.")
@click.option(
    "--output",
    metavar="FOLDER",
    default="runs",
    show_default=True,
    help="Where the batch's folder is made.",
)
@language_option
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def batch(
    name: str,
    output: str,
    as_json: bool,
    tls_ca_file: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    **options: Any,
) -> None:
    """Carry out many runs and sum them up: how much they vary, why, and which model is better.

    Finished runs are never redone: after a stop or a crash the same command goes on. `hsi config
    show batch/smoke` prints a batch to start from.
    """
    from ..atomic import refuse_file_above
    from ..config import load_tree
    from ..data.catalogue import check_dataset_name
    from ..engine.dask_executor import check_address, tls_files
    from ..models.known_names import require_model
    from ..runs.batches.configuration import batch_config
    from ..runs.batches.trainings import configured_trainings
    from ..runs.launch import task_meant
    from ..runs.tasks import check_together
    from ..schemas.choosing import AUTO

    config = batch_config(name, options["runs"])
    for dataset in config.datasets or ():
        check_dataset_name(dataset)
    for model in config.models or ():
        require_model("models", model, [AUTO])
    for each in config.configs or ():
        load_tree(_named(each, name))
    if options["scheduler"] is not None:
        check_address(options["scheduler"])
    tls = tls_files(tls_ca_file, tls_cert, tls_key)
    if tls is not None:
        tls.check(options["scheduler"])
    if (options["together"] or config.together) > 1:
        tasks = [task_meant(_named(each, name)) for each in config.configs or ()]
        for task in (*tasks, *(task_meant(None, each) for each in config.datasets or ())):
            check_together(task)
    configured_trainings(config, Path(name).parent)
    refuse_file_above(Path(output))
    seeds = len(config.base_seeds)
    words = f"{config.name}, {seeds} {'seed' if seeds == 1 else 'seeds'}"
    # What is imported after this takes seconds.
    announce("batch", f"{words}; results go into {output}")
    from ..api.batch_progress import TerminalJobObserver
    from ..pipelines.reproducibility import run_batch
    from .output import print_batch

    print_batch(run_batch(name, output, TerminalJobObserver(), tls=tls, **options), as_json)


def _named(config: str, batch: str) -> str:
    """A configuration as it is found that a batch names, perhaps beside the batch's own file."""
    from ..config import config_names

    near = Path(batch).parent / config
    return str(near) if config not in config_names() and near.exists() else config
