"""Which label each class name of a file belongs to; names that hold commas."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

# First entries that name no class but what is in none.
_UNLABELLED = {
    "", "background", "ignore", "ignored", "masked", "masked pixels", "n/a", "no class", "no data",
    "no label", "nodata", "none", "not classified", "null", "unclassified", "undefined", "unknown",
    "unlabeled", "unlabelled", "void",
}  # fmt: skip
_NUMBER_0 = re.compile(r"(?:class|label)?[ _#]*0+")
# Commas between names, known from those inside by the space behind them, or by none.
_SEPARATORS = (re.compile(r",[ \t]*\n"), re.compile(r",\s+"), re.compile(r",(?!\s)"))


@dataclass(frozen=True)
class ClassNames:
    """The class names of a file.

    Attributes:
        listed: as they stand there.
        first: the label of the first; None where the file leaves that open.
        count: how many there should be; None: as many as are listed.
        text: the list as it was written, when its commas may stand inside names.
    """

    listed: tuple[str, ...]
    first: int | None = 1
    count: int | None = None
    text: str = ""

    def by_value(self, highest: int, zero_is_class: bool = False) -> tuple[dict[int, str], str]:
        """The name of each value, and what the user should know of it in words ("" for nothing).

        Args:
            highest: the highest label that occurs.
            zero_is_class: whether the value 0 is a class, not what is unlabelled.
        """
        names = self._separated(highest)
        if self.count and self._too_few():
            return {}, (
                f"{len(self.listed)} class names for {self.count} classes: classes are numbered; "
                "--class-names FILE names them"
            )
        if names is None:
            return {}, (
                f"{len(self.listed)} class names for {self.count} classes: some hold commas, so "
                "classes are numbered; --class-names FILE names them"
            )
        if self.first is not None:
            return dict(enumerate(names, self.first)), ""
        if zero_is_class or names_nothing(names[0]):
            return dict(enumerate(names)), ""
        certain = highest >= len(names) or self.count == len(names) + 1
        remark = (
            f"no class name stands for unlabelled pixels: {names[0]!r} is taken for label 1; if "
            "it is label 0, give --unlabelled -1 or the value of unlabelled pixels"
        )
        return dict(enumerate(names, 1)), "" if certain else remark

    def _too_few(self) -> bool:
        """Whether names are missing; that of what is unlabelled may be, where it is not listed."""
        missing = (self.count or 0) - len(self.listed)
        return missing > 1 or (missing == 1 and (self.first == 0 or names_nothing(self.listed[0])))

    def _separated(self, highest: int) -> tuple[str, ...] | None:
        if not self.count or len(self.listed) <= self.count:
            return self.listed
        found = separate_names(self.text, self.listed, self.count)
        # Some writers do not count the unlabelled entry.
        counted_without = len(self.listed) == self.count + 1 and names_nothing(self.listed[0])
        if found is None and counted_without and highest == self.count:
            return self.listed
        return found


def names_nothing(name: str) -> bool:
    """Whether a first entry stands for unlabelled pixels: by its word, or as number 0."""
    plain = " ".join(re.sub(r"[_-]", " ", name).lower().split())
    return plain in _UNLABELLED or _NUMBER_0.fullmatch(plain) is not None


def separate_names(text: str, items: Sequence[str], count: int) -> tuple[str, ...] | None:
    """A list of names, some with commas in them, as `count` names; None where that is not clear.

    Recognised by quotes, by lines, by the space behind commas, or by small letters where all other
    names begin with a capital.

    Args:
        text: the list as it was written.
        items: the same, separated at every comma.
        count: how many names there are.
    """
    ways = [next(csv.reader([" ".join(text.split())], skipinitialspace=True), [])]
    ways += [separator.split(text.strip().strip(",")) for separator in _SEPARATORS]
    found = {tuple(" ".join(name.split()) for name in way) for way in ways}
    fitting = [names for names in found if len(names) == count and all(names)]
    if len(fitting) == 1:
        return fitting[0]
    if items and items[0][:1].isupper() and sum(not item[:1].islower() for item in items) == count:
        joined: list[str] = []
        for item in items:
            if item[:1].islower():
                joined[-1] += f", {item}"
            else:
                joined.append(item)
        return tuple(joined)
    return None


def places_of_names(items: Sequence[str], count: int) -> dict[str, int]:
    """The place of every name that `items`, separated at every comma, can form in one place only.

    Args:
        items: pieces of `count` names, each of which is one piece or several side by side.
        count: how many names there are, from 1 on and no more than pieces.
    """
    longest = len(items) - count + 1
    found: dict[str, set[int]] = defaultdict(set)
    for start in range(len(items)):
        for end in range(start + 1, min(start + longest, len(items)) + 1):
            before, after = start, len(items) - end
            name = ", ".join(items[start:end])
            for place in range(count):
                rest = count - 1 - place
                # `place` names take all pieces before, and the rest all pieces after.
                if (place <= before and (place > 0) == (before > 0)) and (
                    rest <= after and (rest > 0) == (after > 0)
                ):
                    found[name].add(place)
    return {name: places.pop() for name, places in found.items() if len(places) == 1}
