"""Progress on standard error: bars in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from ..engine.observer import Observer
from ..printable import safe_line

_LINE_SECONDS = 20.0


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
            escape(safe_line(what)), total=total, completed=done, values=""
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
            self._console.print(f"{line} ({seconds:.1f} s)")

    def message(self, text: str) -> None:
        """Print above the bar."""
        self._console.print(safe_line(text), markup=False, soft_wrap=True)
