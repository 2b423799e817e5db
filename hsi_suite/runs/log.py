"""The log file of a run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from ..engine.observer import Observer
from ..errors import OutputError
from ..printable import safe_line


class LogObserver(Observer):
    """Appends epochs and messages to a file and passes everything on.

    Args:
        path: the log file; made if need be, appended to when a run is continued.
        inner: receives everything too.
    """

    def __init__(self, path: Path, inner: Observer) -> None:
        self._path = path
        self._inner = inner

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """Note the start."""
        self._write(f"{what}: {done} of {total} steps done")
        self._inner.begin(what, total, done)

    def advance(self, steps: int = 1, **values: float) -> None:
        """Pass on."""
        self._inner.advance(steps, **values)

    def end(self) -> None:
        """Pass on."""
        self._inner.end()

    def epoch(self, row: Mapping[str, float], seconds: float) -> None:
        """Note the epoch's values."""
        values = ", ".join(f"{name} {value:.6g}" for name, value in row.items())
        self._write(f"{values}, {seconds:.2f} s")
        self._inner.epoch(row, seconds)

    def message(self, text: str) -> None:
        """Note the message."""
        self._write(text)
        self._inner.message(text)

    def _write(self, line: str) -> None:
        moment = datetime.now().astimezone().isoformat(timespec="seconds")
        try:
            with self._path.open("a", encoding="utf-8", errors="replace") as file:
                file.write(f"{moment} {safe_line(line)}\n")
        except OSError as error:
            raise OutputError(self._path, f"cannot be written ({error.strerror})") from error
