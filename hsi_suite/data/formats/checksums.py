"""Checksums of files, read in pieces."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ...errors import InputFileError


def hash_file(path: Path) -> str:
    """SHA-256 of the content of `path` in hexadecimal digits.

    Raises:
        InputFileError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputFileError(path, f"cannot be read ({error.strerror})") from error
