"""Library errors while reading a user's file, turned into one clear line."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import HsiSuiteError, InputFileError, Stopped
from ...guard import reason_of
from ...process_wide import ignoring, while_used
from ...user_files import require_regular

_LOGGERS = ("tifffile", "rasterio", "PIL", "spectral")
# How the libraries say that a file is whole but of a kind they do not know.
_UNKNOWN_KIND = re.compile(
    r"not supported|unsupported|not implemented|requires the|no module", re.IGNORECASE
)


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Read `path` inside this block: library errors become InputFileError, warnings stay silent.

    Args:
        path: the file that is read.
        what: what it should be, with its article ("a NumPy file").

    Raises:
        InputFileError: it is no regular file, or a library could not read it.
    """
    require_regular(path, what)
    try:
        with quiet_libraries():
            yield
    except (HsiSuiteError, Stopped):
        raise
    except Exception as error:  # see `guard`: no list of what libraries raise was ever complete
        raise _refusal(path, what, error) from error


def _refusal(path: Path, what: str, error: Exception) -> InputFileError:
    """What a library's error means; only files that may be damaged are to be fetched again."""
    reason = reason_of(error)
    if isinstance(error, MemoryError):
        return InputFileError(path, "does not fit into memory", "", "cut the file")
    if isinstance(error, PermissionError):
        return InputFileError(path, "may not be read", "a readable file", "change its permissions")
    if isinstance(error, ImportError | NotImplementedError) or _UNKNOWN_KIND.search(reason):
        return InputFileError(
            path,
            f"is of a kind that cannot be read here ({reason})",
            f"{what} of a common kind",
            "save it otherwise, such as without compression",
        )
    return InputFileError(
        path,
        f"cannot be read ({reason})",
        f"{what}, complete and undamaged",
        "copy or fetch the file again",
    )


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the libraries' warnings and log lines off the user's terminal."""
    with _no_log_lines(), ignoring():
        yield


@while_used
@contextmanager
def _no_log_lines() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@while_used
@contextmanager
def muted_errors() -> Iterator[None]:
    """Keep what C libraries write to standard error by themselves off the user's terminal."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
