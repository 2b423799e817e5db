"""A worker process as its parent sees it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .jobs import Event
from .visible_devices import VISIBLE

_CHUNK = 65536
_TAIL = 4000


class WorkerProcess:
    """A process that runs `engine.worker_loop.serve` and takes one order at a time.

    It gets no signals of the terminal, so that the parent alone decides what a Ctrl-C means, and
    ends by itself when the parent is gone.

    Args:
        module: the module to run, by its full name.
        device: the CUDA device that it is to see, as CUDA_VISIBLE_DEVICES names it; None for all.
    """

    def __init__(self, module: str, device: str | None = None) -> None:
        self.device = device
        descriptor, path = tempfile.mkstemp()
        Path(path).unlink()
        self._errors = os.fdopen(descriptor, "w+b")
        self._process = subprocess.Popen(
            # -P: nothing is imported from the folder that the user happens to be in.
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            # Waiting threads must sleep: processes share the machine.
            env={"OMP_WAIT_POLICY": "passive", **os.environ}
            | ({} if device is None else {VISIBLE: device}),
        )
        self._buffer = b""

    def fileno(self) -> int:
        """The file that becomes readable when there are events, for selectors."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def give(self, order: Mapping[str, Any]) -> None:
        """Hand over an order; a process that has ended meanwhile shows that when it is read."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()

    def read(self, timeout: float | None = None) -> list[Event] | None:
        """The events that have come; None when the process has ended.

        Args:
            timeout: seconds to wait for some; None waits until there are.
        """
        if not select.select([self.fileno()], [], [], timeout)[0]:
            return []
        chunk = os.read(self.fileno(), _CHUNK)
        if not chunk:
            return None
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        return [json.loads(line) for line in lines]

    def stop(self) -> None:
        """Ask for an early end: a training saves its state first, anything else ends at once."""
        self._process.terminate()

    def close(self, patience: float = 0.0) -> None:
        """End the process: by itself within `patience` seconds of being let go, else by force."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def breakdown(self) -> str:
        """In words, how a process ended that should not have; to be asked before `close`."""
        status = self._process.wait()
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - _TAIL))
        lines = self._errors.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        if status == -signal.SIGKILL:
            return "its process was killed, by hand or for want of memory"
        ending = f"signal {-status}" if status < 0 else f"status {status}"
        return f"its process ended with {ending}" + (f" ({last})" if last else "")
