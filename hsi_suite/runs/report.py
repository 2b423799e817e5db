"""The report of a run or a batch once more, from its folder alone: `hsi report`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..commands import command
from ..errors import RunError
from ..reports.document import Remark
from ..user_files import require_folder
from .batches.files import BATCH, SUMMARY, checked, is_batch, whole_files
from .batches.report import (
    COSTS,
    LATEX,
    MARKDOWN,
    write_batch_report,
)
from .folder import CONFIG, METRICS, REPORT, Run, open_run
from .pages import write_page
from .tasks import task_of


@dataclass(frozen=True)
class Written:
    """What a report came to.

    Attributes:
        files: that were written, the page first.
        verdict: what it says.
    """

    files: list[Path]
    verdict: list[Remark]


def write_reports(folder: str | Path) -> Written:
    """Write the report of a finished run or batch again from what lies in its folder.

    Raises:
        RunError: it is neither, or a file is missing or damaged.
    """
    folder = Path(folder)
    run = finished_run(folder)
    if run is None:
        return Written(_files(folder), write_batch_report(folder))
    with whole_files(folder):
        return Written([folder / REPORT], write_page(run))


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
    """The task of a run's folder; "batch" for all others, which `write_reports` looks at."""
    folder = Path(folder)
    if (folder / BATCH).exists() or not (folder / CONFIG).is_file():
        return "batch"
    return task_of(open_run(folder)).name


def _files(folder: Path) -> list[Path]:
    return [folder / name for name in (REPORT, MARKDOWN, LATEX, COSTS)]
