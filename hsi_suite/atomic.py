"""Files and folders that are either whole or not there.

Everything is written under a temporary name beside its place, flushed to disk and renamed. A
process killed at any moment leaves the old content or the new one, never a mixture; its temporary
file goes when the next process writes there (`scratch`). Where finished files are to be kept
(`keeping`), a file gets its place by a hard link, which never takes that of another one: of
several processes that write to one place, one succeeds. A file that takes the place of another has
its permissions; where a user names a link and lets it be written anew, the file it leads to is.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from .errors import ExistingOutputError, OutputError
from .json_text import json_text
from .links import followed
from .scratch import scratch_file, scratch_folder
from .user_files import kind_of

# The umask is read by setting it; two threads that do so at once would leave none.
_asking = threading.Lock()

# What `keeping` keeps, by absolute paths.
_kept: ContextVar[frozenset[str]] = ContextVar("kept", default=frozenset())
# What `keeping` lets take the place of others, by absolute paths; links among them are followed.
_overwritten: ContextVar[frozenset[str]] = ContextVar("overwritten", default=frozenset())
# Files that got their places since `keeping` began, where they are to stand together or not at all.
_placed: ContextVar[list[Path] | None] = ContextVar("placed", default=None)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _within_umask(mode: int) -> int:
    # mkstemp makes private files; a result should be as readable as any other file of the user.
    with _asking:
        mask = os.umask(0)
        os.umask(mask)
    return mode & ~mask


def _mode_at(place: Path) -> int:
    """Permissions for a file: those of the one whose place it takes, as they may be private."""
    try:
        return stat.S_IMODE(place.stat().st_mode) & 0o777
    except OSError:
        return _within_umask(0o666)


def make_folder(folder: Path) -> Path:
    """Make `folder` and its parents.

    Raises:
        OutputError: it cannot be made.
    """
    refuse_file_above(folder)
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
        OutputError: one is no file that could be written anew, or a link that is not followed.
    """
    for path in paths:
        refuse_special(path)
        refuse_file_above(path.parent)
        if overwrite:
            followed(Path(path))
        elif os.path.lexists(path):
            raise _existing(path)


def refuse_special(path: Path) -> None:
    """Refuse a pipe, a socket or a device as the place of a file: it would be replaced by one.

    Raises:
        OutputError: the path is such.
    """
    if (kind := _kind_at(path)) in ("", "a file", "a folder"):
        return
    raise OutputError(path, f"is {kind}", "the name of a file", "name another with -o")


def _kind_at(path: Path) -> str:
    """A file, a folder or something else, in words; "" for nothing, and where nothing can be."""
    try:
        return kind_of(path.stat().st_mode)
    except (OSError, ValueError):
        return ""


def refuse_file_above(folder: Path) -> None:
    """Refuse a folder that cannot be made, as it or one above it is something else.

    Raises:
        OutputError: names what is in the way.
    """
    for place in (folder, *folder.parents):
        kind = _kind_at(place)
        if kind and kind != "a folder":
            raise OutputError(place, f"is {kind}, and no folder", "a folder, or a free name")
        if kind:
            return


@contextmanager
def keeping(paths: Iterable[Path], *, overwrite: bool, together: bool = False) -> Iterator[None]:
    """Keep finished files: refuse to write where one is, or comes to be before the block ends.

    Args:
        paths: the files that the block writes.
        overwrite: whether they may take the place of others, also of those that links lead to.
        together: let those that the block has written go when it fails or is interrupted, so that
            the same command finds a free place again. What took the place of others stays.

    Raises:
        ExistingOutputError: names the first of the paths that is there.
        OutputError: one is no file that could be written anew.
    """
    paths = list(paths)
    refuse_existing(paths, overwrite=overwrite)
    meant = _overwritten if overwrite else _kept
    token = meant.set(meant.get() | {str(Path(path).absolute()) for path in paths})
    placed: list[Path] = []
    noted = _placed.set(placed if together else _placed.get())
    try:
        yield
    except BaseException:
        for path in placed:
            path.unlink(missing_ok=True)
        raise
    finally:
        meant.reset(token)
        _placed.reset(noted)


def give_place(temporary: Path, path: Path, *, replace: bool) -> None:
    """Give a finished file its place; it is gone from its own afterwards.

    Args:
        temporary: the file, beside `path`.
        path: the place.
        replace: whether it may take that of a file that is there.

    Raises:
        ExistingOutputError: there is a file, which must be kept.
        OSError: the place cannot be written.
    """
    if replace and str(path.absolute()) not in _kept.get():
        temporary.replace(path)
        return
    try:
        os.link(temporary, path)
        _note_placed(path)
    except FileExistsError:
        # A kill between the next lines of an earlier call leaves both names of one file.
        if not path.is_symlink() and path.samefile(temporary):
            temporary.unlink()
            return
        raise _existing(path) from None
    except OSError:
        _claim(path)
        _note_placed(path)
        temporary.replace(path)
        return
    temporary.unlink()


def _note_placed(path: Path) -> None:
    placed = _placed.get()
    if placed is not None and str(path.absolute()) in _kept.get():
        placed.append(path)


def _claim(path: Path) -> None:
    """Make an empty file where a file system knows no hard links, if there is none.

    Raises:
        ExistingOutputError: there is one.
        OSError: it cannot be made.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        raise _existing(path) from None


def _existing(path: Path) -> ExistingOutputError:
    return ExistingOutputError(
        path, "exists already", "", "name another with -o, or add --overwrite"
    )


@contextmanager
def atomic_file(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block succeeds.

    The temporary name keeps the suffix, as many libraries choose the format by it. Inside
    `keeping` no file is replaced; or it may be, and so may the one that a link leads to. A link
    that the user has not named, as in a folder handed over by others, is replaced itself.

    Args:
        path: the file.
        replace: whether it may take the place of a file that is there when the block ends.

    Raises:
        OutputError: the place cannot be written, or is no place of a file.
        ExistingOutputError: there is a file, which must be kept.
    """
    path = Path(path)
    refuse_special(path)
    make_folder(path.parent)
    named = str(path.absolute()) in _overwritten.get() - _kept.get()
    place = followed(path) if named else path
    try:
        with scratch_file(place.with_name(path.name)) as temporary:
            yield temporary
            temporary.chmod(_mode_at(place))
            _fsync(temporary)
            give_place(temporary, place, replace=replace)
            _fsync(place.parent)
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
            for item in (*temporary.rglob("*"), temporary):
                _fsync(item)
            place_folder(temporary, path, replace=replace)
        except OSError as error:
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


def place_folder(folder: Path, path: Path, *, replace: bool) -> None:
    """Give a finished folder its place.

    Args:
        folder: beside `path`.
        path: the place.
        replace: whether a folder that is there goes once the new one stands.

    Raises:
        OutputError: there is one, which must be kept.
        OSError: the place cannot be written.
    """
    with ExitStack() as stack:
        if replace and path.is_dir() and any(path.iterdir()):
            aside = stack.enter_context(temporary_folder(f".{path.name}.", path.parent))
            path.replace(aside / "replaced")
        try:
            folder.replace(path)
        except OSError as error:
            # Another process may have made it since.
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise _exists_already(path) from error
            raise
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
