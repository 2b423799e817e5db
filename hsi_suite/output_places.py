"""Places that cannot be written to, told by names alone: before anything is read or computed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .atomic import refuse_existing, refuse_file_above
from .errors import OutputError
from .user_files import resolved


def check_file(path: Path, inputs: Iterable[Path] = (), *, overwrite: bool = True) -> None:
    """Refuse a name under which no file can be written.

    Args:
        path: the file.
        inputs: of the same call, which nothing takes the place of.
        overwrite: whether a finished file may be replaced.

    Raises:
        OutputError: it is a folder, a pipe, an input, or below a file.
        ExistingOutputError: it is there, and is to stay.
    """
    if path.is_dir():
        raise OutputError(
            path, "this is a folder", "a file name", f"end it in {path.suffix or '.tif'}"
        )
    if resolved(path) in set(map(resolved, inputs)):
        raise OutputError(path, "is an input", "another name: no input is overwritten")
    refuse_existing([path], overwrite=overwrite)


def check_folder(path: Path) -> None:
    """Refuse a name under which no folder can be made, or none that is new or empty.

    Raises:
        OutputError: it is, or lies below, something else, or it holds something.
    """
    refuse_file_above(path)
    if path.is_dir() and any(path.iterdir()):
        raise OutputError(path, "exists already", "a new name", "name another folder")
