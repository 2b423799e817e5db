"""Lists of class names on disk."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputFileError
from ..user_files import read_text


def read_class_names(path: Path | str) -> tuple[str, ...]:
    """The class names in a text file, one a line; blank lines at the end do not count.

    Raises:
        InputFileError: the file is missing, empty, no UTF-8 text, or names a class twice or not.
    """
    path = Path(path)
    text = read_text(path, "a text file, one class name a line")
    names = [line.strip() for line in text.rstrip().splitlines()]
    if not names or "\0" in text:
        raise InputFileError(path, "holds no class names", "one class name a line")
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not name:
            raise InputFileError(path, f"line {number} is blank", "one class name a line")
        if name in seen:
            raise InputFileError(path, f"line {number} repeats {name!r}", "a name for each class")
        seen.add(name)
    return tuple(names)
