"""Formats of cubes that other packages read, told apart by content as ours are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...registry import Registry, enter_offered
from .reading_guard import reading

if TYPE_CHECKING:
    from .array_axes import ArrayRequest
    from .cube_file import CubeFile

HEAD = 520
"""So many bytes a format is recognised by, at most."""
GROUP = "hsi_suite.formats"
"""The group of entry points under which other packages offer formats."""


@dataclass(frozen=True)
class CubeFormat:
    """A format that cubes can be read from.

    Attributes:
        name: in messages, as "PDS cube".
        recognises: whether a file is of it: takes the first bytes (`HEAD`) and the path.
        open: opens a cube without reading its values: takes the path, and which array is meant
            and how its axes lie where the user says so. What it raises over a damaged file is
            said in one line.
    """

    name: str
    recognises: Callable[[bytes, Path], bool]
    open: Callable[[Path, ArrayRequest], CubeFile]


FORMATS: Registry[CubeFormat] = Registry("format")


def other_formats() -> list[CubeFormat]:
    """The formats that other packages offer."""
    _load_others()
    return [FORMATS[name] for name in FORMATS]


def other_format(head: bytes, path: Path) -> CubeFormat | None:
    """The format that recognises a file by its first bytes; None where none does."""
    return next((each for each in other_formats() if each.recognises(head, path)), None)


def open_other(path: Path, request: ArrayRequest) -> CubeFile:
    """The cube of a file that one of these formats recognises.

    Raises:
        InputFileError: it cannot be read.
    """
    with path.open("rb") as file:
        found = other_format(file.read(HEAD), path)
    assert found is not None
    with reading(path, f"a file of the format {found.name}"):
        return found.open(path, request)


@cache
def _load_others() -> None:
    def enter(_: str, theirs: Any) -> None:
        if not isinstance(theirs, CubeFormat):
            raise TypeError(f"not a CubeFormat but {type(theirs).__name__}")
        FORMATS.add(theirs.name, theirs)

    enter_offered(GROUP, "format", enter)
