"""Names and the factories behind them.

A name taken twice is a programming error and raises at import; an unknown name is a user's
error and lists the nearest known ones.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from .errors import Note, UnknownNameError
from .printable import clipped

T = TypeVar("T")

# More names than these do not fit into one line of a message.
_LISTED = 20
_SUGGESTED = 3


def nearest_names(name: str, known: Iterable[str]) -> list[str]:
    """The known names most like `name`, best first, at most three; empty when none is close."""
    return difflib.get_close_matches(name.lower(), list(known), n=_SUGGESTED, cutoff=0.5)


def did_you_mean(
    name: str, known: Iterable[str], otherwise: str = "", *, most: int = _SUGGESTED
) -> str:
    """The remedy of an unknown name: the nearest known ones as a question.

    Args:
        name: what was given.
        known: what there is.
        otherwise: the remedy where none is near.
        most: how many are named.
    """
    near = nearest_names(name, known)[:most]
    return f"did you mean {' or '.join(near)}?" if near else otherwise


def listed(known: Iterable[str]) -> str:
    """The names in alphabetical order for a message; of many only how many there are."""
    names = sorted(known)
    if len(names) <= _LISTED:
        return f"one of {', '.join(names)}"
    return f"one of {len(names)} names, from {names[0]} to {names[-1]}"


class LeftOut(Note):
    """Something that another package offers cannot be used."""


def warn_left_out(kind: str, name: str, place: str, error: BaseException) -> None:
    """Say in one line that something of another package is left out.

    Args:
        kind: what it stands for.
        name: of the entry point.
        place: its module and object.
        error: why.
    """
    reason = clipped(f"{type(error).__name__}: {error}".rstrip(": "))
    warnings.warn(f"{kind} {name} of {place} is left out: {reason}", LeftOut, stacklevel=4)


def enter_offered(group: str, kind: str, enter: Callable[[str, Any], object]) -> None:
    """Enter what other packages offer by entry points.

    What cannot be is left out with a warning: it shall not stop what needs nothing of it.

    Args:
        group: of the entry points.
        kind: what they stand for, for the warning.
        enter: takes the name and the object of each.
    """
    for point in entry_points(group=group):
        try:
            enter(point.name, point.load())
        except (Exception, SystemExit) as error:
            warn_left_out(kind, point.name, point.value, error)


class Registry(Generic[T]):
    """A table of names of one kind.

    Args:
        kind: what the names stand for ("model", "data set"), used in messages.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> T:
        """Enter `entry` under `name`.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._entries:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._entries[name] = entry
        return entry

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator form of `add`."""
        return lambda entry: self.add(name, entry)

    def __getitem__(self, name: str) -> T:
        if name in self._entries:
            return self._entries[name]
        hint = did_you_mean(name, self._entries)
        raise UnknownNameError(self.kind, f"unknown name {name!r}", listed(self._entries), hint)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
