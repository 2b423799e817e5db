"""Networks named with options, as for `hsi models compare`; read without what describes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..config import apply_settings
from ..errors import ConfigError

_OPENING = {"}": "{", "]": "["}


def check_comparison(
    names: Sequence[str],
    shape: tuple[int, ...] | None,
    runs: str | Path | None,
    dataset: str | None,
) -> None:
    """Refuse options that do not go together, and a network named twice.

    Args:
        names: of networks, with their options.
        shape: of one input of all; None for their own.
        runs: a folder of finished runs, or None.
        dataset: of the runs that count, or None.

    Raises:
        ConfigError: options contradict each other, or a name stands twice.
    """
    if runs is not None and shape is not None:
        raise ConfigError("--input", "given with --runs", "one of both: runs have inputs of theirs")
    if runs is None and dataset is not None:
        raise ConfigError("--dataset", dataset, "--runs FOLDER beside it", "leave it out")
    for name in names:
        if names.count(name) > 1:
            raise ConfigError("NAME", f"{name} twice", "each network once")


def parted(name: str) -> tuple[str, dict[str, Any]]:
    """A network's name, and the options behind it.

    Raises:
        ConfigError: there is no name, or an option cannot be read.
    """
    if not name.strip():
        raise ConfigError("NAME", repr(name), "the name of a network")
    # The path of a network's file may have spaces, and so may a value in brackets or quotes.
    keys = _keys(name)
    starts = [place for place in keys if _open_marks(name[keys[0] : place]) == ""]
    parts = [name[a:b].strip() for a, b in pairwise([0, *starts, len(name)])]
    try:
        return parts[0], apply_settings({}, parts[1:])
    except ConfigError as error:
        subject = error.subject.replace("--set", parts[0], 1)
        raise ConfigError(subject, error.found, error.expected, error.remedy) from error


def _keys(name: str) -> list[int]:
    """Where a word begins that is a key with a "=" behind it."""
    return [found.start(1) for found in re.finditer(r"\s([A-Za-z_][\w.]*=)", name)]


def _open_marks(text: str) -> str:
    """The brackets and quotes that a text opens and does not close, the last one at the end."""
    marks = ""
    for sign in text:
        last = marks[-1:]
        if last in ("'", '"'):
            marks = marks[:-1] if sign == last else marks
        elif sign in "{['\"":
            marks += sign
        elif sign in "}]" and last == _OPENING[sign]:
            marks = marks[:-1]
    return marks
