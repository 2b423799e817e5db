"""Who watches a long computation, and how a user stops it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType


class Observer:
    """Hears of progress; this one keeps quiet. The CLI draws bars from the same calls."""

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """A computation of `total` steps starts, `done` of them already taken."""

    def advance(self, steps: int = 1, **figures: float) -> None:
        """Some steps were taken; `figures` say how it goes."""

    def end(self) -> None:
        """The computation is over."""

    def epoch(self, row: Mapping[str, float], seconds: float) -> None:
        """An epoch of training ended with these figures."""

    def message(self, text: str) -> None:
        """Something the user should know."""


class StopRequest:
    """Whether a stop was asked for; look at it where stopping is safe."""

    def __init__(self) -> None:
        self.pending = False


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Turn the first Ctrl-C or SIGTERM into a request; a second one interrupts at once.

    Outside the main thread signals cannot be caught, and the request never comes.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def note(number: int, frame: FrameType | None) -> None:
        if request.pending:
            raise KeyboardInterrupt
        request.pending = True

    old = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
