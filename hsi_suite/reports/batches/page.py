"""The page of a batch: one file that needs nothing else, with one script of our own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from markupsafe import Markup

from ..page import own_file, render_page
from .answers import answers
from .content import BatchReport
from .document import Section
from .verdict import lead, question, sentence, warnings

_MOST_CARDS = 12


def batch_page(report: BatchReport, sections: Sequence[Section]) -> str:
    """The page as HTML text: readable in light, dark and print, with and without its script.

    Nothing is loaded, and the page's policy lets run no script but the one that sorts tables.

    Args:
        report: what it is made from.
        sections: see `sections.batch_sections`.
    """
    style, script = own_file("batch.css"), own_file("batch.js")
    values = {
        "title": question(report),
        "lead": lead(report),
        "sentence": sentence(report),
        "answers": answers(report)[:_MOST_CARDS],
        "more_answers": max(0, len(answers(report)) - _MOST_CARDS),
        "remarks": warnings(report),
        "sections": sections,
        # Our own files; escaping would break them and their checksums.
        "batch_style": Markup(style),
        "batch_style_digest": _digest(style),
        "script": Markup(script),
        "script_digest": _digest(script),
    }
    return render_page("batch.html", values)


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
