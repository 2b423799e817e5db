"""A table of the terminal that never cuts a number, however narrow the terminal is."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

# Characters of a name below which a table is written row by row instead.
_SHORTEST_NAME = 10


class FittingTable(Table):
    """Columns to the right are numbers: they keep their width, and the names beside them give way.

    Where not even that is room enough each row becomes a paragraph: its name, then every number
    after the head of its column.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the table, or its rows as paragraphs."""
        numbers = [column for column in self.columns if column.justify == "right"]
        names = [column for column in self.columns if column.justify != "right"]
        if numbers and names:
            for column in self.columns:
                # Swatches and the like are as little to be cut as numbers.
                column.min_width = _needed(column) if column.no_wrap else column.min_width
            for column in numbers:
                column.min_width = _needed(column)
            widest = max(names, key=_natural)
            natural = _natural(widest)
            widest.width, widest.min_width, widest.max_width = natural, None, None
            room = natural - max(0, self._lacking(console, options))
            if room < min(natural, _SHORTEST_NAME):
                yield from self._paragraphs()
                return
            widest.width = room
        yield from super().__rich_console__(console, options)

    def _lacking(self, console: Console, options: ConsoleOptions) -> int:
        """Characters by which the table is wider than the terminal."""
        free = options.update(max_width=10_000)
        return Measurement.get(console, free, self).maximum - options.max_width

    def _paragraphs(self) -> Iterator[Text]:
        if self.title:
            yield Text(str(self.title), style="bold")
        for row in zip(*(map(str, column.cells) for column in self.columns), strict=True):
            cells = list(zip(self.columns, row, strict=True))
            yield Text(" ".join(cell for column, cell in cells if column.justify != "right"))
            for column, cell in cells:
                if column.justify == "right" and cell:
                    yield Text(f"  {column.header}: {cell}")
        if self.caption:
            yield Text(str(self.caption), style="dim")


def _natural(column: Column) -> int:
    widths = [len(str(cell)) for cell in (column.header, *column.cells)]
    return min(max(*widths, column.min_width or 0), column.max_width or 10_000)


def _needed(column: Column) -> int:
    """The width in which no number and no word of the head is broken."""
    heads = [str(column.header)] if column.no_wrap else str(column.header).split()
    return max(len(text) for text in (*heads, *map(str, column.cells), ""))
