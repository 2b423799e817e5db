"""The figures of a run or a batch, each as a file for a paper: `hsi report --figures`."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..atomic import atomic_file, keeping, make_folder, write_text
from ..engine.observer import Observer
from ..errors import ConfigError
from ..process_wide import own_filters
from ..reports.batches.sections import batch_document
from ..reports.paper.collected import document_figures
from ..reports.paper.figure import PaperFigure, print_millimetres
from ..reports.paper.files import FORMATS
from ..reports.paper.widths import check_width
from .batches.files import whole_files
from .batches.report import read_batch
from .finished_runs import report_unverified
from .pages import PageFacts
from .reportable import finished_run
from .tasks import task_of

FOLDER = "figures"
CAPTIONS = "captions.txt"
_LINE = 100
_NO_ROOM = "axes sizes collapsed to zero"


@dataclass(frozen=True)
class FigureFile:
    """A figure that was written.

    Attributes:
        path: its file.
        width: in mm.
        height: in mm.
        caption: what it shows.
    """

    path: Path
    width: float
    height: float
    caption: str


def write_figures(
    folder: str | Path,
    kind: str,
    output: str | Path | None = None,
    *,
    width: float | None = None,
    overwrite: bool = False,
    observer: Observer | None = None,
) -> list[FigureFile]:
    """Write every figure of a finished run or batch, and what they show in `CAPTIONS`.

    All are drawn before the first is written. Equal runs give equal files.

    Args:
        folder: of the run or batch.
        kind: a key of `FORMATS`.
        output: the folder they are written into; None for `FOLDER` in that of the run.
        width: of each in mm; None for one column or two, whichever a figure needs.
        overwrite: whether they may take the places of files that are there.
        observer: reports what is read.

    Raises:
        RunError: it is neither a run nor a batch, or a file of it is missing or damaged.
        ConfigError: the format or width is none that figures are made in, or leaves one no room.
        HsiSuiteError: the scene that a run's map is of cannot be read, or has changed.
        ExistingOutputError: a file is there, and may not be replaced.
    """
    if kind not in FORMATS:
        raise ConfigError("--figures", f"{kind!r}", f"one of {', '.join(FORMATS)}")
    if width is not None:
        check_width(width)
    folder = Path(folder)
    place = folder / FOLDER if output is None else Path(output)
    figures = _figures(folder, observer or Observer())
    paths = [place / f"{figure.name}.{kind}" for figure in figures]
    with keeping(paths, overwrite=overwrite, together=True):
        drawn = [_drawn(figure, kind, width) for figure in figures]
        captions = _captions(figures, [size for _, size in drawn])
        # The same figures in another format have the same captions.
        same = _has_text(place / CAPTIONS, captions)
        with keeping([] if same else [place / CAPTIONS], overwrite=overwrite):
            make_folder(place)
            written = []
            for figure, path, (content, size) in zip(figures, paths, drawn, strict=True):
                with atomic_file(path) as temporary:
                    temporary.write_bytes(content)
                written.append(FigureFile(path, *size, figure.caption))
            if not same:
                write_text(place / CAPTIONS, captions)
    return written


def _figures(folder: Path, observer: Observer) -> list[PaperFigure]:
    run = finished_run(folder)
    with whole_files(folder):
        if run is None:
            return document_figures(batch_document(read_batch(folder)[0]))
        report_unverified([run.path], observer)
        return task_of(run).figures(PageFacts.of(run), observer)


def _drawn(
    figure: PaperFigure, kind: str, width: float | None
) -> tuple[bytes, tuple[float, float]]:
    taken = figure.width(width)
    drawing = figure.drawing(taken)
    across, high = (print_millimetres(inches) for inches in drawing.get_size_inches())
    with own_filters():
        # What matplotlib only warns of would be a figure of letters without a chart.
        warnings.filterwarnings("error", f".*{_NO_ROOM}", UserWarning)
        try:
            return FORMATS[kind](drawing), (across, high)
        except UserWarning as warning:
            if _NO_ROOM not in str(warning):
                raise
            found = f"{taken:g} mm, which leaves no room in {figure.name}"
            raise ConfigError("--width", found, "a larger width") from None


def _captions(figures: Sequence[PaperFigure], sizes: Sequence[tuple[float, float]]) -> str:
    """What each figure shows, in whatever format it is written."""
    entries = [
        f"{each.name}, {width:.0f} × {height:.0f} mm\n"
        + textwrap.fill(each.caption, _LINE, initial_indent="  ", subsequent_indent="  ")
        for each, (width, height) in zip(figures, sizes, strict=True)
    ]
    return "\n\n".join(entries) + "\n"


def _has_text(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode(errors="backslashreplace")
