"""Checksums of files, read in pieces."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .errors import InputFileError
from .user_files import require_regular


def hash_file(path: Path) -> str:
    """SHA-256 of the content of `path` in hexadecimal digits.

    Raises:
        InputFileError: the file cannot be read.
    """
    require_regular(path, "a readable file")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputFileError(path, f"cannot be read ({error.strerror})") from error
