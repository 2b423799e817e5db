"""A catalogue of sentences: English texts and templates, and the same in another language.

A key is a text, or a template with what differs in braces. {name} stands for anything within a
sentence, which is kept; {name#} for a number; {name*} for a text that is in the catalogue itself;
{name;} for several such texts between semicolons; {name,} for a list of names as `enumerate_names`
makes it, of which those in the catalogue are translated.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

from .speaking import ENGLISH, spoken

_PLACE = re.compile(r"\{(\w+)([#*;,]?)\}")
_KINDS = {
    "": r"(?:(?!\. ).)+?",
    "#": r"[−+\-<]? ?[\d.,]*\d(?:e[+-]?\d+)?",
    "*": ".+?",
    ";": ".+?",
    ",": ".+?",
}
_BETWEEN = re.compile("(、|；| 和 )")
_WORDS = re.compile(r"[A-Za-z]{2}")
# Words from which on a template says something itself.
_TELLING = 2
# Where a sentence may end inside a text.
_ENDS = re.compile(r"(?<=[.?!]) ")


@dataclass(frozen=True)
class Template:
    """A key with what differs in braces, and its translation."""

    key: str
    value: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What a text has to match as a whole."""
        parts, end = [], 0
        for found in _PLACE.finditer(self.key):
            parts.append(re.escape(self.key[end : found.start()]))
            parts.append(f"(?P<{found[1]}>{_KINDS[found[2]]})")
            end = found.end()
        return re.compile("".join([*parts, re.escape(self.key[end:])]), re.DOTALL)

    @cached_property
    def kinds(self) -> dict[str, str]:
        """What stands in each place, by its name."""
        return dict(_PLACE.findall(self.key))

    @cached_property
    def ends(self) -> tuple[str, str]:
        """What a text has to begin and end with, to look no further at most of them."""
        parts = re.split(r"\{\w+[#*;,]?\}", self.key)
        return parts[0], parts[-1]


class Catalogue:
    """Texts of one language.

    Args:
        entries: translations by English text or template.
    """

    def __init__(self, entries: Mapping[str, str]) -> None:
        self.texts = {key: value for key, value in entries.items() if not _PLACE.search(key)}
        templates = [Template(k, v) for k, v in entries.items() if _PLACE.search(k)]
        # What says most first: a shorter one may match what a longer one means.
        templates.sort(key=lambda each: -len(_PLACE.sub("", each.key)))
        words = [len(_WORDS.findall(_PLACE.sub("", each.key))) for each in templates]
        both = list(zip(templates, words, strict=True))
        self.telling = [each for each, number in both if number >= _TELLING]
        self.framing = [each for each, number in both if number < _TELLING]
        self._known: dict[str, str | None] = {}

    def translate(self, text: str) -> str | None:
        """A text in this language; None where it is not in the catalogue.

        A text of several sentences is known where all of them are.
        """
        if text not in self._known:
            self._known[text] = self._found(text)
        return self._known[text]

    def _found(self, text: str) -> str | None:
        if not _WORDS.search(text):
            return text
        if text in self.texts:
            return self.texts[text]
        ways = (self._telling, self._sentences, self._framing, self._noted, self._list)
        return next((found for way in ways if (found := way(text)) is not None), None)

    def _telling(self, text: str) -> str | None:
        """By a template that says something itself."""
        return self._by(self.telling, text)

    def _framing(self, text: str) -> str | None:
        """By one that is hardly more than signs, which texts of several sentences match too."""
        return self._by(self.framing, text)

    def _by(self, templates: Sequence[Template], text: str) -> str | None:
        for template in templates:
            first, last = template.ends
            if text.startswith(first) and text.endswith(last):
                found = template.pattern.fullmatch(text)
                filled = self._filled(template, found) if found else None
                if filled is not None:
                    return filled
        return None

    def _noted(self, text: str) -> str | None:
        """A note that stands as a sentence: with a capital and a full stop."""
        if not (text[:1].isupper() and text.endswith(".")):
            return None
        found = self.translate(f"{text[0].lower()}{text[1:-1]}")
        return None if found is None else f"{found}。"

    def _list(self, text: str) -> str | None:
        """A list as `enumerate_names` makes it, of which a part at least is known."""
        parts = _BETWEEN.split(text)
        found = [self.translate(part) for part in parts] if len(parts) > 1 else []
        if not any(found[::2]):
            return None
        return "".join(new or part for new, part in zip(found, parts, strict=True))

    def _filled(self, template: Template, found: re.Match[str]) -> str | None:
        values = {}
        for name, kind in template.kinds.items():
            value: str | None = found[name]
            if kind == "*":
                value = self.translate(found[name])
            elif kind == ",":
                value = self.translate(found[name]) or found[name]
            elif kind == ";":
                parts = [self.translate(part) for part in found[name].split("; ")]
                value = None if None in parts else "；".join(map(str, parts))
            if value is None:
                return None
            values[name] = value
        return _PLACE.sub(lambda place: values[place[1]], template.value)

    def _sentences(self, text: str) -> str | None:
        """The first sentence as long as possible, then the rest."""
        for end in reversed([found.start() for found in _ENDS.finditer(text)]):
            first = self.translate(text[:end])
            if first is not None:
                rest = self.translate(text[end + 1 :])
                return None if rest is None else first + rest
        return None


@cache
def catalogue(language: str) -> Catalogue:
    """That of a language, from its files."""
    entries: dict[str, str] = {}
    folder = resources.files(__package__) / language
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".toml"):
            entries |= tomllib.loads(path.read_text("utf-8"))
    return Catalogue(entries)


def said(text: str) -> str:
    """A text in the language that is spoken; itself where the catalogue lacks it."""
    return text if spoken() == ENGLISH else catalogue(spoken()).translate(text) or text
