"""Progress of several runs at a time on standard error."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from ..engine.jobs import JobObserver
from ..printable import safe_line

_LONG = 24 * 3600.0
_START, _END = 10, 25


class TerminalJobObserver(JobObserver):
    """A bar for the whole, a line for each run in work, the time left.

    Without a terminal (a log file, CI) a line is printed when a run begins and when it ends.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bars: Progress | None = None
        self._overall: TaskID | None = None
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}
        self._shares: dict[str, float] = {}
        self._reported: set[str] = set()
        self._total = self._done = 0

    def begin_jobs(self, total: int, done: int) -> None:
        """Open the overall bar."""
        self._total, self._done = total, done
        if done:
            self._print(f"{done} of {total} runs are finished already")
        if not self._console.is_terminal or done == total:
            return
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=8),
            TaskProgressColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("left  [dim]{task.fields[values]}"),
            console=self._console,
            transient=True,
            # Runs take minutes: the pace is that of all of them, not of the last half minute.
            speed_estimate_period=_LONG,
        )
        self._bars.start()
        self._overall = self._bars.add_task(self._heading(), total=total, values="")
        self._bars.update(self._overall, completed=done)

    def job_started(self, name: str) -> None:
        """Open the run's line."""
        self._began[name] = time.monotonic()
        if self._bars is None:
            self._print(f"[{self._done} of {self._total}] begun: {name}")
        elif name not in self._tasks:
            self._tasks[name] = self._bars.add_task(_short(name), total=None, values="")

    def job_advanced(
        self, name: str, what: str, done: int, total: int, values: Mapping[str, float]
    ) -> None:
        """Move the run's bar and, by its share, the overall one."""
        if self._bars is None or name not in self._tasks:
            return
        loss = f"loss {values['train_loss']:.3g}" if "train_loss" in values else what
        self._bars.update(self._tasks[name], completed=done, total=total, values=loss)
        # Most of a run is its training; what comes after it is the rest.
        self._shares[name] = 0.9 * done / total if what == "training" and total else 0.9
        self._move()

    def job_ended(self, name: str, error: str | None) -> None:
        """Close the run's line and say how it ended."""
        self._done += 1
        seconds = time.monotonic() - self._began.get(name, time.monotonic())
        self._shares.pop(name, None)
        if self._bars is not None and name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))
            self._move()
        if error is not None:
            self._print(f"failed: {name}: {error}")
        elif self._bars is None:
            self._print(f"[{self._done} of {self._total}] finished: {name} ({seconds:.1f} s)")

    def end_jobs(self) -> None:
        """Close all bars."""
        if self._bars is not None:
            self._bars.stop()
        self._bars = self._overall = None
        self._tasks.clear()

    def message(self, text: str) -> None:
        """Print above the bars; what several runs say in the same words is printed once."""
        words = text.partition(": ")[2] or text
        if words not in self._reported:
            self._reported.add(words)
            self._print(text)

    def _move(self) -> None:
        if self._bars is not None and self._overall is not None:
            completed = self._done + sum(self._shares.values())
            self._bars.update(self._overall, completed=completed, description=self._heading())

    def _heading(self) -> str:
        return f"{self._done} of {self._total} runs"

    def _print(self, text: str) -> None:
        self._console.print(safe_line(text), markup=False, soft_wrap=True)


def _short(name: str) -> str:
    """The name's ends, for 80 columns: the model and what sets the run apart from others."""
    return name if len(name) <= _START + 1 + _END else f"{name[:_START]}…{name[-_END:]}"
