"""Files and folders that are either whole or not there.

Everything is written under a temporary name beside its place, flushed to disk and renamed. A
process killed at any moment leaves the old content or the new one, never a mixture.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import OutputError


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


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block succeeds.

    The temporary name keeps the suffix, as many libraries choose the format by it.

    Raises:
        OutputError: the place cannot be written.
    """
    path = Path(path)
    make_folder(path.parent)
    try:
        descriptor, name = tempfile.mkstemp(
            prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent
        )
    except OSError as error:
        raise OutputError(
            path, f"cannot be written ({error.strerror})", "a writable place"
        ) from error
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(_within_umask(0o666))
        _fsync(temporary)
        temporary.replace(path)
        _fsync(path.parent)
    except OSError as error:
        raise OutputError(
            path, f"cannot be written ({error.strerror})", "a writable place with free space"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; rename it to `path` when the block succeeds.

    Raises:
        OutputError: `path` exists and is not empty, or cannot be written.
    """
    path = Path(path)
    make_folder(path.parent)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise OutputError(path, "exists already", "a new name", "name another folder")
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise OutputError(
            path, f"cannot be written ({error.strerror})", "a writable place"
        ) from error
    try:
        yield temporary
        temporary.chmod(_within_umask(0o777))
        for item in temporary.rglob("*"):
            _fsync(item)
        temporary.replace(path)
        _fsync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, in UTF-8 with line feeds."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(text.encode(errors="surrogateescape"))


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` atomically: keys sorted, so that equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
