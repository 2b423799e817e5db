"""Small pieces of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\*_<>\[\]|#~$])")


def escaped(text: str) -> str:
    """Plain text as Markdown that shows it; what stands between backticks is left alone."""
    parts = text.split("`")
    return "`".join(
        part if place % 2 else _SPECIAL.sub(r"\\\1", part) for place, part in enumerate(parts)
    )


def code(text: object) -> str:
    """Text in the letters of a program."""
    return f"`{text}`"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> str:
    """A table; cells are Markdown, and the columns of `right` are numbers."""
    lines = [
        list(heads),
        ["---:" if place in right else "---" for place in range(len(heads))],
        *([str(cell).replace("\n", " ") for cell in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
