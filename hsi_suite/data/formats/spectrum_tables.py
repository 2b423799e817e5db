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
# Numbers up to this are taken for µm.
_LARGEST_UM = 100.0
# Where detectors overlap, few of the steps between wavelengths go back.
_STEPS_FOR_ONE_BACK = 20
_NAME_IT = "name that column in a header line: wavelength_nm or wavelength_um"
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
        unnamed: which of these says why spectra have numbers for names.
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
    unnamed: str = ""


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
    at = table.wavelength_column(path)
    if at is None:
        raise InputFileError(
            path,
            "no column of its table rises or falls steadily through possible wavelengths",
            _WHAT,
            _NAME_IT,
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

    def wavelength_column(self, path: Path) -> int | None:
        """The column that its name calls wavelengths, or the first one that may be such.

        Wavelengths may stand there twice, or go back a little where spectrometers overlap.

        Raises:
            InputFileError: by their numbers two columns may be such.
        """
        for at, name in enumerate(self.header):
            if _WAVELENGTH.search(name.lower()) and (self.columns[at] > 0).sum() >= 2:
                return at
        steady = {at: _steady(column) for at, column in enumerate(self.columns)}
        found = [at for at, strictly in steady.items() if strictly is not None]
        found = [at for at in found if not self._counts_rows(at)] or found
        if not found or len(self.columns) < 2:
            return None
        first = found[0]
        for other in found[1:]:
            # Reflectance from 0 to 1 could be wavelengths in µm, but not in nm.
            nanometres = [self.columns[at].max() > _LARGEST_UM for at in (first, other)]
            sure = nanometres != [False, True] if steady[first] else nanometres == [True, False]
            if steady[first] != steady[other] and not sure:
                raise InputFileError(
                    path,
                    f"its columns {first + 1} and {other + 1} may both be the wavelengths, and one "
                    "of them repeats values",
                    _WHAT,
                    _NAME_IT,
                )
        return first

    def value_columns(self, wavelengths: int) -> list[int]:
        """The other columns, without row numbers where there is more than those."""
        others = [at for at in range(len(self.columns)) if at != wavelengths]
        kept = [at for at in others if not self._counts_rows(at)]
        return kept or others

    def _counts_rows(self, at: int) -> bool:
        counted = np.arange(self.rows)
        return any(np.array_equal(self.columns[at], counted + first) for first in (0, 1))


def _steady(column: NDArray[np.float64]) -> bool | None:
    """Whether a column rises or falls at each step; None: it cannot be wavelengths."""
    if not column.min() > 0:
        return None
    factor = 1e3 if column.max() <= _LARGEST_UM else 1.0
    if column.min() * factor < _POSSIBLE_NM[0] or column.max() * factor > _POSSIBLE_NM[1]:
        return None
    steps = np.diff(column)
    up, down = int((steps > 0).sum()), int((steps < 0).sum())
    if len(steps) in (up, down):
        return True
    back = min(up, down)
    few = _STEPS_FOR_ONE_BACK * back <= len(column) <= 2 * max(up, down) + 2
    return False if few else None


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
