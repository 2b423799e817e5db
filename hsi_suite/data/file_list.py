"""Several files named in one text, with commas between them."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path

from ..user_files import is_there

_MOST = 3
_MOST_PIECES = 20


def listed_files(text: Path | str) -> tuple[Path, ...]:
    """The files that a text such as "train.tif,test.tif" names.

    A name may hold commas itself: the files that are there decide. Where none are, every comma
    is taken to stand between two.
    """
    if is_there(Path(text)):
        return (Path(text),)
    pieces = str(text).split(",")
    for count in range(2, min(_MOST, len(pieces)) + 1) if len(pieces) <= _MOST_PIECES else ():
        for cuts in combinations(range(1, len(pieces)), count - 1):
            edges = (0, *cuts, len(pieces))
            files = tuple(
                Path(",".join(pieces[start:end]).strip()) for start, end in pairwise(edges)
            )
            if all(is_there(file) and file.is_file() for file in files):
                return files
    return tuple(Path(piece.strip()) for piece in pieces)


def absolute_files(text: str) -> str:
    """The same with every path in full."""
    return ",".join(str(path.absolute()) for path in listed_files(text))
