"""Tables as text: lines of cells, as spreadsheets and people write them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from ...errors import InputFileError

_SEPARATORS = ("\t", ";", ",")


def table_lines(text: str) -> list[str]:
    """The lines of a table, without comments, and without the `sep=;` of spreadsheets."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return lines[1:] if lines and re.fullmatch(r'"?sep=.?"?', lines[0].strip(), re.I) else lines


def separator_of(line: str) -> str | None:
    """What separates the cells of a line: a tab, else a semicolon, else a comma; None: blanks."""
    return next((each for each in _SEPARATORS if each in line), None)


def separated_cells(
    path: Path, lines: Sequence[str], separator: str, expected: str
) -> list[list[str]]:
    """The cells of a table's lines, without blanks around them.

    Rows of empty cells, and last columns that are empty throughout, are left out: spreadsheets
    write them.

    Args:
        path: of the table, for messages.
        lines: its lines, see `table_lines`.
        separator: between cells, see `separator_of`.
        expected: for messages.

    Raises:
        InputFileError: a cell is too long, or quotes do not match.
    """
    try:
        found = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator))
    except csv.Error as error:
        raise InputFileError(path, f"cannot be read ({error})", expected) from error
    rows = [[cell.strip() for cell in row] for row in found]
    rows = [row for row in rows if any(row)]
    while rows and len({len(row) for row in rows}) == 1 and not any(row[-1] for row in rows):
        rows = [row[:-1] for row in rows]
    return rows
