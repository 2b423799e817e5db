"""Who watches a long computation, and how a user stops it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

_A_MOMENT = 0.01


class Observer:
    """Receives progress and reports nothing. The CLI draws bars from the same calls."""

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """A computation of `total` steps starts, `done` of them already taken."""

    def advance(self, steps: int = 1, **values: float) -> None:
        """Some steps were taken; `values` say how it goes."""

    def end(self) -> None:
        """The computation is over."""

    def epoch(self, row: Mapping[str, float], seconds: float) -> None:
        """An epoch of training ended with these values."""

    def message(self, text: str) -> None:
        """Something the user should know."""


class Planned(Observer):
    """Reports a computation as the steps that were planned for it, though it takes others.

    Args:
        observer: that is told.
        planned: steps that were planned.
        taken: steps that will be taken.
    """

    def __init__(self, observer: Observer, planned: int, taken: int) -> None:
        self._observer, self._planned, self._taken = observer, planned, taken
        self._done = 0

    def advance(self, steps: int = 1, **values: float) -> None:
        """Some of the steps that are taken are done."""
        before = self._done * self._planned // self._taken
        self._done += steps
        self._observer.advance(self._done * self._planned // self._taken - before, **values)

    def message(self, text: str) -> None:
        """Something the user should know."""
        self._observer.message(text)


class StopRequest:
    """Whether a stop was asked for; look at it where stopping is safe."""

    def __init__(self) -> None:
        self.pending = False


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Turn the first Ctrl-C, SIGTERM or SIGHUP into a request; a second one interrupts at once.

    Outside the main thread signals cannot be caught, and the request never comes.
    """
    request = StopRequest()

    def note(number: int, frame: FrameType | None) -> None:
        _leave_a_lost_terminal(number)
        if request.pending:
            raise KeyboardInterrupt
        request.pending = True

    with _handling(note):
        yield request


@contextmanager
def interruptible() -> Iterator[StopRequest]:
    """Let SIGTERM and SIGHUP interrupt as Ctrl-C does, so that nothing temporary is left.

    A shell that starts a command in the background lets it ignore Ctrl-C; here it counts. The
    request says afterwards whether a signal came: libraries turn interrupts into errors of theirs.
    """
    request = StopRequest()

    def interrupt(number: int, frame: FrameType | None) -> None:
        _leave_a_lost_terminal(number)
        request.pending = True
        raise KeyboardInterrupt

    with _handling(interrupt):
        yield request


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle Ctrl-C, SIGTERM and SIGHUP in one way, in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted = [signal.SIGINT, signal.SIGTERM]
    # nohup has SIGHUP ignored, and so it stays.
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        wanted.append(signal.SIGHUP)
    old = {number: signal.signal(number, handler) for number in wanted}
    try:
        with _not_swallowed():
            yield
    finally:
        for number, handler_before in old.items():
            signal.signal(number, handler_before)


@contextmanager
def _not_swallowed() -> Iterator[None]:
    """Send an interrupt again that came where Python drops exceptions, and print nothing of it.

    Finalisers and callbacks of weak references are such places; a stop that is lost there would
    let the command go on to its end.
    """
    before, active = sys.unraisablehook, [True]

    def again() -> None:
        if active:
            os.kill(os.getpid(), signal.SIGINT)

    def hook(dropped: sys.UnraisableHookArgs) -> None:
        if dropped.exc_type is KeyboardInterrupt and active:
            # Not at once: that would be in the same place.
            threading.Timer(_A_MOMENT, again).start()
        else:
            before(dropped)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        active.clear()
        sys.unraisablehook = before


def _leave_a_lost_terminal(number: int) -> None:
    """Write to nowhere when the terminal is gone: it would be an error."""
    if number != signal.SIGHUP:
        return
    for descriptor in (1, 2):
        try:
            os.write(descriptor, b"")
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
