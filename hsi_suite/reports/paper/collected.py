"""The figures of a document, each to become a file of its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ..document import Block, Document, Figure, Fold, Picture
from .figure import PaperFigure

_CSS_PIXELS = 96  # to the inch


def document_figures(document: Document) -> list[PaperFigure]:
    """Those of its pictures that can be drawn again, named after what they are or their section."""
    found: list[PaperFigure] = []
    names: Counter[str] = Counter()
    for section in document.sections:
        for picture in _pictures(section.blocks):
            if picture.draw is None:
                continue
            name = picture.name or file_words(section.title)
            names[name] += 1
            numbered = name if names[name] == 1 else f"{name}_{names[name]}"
            natural = picture.width / _CSS_PIXELS
            # A map's own words leave to its heading which runs it is of.
            caption = picture.alt if picture.pixels else picture.caption
            found.append(PaperFigure(numbered, caption, picture.draw, natural))
    return found


def file_words(title: str) -> str:
    """A title as the name of a file: "Learning curves" as learning_curves."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_") or "figure"


def _pictures(blocks: Sequence[Block]) -> Iterator[Picture]:
    for block in blocks:
        if isinstance(block, Figure):
            yield from block.pictures
        elif isinstance(block, Fold):
            yield from _pictures(block.blocks)
