"""Finding the files of the public scenes: on this machine first, then on the network.

The places, in order: the folder `HSI_DATA_DIR` (by file name, in any sub-folder), the user's cache
(`HSI_CACHE_DIR` where that is set), the file's addresses on the network, one after the other. No
file is used before its checksum has been compared. A download takes its final name only once it
is whole and right, so a process killed half-way leaves nothing that looks like data.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from ...atomic import atomic_file, make_folder, temporary_folder
from ...cache import CACHE_VARIABLE, cache_folder
from ...errors import ChecksumError, ConfigError, DatasetNotFoundError, OutputError
from ...printable import safe_line
from .transfer import Say, fetch
from .verification import (
    Check,
    LocalFile,
    RemoteFile,
    inspect_file,
    record,
    record_path,
    recorded_digest,
)

DATA_VARIABLE = "HSI_DATA_DIR"


def say_on_stderr(message: str) -> None:
    """Print `message` where it mixes with no result."""
    print(safe_line(message), file=sys.stderr)


def data_folder() -> Path | None:
    """The folder `HSI_DATA_DIR` names; None when it is not set.

    Raises:
        ConfigError: it names no folder.
    """
    own = os.environ.get(DATA_VARIABLE)
    if not own:
        return None
    folder = Path(own)
    if not folder.is_dir():
        raise ConfigError(
            DATA_VARIABLE, f"{own} is not a folder", "a folder of data files", "correct or unset it"
        )
    return folder


def find(file: RemoteFile) -> LocalFile | None:
    """Look for `file` on this machine, changing nothing; None when it is not here.

    Of several files of its name in `HSI_DATA_DIR` the first whose checksum is right is taken, or
    else the first: a file put there by hand is never passed over in silence.

    Raises:
        InputFileError: a file of its name cannot be read.
    """
    wrong = None
    for path in _candidates(file.name):
        local = inspect_file(file, path, "folder")
        if local.check is not Check.WRONG:
            return local
        wrong = wrong or local
    cached = cache_folder() / file.name
    if wrong is None and cached.is_file():
        return inspect_file(file, cached, "cache")
    return wrong


def locate(
    files: Iterable[RemoteFile], *, allow_unverified: bool = False, on_message: Say = say_on_stderr
) -> list[LocalFile]:
    """Find files on this machine, or download them into the cache, and check each.

    Args:
        files: what to look for.
        allow_unverified: use a file whose checksum is wrong, or that nobody publishes one of, and
            say so.
        on_message: reports downloads and everything that was not verified.

    Returns:
        One file for each of `files`, in their order.

    Raises:
        ChecksumError: a file is not the one expected.
        DatasetNotFoundError: files are not here and cannot be downloaded; names all of them.
        OutputError: the cache cannot be written.
    """
    located: list[LocalFile] = []
    missing: dict[RemoteFile, str] = {}
    silent_hosts: set[str] = set()
    for file in files:
        local = find(file)
        if local is None:
            local, failures = _download(file, allow_unverified, on_message, silent_hosts)
            if local is None:
                missing[file] = failures
                continue
        _accept(file, local, allow_unverified, on_message)
        located.append(local)
    if missing:
        _raise_not_found(missing)
    return located


def _candidates(name: str) -> Iterator[Path]:
    folder = data_folder()
    if folder is None:
        return
    for parent, folders, names in os.walk(folder):
        folders.sort()
        path = Path(parent, name)
        if name in names and path.is_file():
            yield path


def _accept(file: RemoteFile, local: LocalFile, allow_unverified: bool, say: Say) -> None:
    """Say what is to be said about a file's checksum; refuse it when it is wrong."""
    if local.check is Check.WRONG:
        if not allow_unverified:
            raise ChecksumError(
                local.path,
                f"its {local.kind} is {local.found}",
                local.expected,
                _remedy(file, local),
            )
        was = f"its {local.kind} is {local.found}, expected {local.expected}"
        say(f"{local.path}: used UNVERIFIED; {was}")
    if local.check is Check.RECORDED:
        say(f"{local.path}: UNVERIFIED, as first used here; nobody publishes its checksum")
    if local.check is Check.UNRECORDED:
        if not allow_unverified:
            raise ChecksumError(
                local.path,
                "nobody publishes a checksum of this file, so it cannot be verified",
                "",
                "use it all the same with --allow-unverified: its SHA-256 is recorded then",
            )
        say(
            f"{local.path}: used UNVERIFIED; nobody publishes its checksum; recorded its SHA-256, "
            f"{local.sha256}"
        )
        try:
            record(file, local)
        except OutputError as error:
            say(f"not recorded: {error}")


def _remedy(file: RemoteFile, local: LocalFile) -> str:
    anyway = "or use it all the same with --allow-unverified"
    if not file.published:
        return f"delete its entry in {record_path()} if this is the right file, {anyway}"
    if local.place == "cache":
        return f"delete the file to download it anew, {anyway}"
    return f"replace it by {file.source}, {anyway}"


def _download(
    file: RemoteFile, allow_unverified: bool, say: Say, silent_hosts: set[str]
) -> tuple[LocalFile | None, str]:
    """The file, downloaded into the cache, or None and what each address gave instead."""
    if not file.published and not allow_unverified and not recorded_digest(file.name):
        raise ChecksumError(
            file.name,
            "nobody publishes a checksum of this file, so a download cannot be verified",
            "",
            "download it all the same with --allow-unverified: its SHA-256 is recorded then",
        )
    failures: list[str] = [] if file.urls else ["no address of it is known"]
    wrong: list[LocalFile] = []
    with _scratch_folder() as scratch:
        for number, url in enumerate(file.urls):
            path = scratch / str(number)
            failure = fetch(url, path, say, silent_hosts)
            if not failure:
                local = inspect_file(file, path, "cache")
                if local.check is not Check.WRONG:
                    return _keep(file, local), ""
                failure = (
                    f"gave another file, {local.kind} {local.found} instead of {local.expected}"
                )
                wrong.append(local)
            failures.append(f"{url} {failure}")
        if wrong and allow_unverified:
            return _keep(file, wrong[0]), ""
    if wrong:
        raise ChecksumError(
            file.name,
            "; ".join(failures),
            "",
            f"{_where_to_put([file.name])}, or use what comes with --allow-unverified",
        )
    return None, ", ".join(failures)


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    with ExitStack() as stack:
        try:
            folder = make_folder(cache_folder())
            scratch = stack.enter_context(temporary_folder(".download-", folder))
        except OutputError as error:
            raise OutputError(
                error.subject, error.found, "a writable folder", f"set {CACHE_VARIABLE}"
            ) from error
        yield scratch


def _keep(file: RemoteFile, local: LocalFile) -> LocalFile:
    target = cache_folder() / file.name
    with atomic_file(target) as temporary:
        local.path.replace(temporary)
    return replace(local, path=target)


def _raise_not_found(missing: Mapping[RemoteFile, str]) -> NoReturn:
    names = [file.name for file in missing]
    raise DatasetNotFoundError(
        ", ".join(names),
        f"not on this machine and not downloaded: {'; '.join(missing.values())}",
        "",
        _where_to_put(names),
    )


def _where_to_put(names: list[str]) -> str:
    folder = data_folder()
    if folder is None:
        where = f"{cache_folder()}, or into a folder that {DATA_VARIABLE} names"
    else:
        where = f"{folder} ({DATA_VARIABLE})"
    them = "them" if len(names) > 1 else "it"
    return f"download {' and '.join(names)} elsewhere and put {them} into {where}"
