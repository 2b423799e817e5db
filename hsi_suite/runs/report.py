"""The report of a run or a batch once more, from its folder alone: `hsi report`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..reports.document import Remark
from .batches.files import whole_files
from .batches.report import (
    COSTS,
    LATEX,
    MARKDOWN,
    write_batch_report,
)
from .folder import REPORT
from .pages import write_page
from .reportable import finished_run


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


def _files(folder: Path) -> list[Path]:
    return [folder / name for name in (REPORT, MARKDOWN, LATEX, COSTS)]
