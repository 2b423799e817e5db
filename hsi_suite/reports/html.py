"""A document as a page: one file that needs nothing else and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..printable import safe_line
from .document import Block, Document, Figure, Fold, Table
from .languages.catalogue import said
from .languages.documents import in_spoken_language
from .languages.speaking import spoken


def html_page(document: Document) -> str:
    """The page as HTML text: nothing loaded, readable in light, dark and print.

    Whatever names and texts hold, they are shown as text: the template escapes them, and the
    page's security policy allows nothing but its own style, its embedded images and, where tables
    can be sorted, the one script that does so.
    """
    document = in_spoken_language(document)
    blocks = (block for section in document.sections for block in section.blocks)
    style, script = _own_file("page.css"), _sorting() if _sortable(blocks) else ""
    page = _templates().get_template("page.html")
    # Our own files; escaping would break them and their checksums.
    return page.render(
        document=document,
        language=spoken(),
        said=said,
        style=Markup(style),
        style_digest=_digest(style),
        script=Markup(script),
        script_digest=_digest(script),
    )


@cache
def _templates() -> Environment:
    # Kept: the template is compiled once, and not for every page.
    templates = Environment(
        loader=PackageLoader(__package__ or "hsi_suite.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["form"] = lambda block: type(block).__name__
    return templates


def _sortable(blocks: Iterable[Block]) -> bool:
    for block in blocks:
        match block:
            case Table(sortable=True):
                return True
            case Figure():
                inner: Iterable[Block] = block.tables
            case Fold():
                inner = block.blocks
            case _:
                continue
        if _sortable(inner):
            return True
    return False


def _sorting() -> str:
    script = _own_file("sorting.js")
    for words in ("sort by this column", "name"):
        script = script.replace(json.dumps(words), json.dumps(said(words)))
    return script


def _own_file(name: str) -> str:
    return (resources.files(__package__) / "templates" / name).read_text("utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _shown(value: Any) -> Any:
    """What a template puts in: texts of users without codes, line by line; our own as it is."""
    if type(value) is not str:
        return value
    # A deviation keeps its sign where a line breaks.
    return "\n".join(map(safe_line, value.split("\n"))).replace(" ± ", " ±\N{NO-BREAK SPACE}")
