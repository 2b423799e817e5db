"""Text and JSON of files that may hold anything: regular files only, of bounded size and depth."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .errors import HsiSuiteError, InputFileError
from .guard import parsing, reason_of

LARGEST_TEXT = 2**24
LARGEST_JSON = 2**29
_DEEPEST = 64
_NESTED = (dict, list)


def require_regular(
    path: Path, expected: str, remedy: str = "", *, kind: type[HsiSuiteError] = InputFileError
) -> int:
    """Refuse what is no regular file: a pipe or a device would be waited for, or read, for ever.

    Args:
        path: the file.
        expected: what it should be.
        remedy: what the user can do where it is not.
        kind: the error to raise.

    Returns:
        Its size in bytes.

    Raises:
        HsiSuiteError: of `kind`: it is missing, a folder, a pipe, a socket or a device, or may not
            be read.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise kind(path, "no such file", expected, remedy) from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise kind(path, f"cannot be read ({reason_of(error)})", expected, remedy) from error
    if stat.S_ISDIR(status.st_mode):
        raise kind(path, "is a folder", expected, remedy)
    if not stat.S_ISREG(status.st_mode):
        found = f"is {kind_of(status.st_mode)}"
        raise kind(path, found, f"{expected}, as a regular file", remedy)
    try:
        # Some libraries say "no such file" of one without permission.
        path.open("rb").close()
    except OSError as error:
        raise kind(path, f"cannot be read ({reason_of(error)})", expected, remedy) from error
    return status.st_size


def kind_of(mode: int) -> str:
    """What a place holds, in words, by the mode that `stat` gives."""
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a file" if stat.S_ISREG(mode) else "a pipe, a socket or a device"


def is_there(path: Path) -> bool:
    """Whether there is a file or folder of this name; of a name that none can have, there is none.

    Path's own way fails where a name is longer than the system allows.
    """
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def require_there(path: Path) -> None:
    """Refuse a name that nothing has, before what reads it is loaded, and says all else.

    Raises:
        InputFileError: there is neither file nor folder.
    """
    try:
        path.stat()
    except FileNotFoundError as error:
        raise InputFileError(path, "no such file", "", "check the path") from error
    except (OSError, ValueError):
        # A link in a circle, a place that may not be looked into: the reader has words for it.
        return


def require_folder(
    path: Path, expected: str, remedy: str = "", *, kind: type[HsiSuiteError] = InputFileError
) -> None:
    """Refuse what is no folder.

    Args:
        path: the folder.
        expected: what it should be.
        remedy: what the user can do where it is not.
        kind: the error to raise.

    Raises:
        HsiSuiteError: of `kind`: it is missing, or something else.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise kind(path, "no such folder", expected, remedy) from error
    except (OSError, ValueError) as error:
        raise kind(path, f"cannot be opened ({reason_of(error)})", expected, remedy) from error
    if not stat.S_ISDIR(mode):
        raise kind(path, f"is {kind_of(mode)}", expected, remedy)


def resolved(path: Path) -> Path:
    """The absolute path without links; one that runs in a circle stays as it is, unlike Path's."""
    return Path(os.path.realpath(path))


def refuse_repeated(
    paths: Sequence[str | Path], expected: str, *, kind: type[HsiSuiteError] = InputFileError
) -> None:
    """Refuse a file or folder that is named twice, by whatever name, where each would count.

    Args:
        paths: as the user gave them.
        expected: what they should be.
        kind: the error to raise.

    Raises:
        HsiSuiteError: of `kind`: two of them are the same.
    """
    seen: set[Path] = set()
    for path in paths:
        place = resolved(Path(path))
        if place in seen:
            raise kind(path, "is given twice", expected, "leave one of them out")
        seen.add(place)


def read_bytes(
    path: Path,
    expected: str,
    remedy: str = "",
    *,
    kind: type[HsiSuiteError] = InputFileError,
    largest: int = LARGEST_TEXT,
) -> bytes:
    """The content of a regular file.

    Args:
        path: the file.
        expected: what it should be.
        remedy: what the user can do where it is not.
        kind: the error to raise.
        largest: bytes that are read at most.

    Raises:
        HsiSuiteError: of `kind`: it is missing, no regular file, or too large.
    """
    size = require_regular(path, expected, remedy, kind=kind)
    if size > largest:
        found = f"holds {size:,} bytes"
        raise kind(path, found, f"{expected}, at most {largest:,} bytes", remedy)
    try:
        with path.open("rb") as file:
            # One more than allowed shows a file that grows, as those of /proc do.
            content = file.read(largest + 1)
    except OSError as error:
        raise kind(path, f"cannot be read ({reason_of(error)})", expected, remedy) from error
    if len(content) > largest:
        raise kind(path, "does not end", f"{expected}, at most {largest:,} bytes", remedy)
    return content


def first_bytes(path: Path, count: int, expected: str = "a readable file") -> bytes:
    """What a regular file begins with; fewer bytes where it is shorter.

    Raises:
        InputFileError: it is missing, no regular file, or cannot be read.
    """
    require_regular(path, expected)
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise InputFileError(path, f"cannot be read ({reason_of(error)})", expected) from error


def read_text(
    path: Path,
    expected: str,
    remedy: str = "",
    *,
    kind: type[HsiSuiteError] = InputFileError,
    largest: int = LARGEST_TEXT,
) -> str:
    """The text of a regular file in UTF-8, a byte order mark removed; see `read_bytes`.

    Raises:
        HsiSuiteError: of `kind`, also for other bytes than UTF-8.
    """
    content = read_bytes(path, expected, remedy, kind=kind, largest=largest)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise kind(path, "is not UTF-8 text", expected, remedy) from error


def parse_json(
    text: str | bytes,
    source: object,
    expected: str,
    remedy: str = "",
    *,
    kind: type[HsiSuiteError] = InputFileError,
) -> Any:
    """The value of a JSON text that is nested no deeper than whatever walks it can follow.

    Raises:
        HsiSuiteError: of `kind`: it is no JSON, or nested too deeply.
    """
    with parsing(source, expected, remedy, kind=kind, found="not valid JSON"):
        value = json.loads(text)
    if _too_deep(value):
        raise kind(source, "not valid JSON (nested too deeply)", expected, remedy)
    return value


def read_json(
    path: Path,
    expected: str,
    remedy: str = "",
    *,
    kind: type[HsiSuiteError] = InputFileError,
) -> dict[str, Any]:
    """The JSON object in a regular file; see `read_bytes`.

    Raises:
        HsiSuiteError: of `kind`: the file cannot be read, or holds anything else.
    """
    text = read_text(path, expected, remedy, kind=kind, largest=LARGEST_JSON)
    value = parse_json(text, path, expected, remedy, kind=kind)
    if not isinstance(value, dict):
        raise kind(path, "holds no table", f"{expected}, a JSON object", remedy)
    return value


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        inner = (v.values() if isinstance(v, dict) else v for v in level if isinstance(v, _NESTED))
        level = [item for items in inner for item in items if isinstance(item, _NESTED)]
        if not level:
            return False
    return True
