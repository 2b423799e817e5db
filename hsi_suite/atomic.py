"""Files and folders that are either whole or not there.

Everything is written under a temporary name beside its place, flushed to disk and renamed. A
process killed at any moment leaves the old content or the new one, never a mixture; its temporary
file goes when the next process writes there (`scratch`).
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from .errors import ExistingOutputError, OutputError
from .json_text import json_text
from .scratch import scratch_file, scratch_folder


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _within_umask(mode: int) -> int:
    # mkstemp makes private files; a result should be as readable as any other file of the user.
    mask = os.umask(0)
    os.umask(mask)
    return mode & ~mask


def make_folder(folder: Path) -> Path:
    """Make `folder` and its parents.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            folder, f"the folder cannot be made ({error.strerror})", "a writable place"
        ) from error
    return folder


def refuse_existing(paths: Iterable[Path], *, overwrite: bool) -> None:
    """Keep finished files: refuse to write where one is, unless the user allows it.

    Raises:
        ExistingOutputError: names the first of the paths that is there.
    """
    for path in paths:
        if not overwrite and os.path.lexists(path):
            raise ExistingOutputError(
                path, "exists already", "", "name another with -o, or add --overwrite"
            )


@contextmanager
def atomic_file(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block succeeds.

    The temporary name keeps the suffix, as many libraries choose the format by it.

    Args:
        path: the file.
        replace: whether it may take the place of a file that is there when the block ends.

    Raises:
        OutputError: the place cannot be written.
        ExistingOutputError: there is a file, which must be kept.
    """
    path = Path(path)
    make_folder(path.parent)
    try:
        with scratch_file(path) as temporary:
            yield temporary
            temporary.chmod(_within_umask(0o666))
            _fsync(temporary)
            if not replace:
                refuse_existing([path], overwrite=False)
            temporary.replace(path)
            _fsync(path.parent)
    except OSError as error:
        raise OutputError(
            path, f"cannot be written ({error.strerror})", "a writable place with free space"
        ) from error


@contextmanager
def atomic_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; rename it to `path` when the block succeeds.

    Args:
        path: the folder.
        replace: give it the place of a folder that is there.

    Raises:
        OutputError: `path` exists and is not empty, or cannot be written.
    """
    path = Path(path)
    make_folder(path.parent)
    if not replace and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise _exists_already(path)
    with temporary_folder(f".{path.name}.", path.parent) as temporary:
        yield temporary
        try:
            temporary.chmod(_within_umask(0o777))
            for item in temporary.rglob("*"):
                _fsync(item)
            if replace:
                replace_folder(temporary, path)
            else:
                temporary.replace(path)
                _fsync(path.parent)
        except OSError as error:
            # Another process may have made the folder since.
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise _exists_already(path) from error
            raise OutputError(
                path, f"cannot be written ({error.strerror})", "a writable place with free space"
            ) from error


@contextmanager
def temporary_folder(name: str, parent: Path | None = None) -> Iterator[Path]:
    """Yield a new folder that is gone afterwards; after a kill, when the next one is made.

    Args:
        name: what the folder's name begins with.
        parent: where it is made; None for the system's place of temporary files.

    Raises:
        OutputError: it cannot be made.
    """
    place = Path(tempfile.gettempdir()) if parent is None else parent
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch_folder(name, place))
        except OSError as error:
            raise OutputError(
                place,
                f"cannot be written ({error.strerror or error})",
                "a writable place",
                "set TMPDIR to one" if parent is None else "",
            ) from error
        yield folder


def replace_folder(folder: Path, path: Path) -> None:
    """Give a folder its place; one that is there is removed once the new one stands."""
    with ExitStack() as stack:
        if path.is_dir() and any(path.iterdir()):
            aside = stack.enter_context(temporary_folder(f".{path.name}.", path.parent))
            path.replace(aside / "replaced")
        folder.replace(path)
        _fsync(path.parent)


def _exists_already(path: Path) -> OutputError:
    return OutputError(path, "exists already", "a new name", "name another folder")


def write_text(path: Path, text: str) -> None:
    r"""Write `text` to `path` atomically, in UTF-8 with line feeds.

    A byte of a name that is no UTF-8 becomes `\udcNN`, as JSON and YAML write it too.
    """
    with atomic_file(path) as temporary:
        temporary.write_bytes(text.encode(errors="backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` atomically: keys sorted, so that equal values give equal bytes.

    Raises:
        OutputError: a number is not finite, or the place cannot be written.
    """
    write_text(path, json_text(value, path) + "\n")
