"""What a command says on standard error behind its first line."""

import re

_FIRST = re.compile(r"hsi [a-z]+( [a-z]+)?: ")


def beyond_first(err):
    """The lines without the one that says what the command is about to do, where there is one."""
    first, *rest = err.splitlines() or [""]
    return rest if _FIRST.match(first) else err.splitlines()
