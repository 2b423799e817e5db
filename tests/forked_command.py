"""`hsi` in a forked child: a process to interrupt or kill that has no imports to wait for."""

import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from hsi_suite.cli import main

LIMIT_SECONDS = 120


def nameless_file():
    """A file that is gone when nobody has it open any more."""
    descriptor, path = tempfile.mkstemp()
    Path(path).unlink()
    return os.fdopen(descriptor, "w+b")


class ForkedCommand:
    """A running `hsi`.

    Args:
        arguments: of the command.
        folder: where it runs.
        prepare: called in the child before the command.
    """

    def __init__(self, *arguments, folder, prepare=lambda: None):
        self._out, self._err = nameless_file(), nameless_file()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                self._become(arguments, folder)
                prepare()
                main()
            except SystemExit as end:
                status = end.code or 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)

    def _become(self, arguments, folder):
        os.dup2(self._out.fileno(), 1)
        os.dup2(self._err.fileno(), 2)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        # A suite in the background ignores Ctrl-C, and what it starts would too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(folder)
        sys.argv = ["hsi", *map(str, arguments)]

    @property
    def out(self):
        """What it has printed."""
        return os.pread(self._out.fileno(), 1 << 20, 0).decode()

    @property
    def err(self):
        """What it has printed to standard error."""
        return os.pread(self._err.fileno(), 1 << 20, 0).decode()

    def wait_until(self, condition):
        """Wait until `condition()` is true, while the command runs."""
        end = time.monotonic() + LIMIT_SECONDS
        while not condition():
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError(f"nothing came of it: {self.err}")
            time.sleep(0.02)

    def ended_by(self, number):
        """Send a signal; the exit status once it has ended, negative where a signal ended it."""
        os.kill(self.pid, number)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
