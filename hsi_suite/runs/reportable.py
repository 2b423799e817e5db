"""What `hsi report` can be asked for: finished runs and batches, told without what draws."""

from __future__ import annotations

from pathlib import Path

from ..commands import command
from ..errors import RunError
from ..user_files import require_folder
from .batches.files import BATCH, SUMMARY, checked, is_batch
from .folder import CONFIG, METRICS, Run, open_run
from .tasks import task_of


def finished_run(folder: Path) -> Run | None:
    """The finished run in a folder, checked; None for that of a finished batch.

    Raises:
        RunError: it is neither, or a file is missing or damaged.
    """
    expected = "a folder that `hsi train` or `hsi batch` made"
    require_folder(folder, expected, kind=RunError)
    if (folder / BATCH).is_file() and not is_batch(folder):
        again = command("batch", folder / BATCH, "--output", folder.parent)
        remedy = f"go on with: {again}"
        raise RunError(folder, "the batch is not finished", f"{SUMMARY} in it", remedy)
    if is_batch(folder):
        return None
    if not (folder / CONFIG).is_file():
        raise RunError(folder, "holds neither a run nor a finished batch", expected)
    run = open_run(folder)
    if not run.finished:
        raise RunError(
            folder,
            "the run is not finished",
            f"{METRICS} in it",
            f"go on with: {command('train', '--resume', folder)}",
        )
    checked(run)
    return run


def task_in(folder: str | Path) -> str:
    """The task of a run's folder; "batch" for all others, which `finished_run` looks at."""
    folder = Path(folder)
    if (folder / BATCH).exists() or not (folder / CONFIG).is_file():
        return "batch"
    return task_of(open_run(folder)).name
