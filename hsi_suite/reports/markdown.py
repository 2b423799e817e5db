"""A document as Markdown: the same facts, figures as the tables behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..printable import plain, safe_line
from .document import (
    Block,
    Cards,
    Cell,
    Document,
    Figure,
    Fold,
    Listing,
    Paragraph,
    Remark,
    Remarks,
    Table,
)
from .languages.catalogue import said
from .languages.documents import in_spoken_language

_MARKS = re.compile(r"([\\`*_\[\]|~#$!@])")
# What begins a list, a rule or a heading when a line starts with it.
_OPENING = re.compile(r"^(\d{0,9})([.)](?=\s|$)|[-+=](?!\d))")
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|www)([:.])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def markdown(document: Document) -> str:
    """The whole report."""
    document = in_spoken_language(document)
    parts = [f"# {escaped(document.title)}", escaped(document.lead)]
    for section in document.sections:
        parts += [f"## {escaped(section.title)}"] if section.title else []
        parts += [_block(block, 3) for block in section.blocks]
    return "\n\n".join(filter(None, parts)) + "\n"


def escaped(text: str) -> str:
    """Text on one line that stays text: neither Markdown nor HTML nor a search for links acts."""
    text = _MARKS.sub(r"\\\1", plain(text))
    for character, entity in _HTML.items():
        text = text.replace(character, entity)
    text = _OPENING.sub(r"\1\\\2", text)
    return _ADDRESS.sub(r"\1\\\2", text)


def _block(block: Block, level: int) -> str:
    match block:
        case Table():
            return _table(block)
        case Figure():
            caption = escaped(" ".join(each.caption for each in block.pictures))
            return "\n\n".join([caption, *map(_table, block.tables)])
        case Remarks():
            return _remarks(block.remarks)
        case Cards():
            return _remarks([remark for card in block.cards for remark in card.as_remarks()])
        case Paragraph():
            text = escaped(block.text)
            return f"**{text}**" if block.style == "sentence" else text
        case Listing():
            caption = f"{escaped(block.caption)}\n\n" if block.caption else ""
            return caption + _fenced(block.text)
        case Fold():
            inner = [_block(part, level + 1) for part in block.blocks]
            return "\n\n".join([f"{'#' * min(level, 6)} {escaped(block.title)}", *inner])


def _remarks(remarks: Sequence[Remark]) -> str:
    note = f"**{said('Note:')}** "
    return "\n".join(
        f"- {note if remark.warning else ''}{escaped(remark.text)}" for remark in remarks
    )


def _fenced(text: str) -> str:
    """Text letter by letter, in a fence longer than any inside it."""
    text = "\n".join(map(safe_line, text.split("\n")))
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _cell(cell: Cell) -> str:
    text = escaped(f"{cell.text} ({cell.note})" if cell.note else cell.text)
    return f"**{text}**" if cell.style == "strong" and text else text


def _lines(table: Table) -> Iterator[str]:
    yield " | ".join(escaped(column.head) for column in table.columns)
    yield " | ".join("---:" if column.number else "---" for column in table.columns)
    for row in table.cells:
        yield " | ".join([*map(_cell, row), *[""] * (len(table.columns) - len(row))])


def _table(table: Table) -> str:
    lines = "\n".join(f"| {line} |" for line in _lines(table))
    return f"{escaped(table.caption)}\n\n{lines}" if table.caption else lines
