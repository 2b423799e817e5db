"""The guard around parsers that are not ours, and around what is built from a file's content.

No parser of a foreign format says all that it may raise on a damaged file, and the lists that were
collected here were never complete. Whatever escapes from the few lines that read a user's file is
therefore the file's fault; `--debug` shows where it was met. Keep the guarded lines few: a defect
of ours inside them would be blamed on the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import HsiSuiteError, InputFileError, Stopped
from .printable import clipped
from .process_wide import ignoring

_LONGEST = 160


@contextmanager
def parsing(
    subject: object,
    expected: str,
    remedy: str = "copy or fetch the file again",
    *,
    kind: type[HsiSuiteError] = InputFileError,
    found: str = "cannot be read",
) -> Iterator[None]:
    """Turn whatever escapes from the block into one clear line; errors of ours pass as they are.

    Args:
        subject: the file that is read.
        expected: what it should be.
        remedy: what the user can do.
        kind: the error to raise.
        found: what to say before the reason.

    Raises:
        HsiSuiteError: of `kind`, when anything else was raised inside.
    """
    try:
        # What Python's own parser thinks of the text in a damaged header, and NumPy of headers that
        # look as Python 2 wrote them.
        with (
            ignoring(DeprecationWarning, SyntaxWarning),
            ignoring(UserWarning, message=".*created on Python 2"),
        ):
            yield
    except (HsiSuiteError, Stopped):
        raise
    except Exception as error:
        raise kind(subject, f"{found} ({reason_of(error)})", expected, remedy) from error


def reason_of(error: BaseException) -> str:
    """The first line of what an error says, or its kind where it says nothing."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    said = error.args[0] if len(error.args) == 1 else None
    # LibRaw's errors hold bytes.
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(error)
    lines = text.strip().splitlines()
    return clipped(lines[0], _LONGEST) if lines and lines[0] else type(error).__name__
