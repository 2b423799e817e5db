"""Progress: bars in a terminal or a notebook, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any

from rich.console import Console
from rich.markup import escape as escape_markup
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from ..engine.jobs import JobObserver
from ..engine.observer import Observer
from ..printable import safe_line
from .batch_progress import TerminalJobObserver

_LINE_SECONDS = 20.0
# A notebook's page is not asked to change more often.
_BAR_SECONDS = 0.2


def progress(verbose: bool | int) -> Observer:
    """Who reports on a long call: nobody for 0, else bars in a notebook or a terminal."""
    if not verbose:
        return Observer()
    return NotebookObserver() if in_notebook() else TerminalObserver()


def bars(verbose: bool | int) -> Observer:
    """The same for estimators, which are called again and again: what is said comes with 2."""
    observer = progress(verbose)
    if verbose < 2:
        observer.message = Observer().message  # type: ignore[method-assign]
    return observer


def job_progress(verbose: bool | int) -> JobObserver:
    """The same of several runs at a time."""
    if not verbose:
        return JobObserver()
    return NotebookObserver() if in_notebook() else TerminalJobObserver()


def in_notebook() -> bool:
    """Whether this is a kernel with a page that shows what is displayed."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


class NotebookObserver(JobObserver):
    """Draws one bar below the cell, which goes when the work is done; messages stay."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._what, self._values = "", ""
        self._total = self._done = 0
        self._drawn = 0.0

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """Open a bar."""
        from IPython.display import HTML, display

        self._what, self._values = what, ""
        self._total, self._done = total, done
        self._bar = display(HTML(self._html()), display_id=True)

    def advance(self, steps: int = 1, **values: float) -> None:
        """Move the bar."""
        self._done += steps
        self._draw()

    def epoch(self, row: Mapping[str, float], seconds: float) -> None:
        """Show the epoch's values beside the bar."""
        self._values = f"epoch {row['epoch']:.0f}, loss {row['train_loss']:.3g}"
        self._draw()

    def end(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            from IPython.display import HTML

            self._bar.update(HTML(""))
        self._bar = None

    def message(self, text: str) -> None:
        """Print below the cell."""
        print(safe_line(text))

    def begin_jobs(self, total: int, done: int) -> None:
        """Open the bar of all runs."""
        self.begin("runs", total, done)

    def job_started(self, name: str) -> None:
        """Show which run was begun last."""
        self._values = name
        self._draw()

    def job_ended(self, name: str, error: str | None) -> None:
        """Move the bar, and say what failed."""
        self.advance()
        if error is not None:
            self.message(f"failed: {name}: {error}")

    def end_jobs(self) -> None:
        """Take the bar away."""
        self.end()

    def _draw(self) -> None:
        if self._bar is not None and time.monotonic() - self._drawn >= _BAR_SECONDS:
            from IPython.display import HTML

            self._drawn = time.monotonic()
            self._bar.update(HTML(self._html()))

    def _html(self) -> str:
        words = f"{self._what} {self._done} of {self._total} {self._values}"
        bar = f"<progress value='{self._done}' max='{max(self._total, 1)}'></progress>"
        return f"{bar} {escape(safe_line(words))}"


class TerminalObserver(Observer):
    """Draws bars with the time left and the latest values.

    Without a terminal (a log file, CI) an epoch's line is printed every 20 seconds at most.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bars: Progress | None = None
        self._task: TaskID | None = None
        self._spoke = time.monotonic()

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """Open a bar."""
        if not self._console.is_terminal:
            return
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("left  [dim]{task.fields[values]}"),
            console=self._console,
            transient=True,
        )
        self._bars.start()
        self._task = self._bars.add_task(
            escape_markup(safe_line(what)), total=total, completed=done, values=""
        )

    def advance(self, steps: int = 1, **values: float) -> None:
        """Move the bar."""
        if self._bars is not None and self._task is not None:
            self._bars.advance(self._task, steps)

    def end(self) -> None:
        """Close the bar."""
        if self._bars is not None:
            self._bars.stop()
        self._bars = self._task = None

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bar away while results are printed: it would take the lines for its own."""
        if self._bars is not None:
            self._bars.stop()
        try:
            yield
        finally:
            if self._bars is not None:
                self._bars.start()

    def epoch(self, row: Mapping[str, float], seconds: float) -> None:
        """Show the epoch's values."""
        values = " ".join(
            f"{name.replace('_', ' ')} {value:.4f}"
            for name, value in row.items()
            if name.startswith(("train_", "validation_"))
        )
        line = f"epoch {row['epoch']:.0f}: {values}"
        if self._bars is not None and self._task is not None:
            # Short, for 80 columns beside the bar and the time left.
            values = f"loss {row['train_loss']:.3g}"
            self._bars.update(self._task, description=f"epoch {row['epoch']:.0f}", values=values)
        elif time.monotonic() - self._spoke >= _LINE_SECONDS:
            self._spoke = time.monotonic()
            # One line, however wide: logs are searched by lines.
            self._console.print(f"{line} ({seconds:.1f} s)", soft_wrap=True)

    def message(self, text: str) -> None:
        """Print above the bar."""
        self._console.print(safe_line(text), markup=False, soft_wrap=True)
