"""Blocks of a document in a terminal of any width; plain text where the output is no terminal."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from ..printable import plain, safe_line
from .document import (
    Block,
    Cards,
    Cell,
    Figure,
    Fold,
    Listing,
    Paragraph,
    Remark,
    Remarks,
    Table,
)

_STYLES = {"own": "bold", "other": "dim", "group": "italic"}
_PARAGRAPHS = {"sentence": "bold", "soft": "dim"}
# Characters of a name below which a table is written row by row instead.
_SHORTEST_NAME = 10
_WIDEST_WORDS = 78
_BETWEEN = 3  # characters from column to column


def print_blocks(blocks: Iterable[Block], width_of_files: int = 80) -> None:
    """Write blocks on standard output.

    Args:
        blocks: what to write.
        width_of_files: characters of a line where the output is no terminal.
    """
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = width_of_files
    console.print(terminal(blocks))


def terminal(blocks: Iterable[Block]) -> Group:
    """Blocks one below the other. Whatever names hold, they are shown as text."""
    return Group(*(part for block in blocks for part in _block(block)))


def _block(block: Block) -> Iterator[RenderableType]:
    match block:
        case Table():
            yield Padding(_Fitting(block), (0, 0, 1, 1), expand=False)
        case Figure():
            yield from _block(Paragraph(" ".join(each.caption for each in block.pictures)))
            yield from (part for table in block.tables for part in _block(table))
        case Remarks():
            yield _remarks(block.remarks)
        case Cards():
            yield _remarks([remark for card in block.cards for remark in card.as_remarks()])
        case Paragraph():
            yield _narrow(Text(plain(block.text), style=_PARAGRAPHS.get(block.style, "")))
        case Listing():
            lines = [f" {safe_line(line)}" for line in [block.caption, *block.text.split("\n")]]
            yield Text("\n".join(lines if block.caption else lines[1:]))
        case Fold():
            yield _narrow(Text(plain(block.title), style="bold"))
            yield from (part for inner in block.blocks for part in _block(inner))


def _narrow(text: Text) -> Padding:
    grid = RichTable.grid()
    grid.add_column(max_width=_WIDEST_WORDS, overflow="fold")
    grid.add_row(text)
    return Padding(grid, (0, 0, 0, 1), expand=False)


def _remarks(remarks: Sequence[Remark]) -> Padding:
    grid = RichTable.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(max_width=_WIDEST_WORDS - 2, overflow="fold")
    for remark in remarks:
        mark = Text("!", style="bold red") if remark.warning else Text("·", style="dim")
        grid.add_row(mark, Text(plain(remark.text)))
    return Padding(grid, (0, 0, 0, 1), expand=False)


class _Fitting:
    """A table that never cuts a number, however narrow the terminal is.

    Where its columns have no room the heads of numbers are broken into lines, then the longest
    names; where not even that is enough each row becomes a paragraph: its name, then every number
    after the head of its column.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.heads = [plain(column.short_head) for column in table.columns]
        self.rows = [
            [_text(cell, table.row_style(k), first=not n) for n, cell in enumerate(row)]
            for k, row in enumerate(table.cells)
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the table, or its rows as paragraphs."""
        if self.table.caption:
            yield Text(plain(self.table.caption), style="bold")
        widths = self._widths(options.max_width)
        if widths is None:
            yield from self._paragraphs()
            return
        pairs = self.table.style == "pairs"
        drawn = RichTable(
            box=box.SIMPLE if pairs else box.SIMPLE_HEAD,
            show_header=not pairs,
            header_style="dim",
            padding=(0, 1),
            pad_edge=False,
            show_edge=False,
        )
        for column, head, width in zip(self.table.columns, self.heads, widths, strict=True):
            side: Literal["left", "right"] = "right" if column.number else "left"
            drawn.add_column(Text(head), justify=side, width=width, overflow="fold")
        for number, row in enumerate(self.rows):
            cells = [*row, *[Text()] * (len(widths) - len(row))]
            drawn.add_row(*cells, style=self._style(number), end_section=self._ends(number))
        yield drawn

    def _style(self, number: int) -> str:
        return _STYLES.get(self.table.row_style(number), "")

    def _ends(self, number: int) -> bool:
        """Whether a row is the last of what belongs together."""
        styles = self.table.styles
        if number + 1 >= len(styles):
            return False
        return styles[number + 1] != styles[number] and styles[number + 1] in ("model", "other")

    def _widths(self, room: int) -> list[int] | None:
        """Characters of each column; None where the numbers and a short name have no room."""
        columns = self.table.columns
        inner = [_widest(row[n] for row in self.rows if n < len(row)) for n in range(len(columns))]
        widths = [max(cell_len(head), width) for head, width in zip(self.heads, inner, strict=True)]
        room -= _BETWEEN * (len(columns) - 1)
        for n, column in enumerate(columns):
            if sum(widths) > room and column.number:
                widths[n] = max(inner[n], *map(cell_len, self.heads[n].split()), 1)
        names = [n for n, column in enumerate(columns) if not column.number]
        words = [_longest_word(row[n] for row in self.rows if n < len(row)) for n in names]
        # Sentences are broken between words before any name is broken inside.
        if not _give_way(widths, dict(zip(names, words, strict=True)), room):
            _give_way(widths, dict.fromkeys(names, 0), room)
        return widths if sum(widths) <= room else None

    def _paragraphs(self) -> Iterator[Text]:
        for row in self.rows:
            cells = list(zip(self.table.columns, self.heads, row, strict=False))
            yield Text(" ").join(text for column, _, text in cells if not column.number)
            for column, head, text in cells:
                if column.number and text.plain:
                    yield Text(f"  {head}: ").append_text(text)


def _give_way(widths: list[int], least: dict[int, int], room: int) -> bool:
    """Make columns narrower, the widest first, until all have room; whether they have.

    Args:
        widths: characters of each column; changed.
        least: of the columns that may give way how far; none falls below `_SHORTEST_NAME`.
        room: characters for all.
    """
    least = {n: max(few, _SHORTEST_NAME) for n, few in least.items()}
    while (lacking := sum(widths) - room) > 0:
        wide = [n for n, few in least.items() if widths[n] > few]
        if not wide:
            return False
        widest = max(wide, key=lambda n: widths[n])
        next_one = max((widths[n] for n in wide if widths[n] < widths[widest]), default=0)
        floor = max(least[widest], min(next_one, widths[widest] - 1))
        widths[widest] -= max(1, min(lacking, widths[widest] - floor))
    return True


def _text(cell: Cell, style: str, *, first: bool) -> Text:
    # Text, not str: names are not markup.
    text = Text("  " if first and style == "baseline" else "")
    if cell.colour:
        text.append("■ ", style=cell.colour)
    text.append(plain(cell.text), style="bold" if cell.style == "strong" else None)
    if cell.note:
        text.append(f"\n{plain(cell.note)}", style="dim")
    return text


def _longest_word(texts: Iterable[Text]) -> int:
    return max((cell_len(word) for text in texts for word in text.plain.split()), default=0)


def _widest(texts: Iterable[Text]) -> int:
    return max((cell_len(line) for text in texts for line in text.plain.split("\n")), default=0)
