"""The report of a batch as Markdown: the same facts, figures as the tables behind them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..verdict import Remark
from .content import BatchReport
from .document import (
    Atlas,
    Block,
    Cell,
    Chart,
    Fold,
    Listing,
    Paragraph,
    Section,
    Table,
    Words,
)
from .verdict import batch_verdict, lead, question

_MARKS = re.compile(r"([\\`*_\[\]|~#$!@])")
# What begins a list, a rule or a heading when a line starts with it.
_OPENING = re.compile(r"^(\d{0,9})([.)](?=\s|$)|[-+=](?!\d))")
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|www)([:.])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def markdown_report(report: BatchReport, sections: Sequence[Section]) -> str:
    """The whole report.

    Args:
        report: what it is made from.
        sections: see `sections.batch_sections`.
    """
    parts = [f"# {escaped(question(report))}", escaped(lead(report))]
    parts.append(_remarks(batch_verdict(report)))
    for section in sections:
        parts.append(f"## {escaped(section.title)}")
        parts += [_block(block, 3) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Text that stays text: neither Markdown nor HTML nor a viewer's search for links acts on it.

    Args:
        text: on one line.
    """
    text = _MARKS.sub(r"\\\1", text)
    for character, entity in _HTML.items():
        text = text.replace(character, entity)
    text = _OPENING.sub(r"\1\\\2", text)
    return _ADDRESS.sub(r"\1\\\2", text)


def _remarks(remarks: Sequence[Remark]) -> str:
    return "\n".join(
        f"- {'**Note:** ' if remark.warning else ''}{escaped(remark.text)}" for remark in remarks
    )


def _block(block: Block, level: int) -> str:
    match block:
        case Table():
            return _table(block)
        case Chart():
            return _captioned(block.picture.caption, block.tables)
        case Atlas():
            return _captioned(" ".join(one.caption for one in block.pictures), block.tables)
        case Words():
            return _remarks(block.remarks)
        case Paragraph():
            return escaped(block.text)
        case Listing():
            return f"{escaped(block.caption)}\n\n{_fenced(block.text)}"
        case Fold():
            inner = [_block(part, level + 1) for part in block.blocks]
            return "\n\n".join([f"{'#' * min(level, 6)} {escaped(block.title)}", *inner])


def _captioned(caption: str, tables: Sequence[Table]) -> str:
    return "\n\n".join([escaped(caption), *map(_table, tables)])


def _fenced(text: str) -> str:
    """Text letter by letter, in a fence longer than any inside it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _cell(cell: Cell) -> str:
    return escaped(f"{cell.text} ({cell.note})" if cell.note else cell.text)


def _table(table: Table) -> str:
    heads = " | ".join(escaped(column.title) for column in table.columns)
    rules = " | ".join("---:" if column.number else "---" for column in table.columns)
    rows = [" | ".join(map(_cell, row)) for row in table.rows]
    lines = "\n".join(f"| {line} |" for line in [heads, rules, *rows])
    return f"{escaped(table.caption)}\n\n{lines}" if table.caption else lines
