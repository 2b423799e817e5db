"""What the report of a batch is made of, the same for every form it is written in.

Page and Markdown are two renderings of one list of sections: neither can say what the other does
not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..page import Picture
from ..verdict import Remark


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: what it shows.
        note: what stands below it, smaller.
        order: what a sorted column goes by; None for its text.
        style: classes of the page's own style sheet.
        colour: "#rrggbb" of a swatch before the text; empty for none.
    """

    text: str
    order: float | None = None
    note: str = ""
    style: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Column:
    """The head of a column; numbers stand to the right."""

    title: str
    number: bool = True


@dataclass(frozen=True)
class Table:
    """A table with its caption; the first cell of each row names it.

    Attributes:
        styles: class of each row, in their order; empty for none at all.
        sortable: whether a reader may order it by its columns.
    """

    form: ClassVar[str] = "table"
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    styles: Sequence[str] = ()
    style: str = ""
    sortable: bool = False


@dataclass(frozen=True)
class Chart:
    """A figure and the numbers it is drawn from."""

    form: ClassVar[str] = "chart"
    picture: Picture
    tables: Sequence[Table]


@dataclass(frozen=True)
class Atlas:
    """Maps of one scene side by side, their legends and the numbers they are drawn from.

    Attributes:
        legends: title and (colour, name) pairs of each.
    """

    form: ClassVar[str] = "atlas"
    pictures: Sequence[Picture]
    legends: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    tables: Sequence[Table]


@dataclass(frozen=True)
class Words:
    """Statements, warnings marked."""

    form: ClassVar[str] = "words"
    remarks: Sequence[Remark]


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    form: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True)
class Listing:
    """Commands or a file, letter by letter."""

    form: ClassVar[str] = "listing"
    caption: str
    text: str


@dataclass(frozen=True)
class Fold:
    """What most readers will not miss, behind its title."""

    form: ClassVar[str] = "fold"
    title: str
    blocks: Sequence[Block]


Block = Table | Chart | Atlas | Words | Paragraph | Listing | Fold


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: Sequence[Block]


def columns(first: str, *numbers: str) -> tuple[Column, ...]:
    """A column of names and columns of numbers."""
    return (Column(first, number=False), *(Column(title) for title in numbers))


def pairs(caption: str, rows: Iterable[tuple[str, str]]) -> Table:
    """A table of what and value."""
    heads = (Column("", number=False), Column("", number=False))
    return Table(caption, heads, [(Cell(name), Cell(value)) for name, value in rows], style="pairs")
