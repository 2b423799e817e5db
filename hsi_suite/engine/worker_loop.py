"""What a worker process does: takes orders from its parent, one after the other, and answers.

Orders come on standard input and events go out on standard output, one JSON object per line.
When the parent is gone, however it ended, its end of the input closes and the worker ends at
once: whatever it writes is atomic, and a training loses what came after its last checkpoint.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from ..errors import HsiSuiteError, Stopped
from .observer import Observer

Order = Mapping[str, Any]
_PROGRESS_SECONDS = 0.5
_IDLE_SECONDS = 600.0


def serve(carry_out: Callable[[Order, Observer], Any]) -> None:
    """Carry out orders until none comes for ten minutes or the parent closes the input.

    Args:
        carry_out: does what an order says and returns plain values.
    """
    channel = _private_output()
    orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    while (order := _next(orders)) is not None:
        _send(channel, **_answer(carry_out, order, EventObserver(channel)))


def _next(orders: queue.SimpleQueue[Order]) -> Order | None:
    try:
        return orders.get(timeout=_IDLE_SECONDS)
    except queue.Empty:
        # Workers of a cluster outlive the batches that they serve; their processes should not.
        return None


def _private_output() -> TextIO:
    """The channel to the parent; what anybody prints goes to standard error instead."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    return channel


def _listen(orders: queue.SimpleQueue[Order]) -> None:
    for line in sys.stdin.buffer:
        orders.put(json.loads(line))
    # The main thread may be deep in a computation that nobody waits for any more.
    os._exit(0)


def _answer(carry_out: Callable[[Order, Observer], Any], order: Order, observer: Observer) -> Order:
    try:
        return {"event": "finished", "result": carry_out(order, observer)}
    except Stopped:
        return {"event": "stopped"}
    except HsiSuiteError as error:
        return {"event": "failed", "error": str(error)}
    except Exception as error:  # a defect of ours must not end the batch; it is reported in full
        line = " ".join(f"{type(error).__name__}: {error}".split())
        return {"event": "failed", "error": line, "details": traceback.format_exc()}


def _send(channel: TextIO, **event: Any) -> None:
    try:
        channel.write(json.dumps(event) + "\n")
        channel.flush()
    except OSError:
        # Nobody listens any more.
        os._exit(0)


class EventObserver(Observer):
    """Sends progress to the parent, at most twice a second."""

    def __init__(self, channel: TextIO) -> None:
        self._channel = channel
        self._what, self._done, self._total = "", 0, 0
        self._values: dict[str, float] = {}
        self._sent = 0.0

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """Send at once."""
        self._what, self._done, self._total = what, done, total
        self._progress()

    def advance(self, steps: int = 1, **values: float) -> None:
        """Send now and then."""
        self._done += steps
        if time.monotonic() - self._sent >= _PROGRESS_SECONDS:
            self._progress()

    def epoch(self, row: Mapping[str, float], seconds: float) -> None:
        """Keep the values for the next time."""
        self._values = {key: value for key, value in row.items() if key != "learning_rate"}

    def message(self, text: str) -> None:
        """Send at once."""
        _send(self._channel, event="message", text=text)

    def _progress(self) -> None:
        self._sent = time.monotonic()
        _send(
            self._channel,
            event="progress",
            what=self._what,
            done=self._done,
            total=self._total,
            values=self._values,
        )
