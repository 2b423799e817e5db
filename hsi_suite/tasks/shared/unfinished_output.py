"""The folder of an output that is being written, so that a call can go on where one was cut off.

`<output>.partial` lies beside the output. It holds the files as far as they are written and
`progress.json`, which says whose they are and how far they are. Only one process works in it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...atomic import give_place, make_folder, write_json
from ...engine.observer import Observer
from ...errors import InputFileError, OutputError
from ...json_text import json_text
from ...user_files import read_json

_SUFFIX = ".partial"
_PROGRESS = "progress.json"


class UnfinishedOutput:
    """A locked folder with an output's files, and how far they are.

    Args:
        folder: the folder.
        identity: what the output is made of and how; JSON.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        self.folder = folder
        self._identity = dict(identity)

    def progress(self, observer: Observer) -> dict[str, Any] | None:
        """What was saved last by a call of the same identity; None: the folder is empty now.

        What a call of another identity has left is removed, and the observer reports why.

        Raises:
            OutputError: the folder holds something else.
        """
        path = self.folder / _PROGRESS
        try:
            saved = read_json(path, "the progress of an unfinished output")
            theirs: dict[str, Any] = dict(saved["identity"])
            progress: dict[str, Any] | None = saved["progress"]
            if saved["sha256"] != _digest(theirs, progress):
                raise ValueError
        except (InputFileError, ValueError, LookupError, TypeError):
            # A call cut off at once leaves at most the temporary file of its progress.
            if any(not item.name.startswith(".progress.") for item in self.folder.iterdir()):
                raise OutputError(
                    self.folder, "is no unfinished output", "a free name", "rename or remove it"
                ) from None
            theirs, progress = self._identity, None
        if theirs != self._identity:
            changed = [key for key in self._identity if theirs.get(key) != self._identity[key]]
            observer.message(
                f"{self.folder} is of another call (other {', '.join(changed) or 'options'}): "
                "beginning anew"
            )
            progress = None
        if progress is None:
            self.clear()
        return progress

    def clear(self) -> None:
        """Remove all that is in the folder, and make the folder this call's own."""
        self.save(None)
        for item in self.folder.iterdir():
            if item.name != _PROGRESS:
                item.unlink()

    def save(self, progress: Mapping[str, Any] | None) -> None:
        """Note how far the files are; they must be on the disk."""
        sealed = {"progress": progress, "sha256": _digest(self._identity, progress)}
        write_json(self.folder / _PROGRESS, {"identity": self._identity} | sealed)

    def move(self, names: Iterable[str]) -> None:
        """Give files their place beside the folder, where an earlier call has not done so.

        Raises:
            ExistingOutputError: there is one that must be kept.
            OutputError: one cannot be moved.
        """
        for name in names:
            target = self.folder.parent / name
            try:
                give_place(self.folder / name, target, replace=True)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise OutputError(target, f"cannot be written ({error.strerror})") from error

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _digest(identity: Mapping[str, Any], progress: Mapping[str, Any] | None) -> str:
    """What says whether a saved state is whole: what it says is written to without a look."""
    text = json_text([identity, progress], _PROGRESS, compact=True)
    return hashlib.sha256(text.encode()).hexdigest()


def unfinished_folder(target: Path) -> Path:
    """Where the files of an output lie while it is being written."""
    return target.with_name(target.name + _SUFFIX)


def goes_on(target: Path, identity: Mapping[str, Any]) -> bool:
    """Whether a call of the same identity was cut off: what it has written is its own."""
    try:
        path = unfinished_folder(target) / _PROGRESS
        saved = read_json(path, "the progress of an unfinished output")
        return bool(saved["identity"] == dict(identity))
    except (InputFileError, LookupError):
        return False


@contextmanager
def unfinished_output(target: Path, identity: Mapping[str, Any]) -> Iterator[UnfinishedOutput]:
    """Hold the folder of an output for writing; the lock goes with the process, however it ends.

    Raises:
        OutputError: another process holds it, or it cannot be made.
    """
    folder = unfinished_folder(target)
    descriptor = _lock(folder)
    try:
        yield UnfinishedOutput(folder, identity)
    finally:
        # A call that was refused at once leaves nothing.
        with contextlib.suppress(OSError):
            folder.rmdir()
        os.close(descriptor)


def _lock(folder: Path) -> int:
    while True:
        if folder.exists() and not folder.is_dir():
            raise OutputError(folder, "is a file", "a free name", "rename or remove it")
        make_folder(folder)
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise OutputError(
                folder,
                "another process is writing this output",
                "an output of its own",
                "wait for it, or choose another name",
            ) from None
        # The process that held it may have finished and removed the folder in between.
        if folder.exists() and os.fstat(descriptor).st_ino == folder.stat().st_ino:
            return descriptor
        os.close(descriptor)
