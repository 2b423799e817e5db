"""Temporary files and folders that nobody has to clean up after.

Each carries a mark in its name and a lock (`flock`) that goes with its process, however that ends.
What the killed have left is removed where the next process writes: a mark without a lock has no
owner any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MARK = "hsi-tmp-"
_MARKED = re.compile(rf".*{_MARK}[a-z0-9_]{{8}}(\.[^.]*)?", re.DOTALL)
# Bytes: a name has 255 at most, and must hold the mark and the suffix too.
_LONGEST_STEM = 120
# Folders are looked through once in a process: one may hold many thousands of files.
_swept: set[tuple[int, Path]] = set()


@contextmanager
def scratch_file(path: Path) -> Iterator[Path]:
    """A new empty file beside `path`, with its suffix; removed at the end if it is still there.

    Raises:
        OSError: it cannot be made.
    """
    sweep_once(path.parent)
    prefix = f".{_shortened(path.stem)}.{_MARK}"
    while True:
        descriptor, name = tempfile.mkstemp(prefix=prefix, suffix=path.suffix, dir=path.parent)
        if _claimed(descriptor, name):
            break
        os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
        os.close(descriptor)


@contextmanager
def scratch_folder(name: str, parent: Path) -> Iterator[Path]:
    """A new empty folder in `parent` whose name begins with `name`; removed at the end.

    Raises:
        OSError: it cannot be made.
    """
    sweep_once(parent)
    while True:
        made = tempfile.mkdtemp(prefix=f"{_shortened(name)}{_MARK}", dir=parent)
        try:
            descriptor = os.open(made, os.O_RDONLY)
        except FileNotFoundError:
            continue
        if _claimed(descriptor, made):
            break
        os.close(descriptor)
    try:
        yield Path(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what processes that are gone have left in a folder."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _MARKED.fullmatch(entry.name):
                with contextlib.suppress(OSError):
                    _remove_ownerless(Path(entry.path))


def sweep_once(folder: Path) -> None:
    """`sweep`, the first time that this process comes to a folder."""
    key = (os.getpid(), Path(folder).absolute())
    if key not in _swept:
        _swept.add(key)
        sweep(folder)


def _shortened(name: str) -> str:
    # Names of files need not be UTF-8.
    return os.fsencode(name)[:_LONGEST_STEM].decode(errors="ignore")


def _claimed(descriptor: int, name: str) -> bool:
    """Lock what was just made; False where a sweeping process was faster."""
    with contextlib.suppress(OSError):
        # Where a file system knows no locks, nothing is ever swept either.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        return Path(name).stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _remove_ownerless(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
