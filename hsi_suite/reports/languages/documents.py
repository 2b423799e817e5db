"""A finished document in the language that is spoken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ..document import (
    Block,
    Card,
    Cards,
    Cell,
    Column,
    Document,
    Figure,
    Fold,
    Listing,
    Paragraph,
    Picture,
    Remark,
    Remarks,
    Section,
    Table,
)
from .catalogue import Catalogue, catalogue
from .figures import has_font
from .speaking import ENGLISH, spoken

#: What a page says where texts of figures stay English.
NO_FONT = (
    "The texts inside the figures are English: this machine has no Chinese font, such as Noto Sans "
    "CJK SC."
)
_SENTENCE = re.compile(r"[A-Za-z]{2,}[,:;]? [A-Za-z(]+")
_LEFT = "{n#} texts have no translation and stand in English."


class Translator:
    """Translates documents and keeps what it could not.

    Args:
        texts: the catalogue to use.

    Attributes:
        left: texts that are not in it, in their order; names and numbers of tables among them.
        prose: those of them that are sentences, captions or titles.
    """

    def __init__(self, texts: Catalogue) -> None:
        self._texts = texts
        self.left: dict[str, None] = {}
        self.prose: dict[str, None] = {}

    def document(self, document: Document) -> Document:
        """The whole of it, with a word on what stays English."""
        sections = [self._section(each) for each in document.sections]
        notes = []
        if not has_font() and any(_has_figure(each.blocks) for each in document.sections):
            notes.append(NO_FONT)
        if self.prose:
            notes.append(_LEFT.replace("{n#}", str(len(self.prose))))
        if notes and sections:
            first = sections[0]
            more = [Paragraph(self._prose(note), "soft") for note in notes]
            sections[0] = Section(first.title, [*first.blocks, *more])
        title, lead = self._prose(document.title), self._joined(document.lead)
        return Document(title, lead, sections)

    def text(self, text: str) -> str:
        """A text, or itself where it is not in the catalogue."""
        found = self._texts.translate(text)
        if found is None:
            self.left[text] = None
            return text
        return found

    def _prose(self, text: str) -> str:
        found = self.text(text)
        # What is no more than a name stays as it is in every language.
        if text in self.left and _SENTENCE.search(text):
            self.prose[text] = None
        return found

    def _joined(self, text: str) -> str:
        return " · ".join(map(self.text, text.split(" · ")))

    def _section(self, section: Section) -> Section:
        return Section(self._prose(section.title), [self._block(each) for each in section.blocks])

    def _block(self, block: Block) -> Block:
        match block:
            case Table():
                return self._table(block)
            case Figure():
                pictures = [self._picture(each) for each in block.pictures]
                return Figure(pictures, [self._table(each) for each in block.tables])
            case Remarks():
                return Remarks([self._remark(each) for each in block.remarks])
            case Cards():
                return Cards([self._card(each) for each in block.cards])
            case Paragraph():
                return Paragraph(self._prose(block.text), block.style)
            case Listing():
                return Listing(self.text(block.caption), block.text)
            case Fold():
                return Fold(self._prose(block.title), [self._block(each) for each in block.blocks])

    def _remark(self, remark: Remark) -> Remark:
        return Remark(self._prose(remark.text), remark.warning)

    def _card(self, card: Card) -> Card:
        return replace(
            card,
            title=self._prose(card.title),
            score=self.text(card.score),
            name=self.text(card.name),
            note=self._prose(card.note),
            text=self._prose(card.text),
            remarks=[self._remark(each) for each in card.remarks],
        )

    def _table(self, table: Table) -> Table:
        rows = [[self._cell(cell) for cell in row] for row in table.cells]
        heads = [self._column(each) for each in table.columns]
        return replace(table, caption=self._prose(table.caption), columns=heads, rows=rows)

    def _column(self, column: Column) -> Column:
        # A page has room for the whole head.
        return replace(column, title=self.text(column.head), short="")

    def _cell(self, cell: Cell) -> Cell:
        # A swatch stands before the name of a class, which is the user's.
        text = cell.text if cell.colour else self.text(cell.text)
        return replace(cell, text=text, note=self.text(cell.note))

    def _picture(self, picture: Picture) -> Picture:
        legend = picture.legend
        if legend is not None:
            legend = (self.text(legend[0]), legend[1])
        alt, caption = self._prose(picture.alt), self._prose(picture.caption)
        return replace(picture, alt=alt, caption=caption, legend=legend)


def in_spoken_language(document: Document) -> Document:
    """The document as it is written at the moment; itself in English."""
    if spoken() == ENGLISH:
        return document
    return Translator(catalogue(spoken())).document(document)


def remarks_in_spoken_language(remarks: Sequence[Remark]) -> list[Remark]:
    """Statements as they are written at the moment."""
    return in_spoken_language(Document("", "", [Section("", [Remarks(remarks)])])).remarks


def _has_figure(blocks: object) -> bool:
    return isinstance(blocks, list | tuple) and any(
        isinstance(each, Figure) or (isinstance(each, Fold) and _has_figure(each.blocks))
        for each in blocks
    )
