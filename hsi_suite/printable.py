"""Names and texts of users' files, made safe to show.

A file, a class or a key may be called anything: line breaks, codes that a terminal acts on, signs
that turn the direction of writing, bytes that are no UTF-8. Everything that is shown to a person
goes through `plain` or `safe_line`, JSON for programs through `safe_json`, which loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

#: What stands where a number is undefined.
UNDEFINED = "–"
# Names come from files: beyond this they would push everything else off a page.
_LONGEST_NAME = 80
# Of a part of a message: longer ones push the remedy, which stands last, out of sight.
_LONGEST_TEXT = 300
# Words of a message, and which of them are paths, addresses or names of files. Longer paths than
# this no system knows.
_TOKENS = re.compile(r"`[^`]*`\S*|'[^']*'\S*|\"[^\"]*\"\S*|\S+")
_PLACE = re.compile(r"^`|[/\\]|^~|\.[A-Za-z]\w{0,7}\W*$")
_LONGEST_PLACE, _MOST_PLACES = 4096, 6
_FIRST_BYTE, _LAST_BYTE = 0xDC80, 0xDCFF  # where Python keeps bytes of names that are no UTF-8
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: object) -> str:
    """`text` on one line; what a terminal or a font would act on is written as an escape."""
    text = str(text)
    if not text.isprintable():
        text = "".join(" " if c.isspace() else _shown(c) for c in text)
    return " ".join(text.split())


def shortened(text: object, longest: int = _LONGEST_NAME) -> str:
    """`text` as `plain` has it, cut with an ellipsis beyond `longest` characters."""
    words = plain(text)
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def clipped(text: object, longest: int = _LONGEST_TEXT) -> str:
    """`text` as `plain` has it, whole words left out of the middle of a long one.

    Paths, addresses and commands are never cut: a user needs them as they are. The first few stay,
    even where they make the text longer than `longest`.
    """
    words = plain(text)
    if len(words) <= longest:
        return words
    half = (longest - 3) // 2
    tokens = [_cut(token, half) for token in _TOKENS.findall(words)]
    places = [index for index, token in enumerate(tokens) if _PLACE.search(token)][:_MOST_PLACES]
    others = [index for index in range(len(tokens)) if index not in places]
    kept = {*places, *_within(others, tokens, half), *_within(others[::-1], tokens, half)}
    shown: list[str] = []
    for index, token in enumerate(tokens):
        if index in kept:
            shown.append(token)
        elif shown[-1:] != ["…"]:
            shown.append("…")
    return " ".join(shown)


def _within(indices: Iterable[int], tokens: Sequence[str], room: int) -> Iterator[int]:
    """Those at the beginning of `indices` whose tokens have room together."""
    for index in indices:
        room -= len(tokens[index]) + 1
        if room < 0:
            return
        yield index


def _cut(token: str, longest: int) -> str:
    """A word without its middle, unless it is a place or no longer than it may be."""
    if len(token) < longest or (_PLACE.search(token) and len(token) <= _LONGEST_PLACE):
        return token
    return f"{token[: longest // 2 - 2]}…{token[2 - longest // 2 :]}"


def safe_line(text: object) -> str:
    """`text` with its blanks as they are, for a line of a terminal or a log; else as `plain`."""
    text = str(text)
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if _FIRST_BYTE <= code <= _LAST_BYTE:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def safe_json(text: str) -> str:
    """JSON with the same values, in which nothing stands raw that a terminal acts on."""
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
