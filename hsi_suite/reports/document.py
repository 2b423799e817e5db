"""What every report is made of, the same for a page, the terminal, Markdown and LaTeX.

Content is put together from these blocks and knows none of the forms; `html`, `terminal`,
`markdown` and `latex` each write all of them and know no content. Texts are taken as they are:
whatever they hold, a renderer writes it as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..metrics.measure import Measure
from ..printable import UNDEFINED


@dataclass(frozen=True)
class Remark:
    """One statement of a verdict.

    Attributes:
        text: whole sentences.
        warning: True where the reader would be misled without it.
    """

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: what it shows.
        order: what a sorted column goes by; None for its text.
        note: what stands below it, smaller.
        style: "strong", or a shade of "heat1" to "heat9".
        colour: "#rrggbb" of a swatch before the text; empty for none.
    """

    text: str
    order: float | None = None
    note: str = ""
    style: str = ""
    colour: str = ""


Value = Cell | str | float | None
"""What stands in a row: a cell or text as it is, or a value that its column writes."""


@dataclass(frozen=True)
class Column:
    """The head of a column, and how the values below it are written.

    Attributes:
        title: its head; empty for that of the measure.
        number: whether it holds numbers, which stand to the right and are never broken.
        measure: what its values are: they are written in its digits, never rounded to its ceiling.
        short: its head where room is scarce; empty for the title.
        hint: what the head stands for, where it is an abbreviation.
    """

    title: str = ""
    number: bool = True
    measure: Measure | None = None
    short: str = ""
    hint: str = ""

    @property
    def head(self) -> str:
        """What stands above it."""
        return self.measure.heading if self.measure and not self.title else self.title

    @property
    def short_head(self) -> str:
        """The same where room is scarce."""
        if self.short or not self.measure or self.title:
            return self.short or self.title
        return self.measure.short_heading

    def cell(self, value: Value) -> Cell:
        """A value of this column as it is written; a dash where it is undefined."""
        if isinstance(value, Cell):
            return value
        if isinstance(value, str):
            return Cell(value)
        if self.measure is not None:
            return Cell(self.measure.text(value), value)
        if value is None:
            return Cell(UNDEFINED)
        return Cell(f"{value:,}" if isinstance(value, int) else f"{value:.4g}", value)


@dataclass(frozen=True)
class Table:
    """A table with its caption; the first cell of each row names it.

    Attributes:
        styles: of each row: "own" for what a report is about, "model" and below it "baseline",
            "other" for what is less important, "group" for one cell over the whole width that
            names the rows below; empty for none at all.
        style: "pairs" of what and value, without heads; "classes" with long names; "dense";
            "published", whose names of methods stay whole;
            "dense matrix" for a square of classes.
        sortable: whether a reader may order it by its columns.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    styles: Sequence[str] = ()
    style: str = ""
    sortable: bool = False

    @property
    def cells(self) -> list[list[Cell]]:
        """The rows as they are written."""
        return [
            [column.cell(value) for column, value in zip(self.columns, row, strict=False)]
            for row in self.rows
        ]

    def row_style(self, number: int) -> str:
        """The style of a row, counted from 0."""
        return self.styles[number] if self.styles else ""


@dataclass(frozen=True)
class Picture:
    """An image of a page.

    Attributes:
        light: its data URI.
        dark: that for dark pages.
        width: in CSS pixels.
        height: in CSS pixels.
        alt: what it shows, for who cannot see it.
        caption: what stands below it.
        pixels: whether it is drawn pixel by pixel, as a map is.
        legend: its title and (colour, name) pairs; None where it needs none.
        name: of its file, where it becomes one of its own; empty for that of its section.
        draw: makes it for such a file, see `paper.figure.Draw`; None for what is in others.
    """

    light: str
    dark: str
    width: int
    height: int
    alt: str
    caption: str
    pixels: bool = False
    legend: tuple[str, Sequence[tuple[str, str]]] | None = None
    name: str = ""
    draw: Callable[[float], Any] | None = None


@dataclass(frozen=True)
class Figure:
    """Pictures, side by side where there are several, and the numbers they are drawn from."""

    pictures: Sequence[Picture]
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class Remarks:
    """Statements, warnings marked."""

    remarks: Sequence[Remark]


@dataclass(frozen=True)
class Card:
    """An answer at the head of a report.

    Attributes:
        title: what it is about.
        score: the number that answers, with its unit.
        name: what has it.
        note: what kind of number it is and how far it spreads.
        text: how it stands to others; empty for nothing.
        remarks: what it has to be read with.
        significant: whether its lead over all others is significant.
    """

    title: str
    score: str
    name: str
    note: str
    text: str
    remarks: Sequence[Remark]
    significant: bool

    def as_remarks(self) -> list[Remark]:
        """The same in sentences."""
        text = f"{self.title}: {self.name}, {self.score} ({self.note}). {self.text}".strip()
        beside = [Remark(f"{self.title}: {each.text}", each.warning) for each in self.remarks]
        return [Remark(text), *beside]


@dataclass(frozen=True)
class Cards:
    """Answers side by side."""

    cards: Sequence[Card]


@dataclass(frozen=True)
class Paragraph:
    """Running text.

    Attributes:
        style: "sentence" for the one that says it all, "soft" for what is by the way.
    """

    text: str
    style: str = ""


@dataclass(frozen=True)
class Listing:
    """Commands or a file, letter by letter."""

    caption: str
    text: str


@dataclass(frozen=True)
class Fold:
    """What most readers will not miss, behind its title."""

    title: str
    blocks: Sequence[Block]


Block = Table | Figure | Remarks | Cards | Paragraph | Listing | Fold


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it; without a title it is the head of the document."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """A whole report: its title, one line below it, and sections."""

    title: str
    lead: str
    sections: Sequence[Section]

    @property
    def remarks(self) -> list[Remark]:
        """What it says first."""
        blocks = [block for section in self.sections[:1] for block in section.blocks]
        return [each for block in blocks if isinstance(block, Remarks) for each in block.remarks]


def columns(first: str, *numbers: str) -> tuple[Column, ...]:
    """A column of names and columns of numbers."""
    return (Column(first, number=False), *(Column(title) for title in numbers))


def pairs(caption: str, rows: Iterable[tuple[str, str]]) -> Table:
    """A table of what and value."""
    heads = (Column("", number=False), Column("", number=False))
    return Table(caption, heads, list(rows), style="pairs")
