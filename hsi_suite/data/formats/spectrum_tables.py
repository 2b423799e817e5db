"""Spectra as text: tables with a column of wavelengths, whatever separates the columns."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ...user_files import read_bytes

_WHAT = "a text table: a column of wavelengths and one of values"
_LARGEST_FILE = 2**26
_COMMENTS = ("#", "!", "%", "//")
_MISSING = {"", "nan", "na", "n/a", "null", "none", "-", "--", "1.#qnan", "-1.#ind", "#n/a"}
# No spectrometer measures beyond these wavelengths, whatever the unit of a column is.
_POSSIBLE_NM = (100.0, 50_000.0)
_WAVELENGTH = re.compile(r"wave|wvl|\bwl\b|lambda|λ|(?<![a-z])nm(?![a-z])|[µμ]m|micromet")


@dataclass(frozen=True)
class SpectrumTable:
    """Spectra over common wavelengths, as a file gives them.

    Attributes:
        path: the file.
        format: its format in words.
        wavelengths: in the file's unit and order; all finite and positive.
        names: one for each spectrum.
        values: spectra × wavelengths; NaN where missing.
        wavelength_words: what the file says that may name the unit of the wavelengths; the most
            telling text first.
        value_words: the same for each spectrum's values.
        scale_factor: what the values are to be divided by for reflectance, where the file says.
        aliases: further names by which a spectrum may be asked for, and its place.
        remarks: what a user should know of how the file was read, a short line each.
    """

    path: Path
    format: str
    wavelengths: NDArray[np.float64]
    names: tuple[str, ...]
    values: NDArray[np.float64]
    wavelength_words: tuple[str, ...]
    value_words: tuple[tuple[str, ...], ...]
    scale_factor: float | None = None
    aliases: Mapping[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def read_spectrum_table(path: Path) -> SpectrumTable:
    """The spectra in a text file: CSV of any kind, or columns as spectrometers export them.

    Columns are separated by tabs, semicolons, commas or spaces; a decimal comma is understood
    where commas do not separate. Text above the numbers and comment lines (#, !, %, //) are
    looked through for units alone.

    Raises:
        InputFileError: the file is no text, or holds no table with a column of wavelengths.
    """
    lines = _text_lines(path)
    table = max(
        (_Table.find(lines, separator) for separator in ("\t", ";", ",", None)),
        key=lambda found: found.rows,
    )
    if table.rows < 2:
        raise InputFileError(path, f"holds {table.rows} rows of two numbers or more", _WHAT)
    at = table.wavelength_column()
    if at is None:
        raise InputFileError(
            path,
            "no column of its table rises or falls steadily through possible wavelengths",
            _WHAT,
            "name that column in a header line: wavelength_nm or wavelength_um",
        )
    wavelengths = table.columns[at]
    known = np.isfinite(wavelengths) & (wavelengths > 0)
    others = table.value_columns(at)
    header = table.header
    return SpectrumTable(
        path,
        "text",
        wavelengths[known],
        tuple(header[column] or f"column {column + 1}" for column in others),
        table.columns[others][:, known],
        (header[at], *table.above),
        tuple((header[column], *table.above) for column in others),
    )


def _text_lines(path: Path) -> list[str]:
    content = read_bytes(path, _WHAT, "check the path", largest=_LARGEST_FILE)
    if not content:
        raise InputFileError(path, "is empty", _WHAT)
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = content.decode("utf-16")
        else:
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if "\0" in text:
        raise InputFileError(
            path, "is a binary file", _WHAT, "export the spectrum as text from its own software"
        )
    return text.splitlines()


@dataclass(frozen=True)
class _Table:
    """The numbers of a text file when its columns are separated in one way.

    Attributes:
        columns: columns × rows.
        header: a name for each column, "" where there is none.
        above: the text that stands above the numbers and in comments.
    """

    columns: NDArray[np.float64]
    header: tuple[str, ...]
    above: tuple[str, ...]

    @property
    def rows(self) -> int:
        return int(self.columns.shape[1])

    @classmethod
    def find(cls, lines: Sequence[str], separator: str | None) -> _Table:
        """The rows of numbers with the most frequent number of columns."""
        rows: list[list[float]] = []
        widths: list[int] = []
        above: list[str] = []
        last_text = ""
        for line in map(str.strip, lines):
            comment = line.startswith(_COMMENTS)
            row = None if comment or not line else _numbers(_split(line, separator), separator)
            if row is not None:
                rows.append(row)
                widths.append(len(row))
            elif line:
                above.append(line)
                last_text = last_text if rows else line
        width = max(set(widths), key=widths.count, default=0)
        kept = [row for row in rows if len(row) == width]
        names = [name.strip("\"' ") for name in _split(last_text.lstrip("#!%/ "), separator)]
        header = tuple(names) if len(names) == width else ("",) * width
        columns = np.array(kept, dtype=np.float64).reshape(len(kept), width).T
        return cls(columns, header, tuple(above[:50]))

    def wavelength_column(self) -> int | None:
        """The column that its name calls wavelengths, or the first one that may be such."""
        for at, name in enumerate(self.header):
            if _WAVELENGTH.search(name.lower()) and (self.columns[at] > 0).sum() >= 2:
                return at
        for at, column in enumerate(self.columns):
            steps = np.diff(column)
            if not ((steps > 0).all() or (steps < 0).all()) or column.min() <= 0:
                continue
            factor = 1e3 if column.max() <= 100 else 1.0
            low, high = column.min() * factor, column.max() * factor
            if _POSSIBLE_NM[0] <= low and high <= _POSSIBLE_NM[1] and len(self.columns) > 1:
                return at
        return None

    def value_columns(self, wavelengths: int) -> list[int]:
        """The other columns, without row numbers where there is more than those."""
        others = [at for at in range(len(self.columns)) if at != wavelengths]
        counted = np.arange(self.rows)
        kept = [
            at
            for at in others
            if not any(np.array_equal(self.columns[at], counted + first) for first in (0, 1))
        ]
        return kept or others


def _split(line: str, separator: str | None) -> list[str]:
    cells = [cell.strip() for cell in line.split(separator)]
    while cells and separator is not None and not cells[-1]:
        cells.pop()
    return cells


def _numbers(cells: Sequence[str], separator: str | None) -> list[float] | None:
    """The cells as numbers, NaN where missing; None when they are no row of a table."""
    row: list[float] = []
    for cell in cells:
        text = cell.strip("\"'")
        if separator != "," and "," in text and "." not in text:
            text = text.replace(",", ".")
        if text.lower() in _MISSING:
            row.append(math.nan)
            continue
        try:
            row.append(float(text))
        except ValueError:
            return None
    found = sum(map(math.isfinite, row))
    return row if len(row) >= 2 and found else None
