"""What a user sees when something is wrong: one line, one remedy, exit status 2.

Every error a user can cause derives from `HsiSuiteError` and names, in this order, the file or
key concerned, what was found, what was expected, and what to do about it.
"""

from __future__ import annotations

from .printable import clipped, plain


class HsiSuiteError(Exception):
    """Base of every error a user can cause.

    Args:
        subject: the file, key or option concerned.
        found: what was found there.
        expected: what would have been right; left out of the line when empty.
        remedy: what the user can do about it; left out of the line when empty.
    """

    def __init__(self, subject: object, found: str, expected: str = "", remedy: str = "") -> None:
        self.subject = str(subject)
        self.found = found
        self.expected = expected
        self.remedy = remedy
        super().__init__(self._line(found, expected))

    def brief(self) -> str:
        """The line with the middle of long parts left out, so that the remedy stays in sight."""
        return self._line(clipped(self.found), clipped(self.expected))

    def _line(self, found: str, expected: str) -> str:
        line = f"{self.subject}: {found}"
        if expected:
            line += f"; expected {expected}"
        if self.remedy:
            line += f". {self.remedy[0].upper()}{self.remedy[1:]}"
        return plain(line)

    def __reduce__(self) -> tuple[type[HsiSuiteError], tuple[str, str, str, str]]:
        # Exceptions are rebuilt from their arguments when they cross a process border.
        return type(self), (self.subject, self.found, self.expected, self.remedy)


class ConfigError(HsiSuiteError):
    """A configuration key or command-line option is unknown or has a value it cannot have."""


class UnknownNameError(ConfigError):
    """A name is not in its registry."""


class DatasetNotFoundError(HsiSuiteError):
    """A registered data set is on no disk and cannot be downloaded."""


class ChecksumError(HsiSuiteError):
    """A file is not the one its checksum describes."""


class InputFileError(HsiSuiteError):
    """A file that the user named cannot be read as what it should be."""


class ShapeError(HsiSuiteError):
    """Arrays, windows or channels do not fit each other."""


class SplitError(HsiSuiteError):
    """The labels cannot be divided as asked."""


class DeviceError(HsiSuiteError):
    """A device is not there or cannot do what was asked of it."""


class RunError(HsiSuiteError):
    """A run folder is missing, incomplete, foreign or in use."""


class OutputError(HsiSuiteError):
    """A result cannot be written where it was asked for."""


class ExistingOutputError(OutputError):
    """A result would take the place of a finished file, which nobody allowed."""


class FormatLimitError(OutputError):
    """A file format cannot hold what should be written; another one can."""


class Note(UserWarning):
    """What a user should know of work that goes on; the command line shows it in one line."""


class Stopped(Exception):
    """The user or the system asked the work to stop, and its state is safely on disk.

    Not an error of the user's; its text says how to go on.
    """
