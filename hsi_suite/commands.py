"""The commands that messages suggest: whole, and quoted for a shell."""

from __future__ import annotations

import shlex


def command(*words: object) -> str:
    """`hsi` with these words as a line that a shell takes as it is meant.

    Args:
        words: the command and its arguments; names with blanks or quotes are quoted.
    """
    return shlex.join(["hsi", *map(str, words)])


def suggested(*words: object) -> str:
    """The same between backticks, as it stands in a message."""
    return f"`{command(*words)}`"
