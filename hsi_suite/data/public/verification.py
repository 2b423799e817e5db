"""Telling whether a file of a public scene is the file it should be.

A file's checksum is its SHA-256 or, where only that is published, its git blob id. A file whose
checksum nobody publishes is used when the user allows it (`--allow-unverified`); then the SHA-256
of that first copy is written down in the cache and holds from then on.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ...atomic import write_json
from ...cache import cache_folder
from ...errors import ChecksumError, InputFileError
from ...user_files import read_json, require_regular

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A file of a public scene.

    Attributes:
        name: its file name, by which it is looked for.
        urls: where it can be had, in the order they are tried; () where nobody offers it.
        sha256: its SHA-256 in hexadecimal digits; "" when not published.
        git_blob: its git blob id (SHA-1 of a short header and the content); "" when unknown.
    """

    name: str
    urls: tuple[str, ...]
    sha256: str = ""
    git_blob: str = ""

    @property
    def published(self) -> bool:
        """Whether a checksum of it is known from elsewhere than this machine."""
        return bool(self.sha256 or self.git_blob)

    @property
    def source(self) -> str:
        """Where to have it from, for messages."""
        return self.urls[0] if self.urls else "the right one"


class Check(StrEnum):
    """What comparing a file's checksum said."""

    VERIFIED = "verified"
    RECORDED = "as first used"
    UNRECORDED = "no known checksum"
    WRONG = "wrong checksum"


@dataclass(frozen=True)
class LocalFile:
    """A file on this machine and what its checksum says.

    Attributes:
        path: where it lies.
        place: "folder" (`HSI_DATA_DIR`) or "cache".
        check: what comparing the checksum said.
        sha256: SHA-256 of its content.
        kind: what was compared, "SHA-256" or "git blob id".
        found: the digest it has.
        expected: the digest it should have; "" when none is known.
    """

    path: Path
    place: str
    check: Check
    sha256: str
    kind: str
    found: str
    expected: str

    @property
    def verified(self) -> bool:
        """Whether a published checksum says that it is the file it should be."""
        return self.check is Check.VERIFIED


def record_path() -> Path:
    """The JSON file of checksums recorded at first use, in the cache."""
    return cache_folder() / "checksums.json"


def digests(path: Path) -> tuple[str, str]:
    """SHA-256 and git blob id of a file, in hexadecimal digits, in one reading.

    Raises:
        InputFileError: the file cannot be read.
    """
    require_regular(path, "a readable file")
    sha256, blob = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    try:
        with path.open("rb") as stream:
            blob.update(b"blob %d\0" % os.fstat(stream.fileno()).st_size)
            while chunk := stream.read(_CHUNK_BYTES):
                sha256.update(chunk)
                blob.update(chunk)
    except OSError as error:
        raise InputFileError(
            path, f"cannot be read ({error.strerror})", "a readable file", "check its permissions"
        ) from error
    return sha256.hexdigest(), blob.hexdigest()


def inspect_file(file: RemoteFile, path: Path, place: str) -> LocalFile:
    """Compare the file at `path` with what `file` should be; changes nothing.

    Raises:
        InputFileError: the file cannot be read.
        ChecksumError: the record of first uses cannot be read.
    """
    sha256, blob = digests(path)
    kind, found, expected = "SHA-256", sha256, file.sha256
    if not expected and file.git_blob:
        kind, found, expected = "git blob id", blob, file.git_blob
    right = Check.VERIFIED
    if not expected:
        expected, right = _recorded().get(file.name, ""), Check.RECORDED
    check = Check.UNRECORDED
    if expected:
        check = right if found == expected else Check.WRONG
    return LocalFile(path, place, check, sha256, kind, found, expected)


def record(file: RemoteFile, local: LocalFile) -> None:
    """Write down the checksum of a file that has no published one.

    Raises:
        OutputError: the cache cannot be written.
    """
    write_json(record_path(), _recorded() | {file.name: local.sha256})


def recorded_digest(name: str) -> str:
    """The SHA-256 that was written down for a name at its first use; "" when none was.

    Raises:
        ChecksumError: the record cannot be read.
    """
    return _recorded().get(name, "")


def _recorded() -> dict[str, str]:
    path = record_path()
    expected, remedy = "the JSON object written at first use", "delete it to record them anew"
    try:
        content = read_json(path, expected, remedy, kind=ChecksumError)
    except ChecksumError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return {}
        raise
    return {str(name): str(digest) for name, digest in content.items()}
