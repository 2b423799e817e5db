"""Objects that tell of themselves: as lines of text, and as a table in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .printable import safe_line

Rows = Sequence[tuple[str, str]]
_WIDEST = 48


class Shown:
    """What says in a few rows what it is; `repr` and notebooks show these.

    Subclasses that are data classes turn their own repr off.
    """

    def shown(self) -> tuple[str, Rows]:
        """A title, and rows of what and value."""
        raise NotImplementedError

    def __repr__(self) -> str:
        title, rows = self.shown()
        width = min(_WIDEST, max((len(name) for name, _ in rows), default=0))
        lines = [
            f"  {safe_line(name):{width}}  {safe_line(value)}".rstrip() for name, value in rows
        ]
        return "\n".join([safe_line(title), *lines])

    def _repr_html_(self) -> str:
        title, rows = self.shown()
        cells = "".join(
            f"<tr><th style='text-align:left'>{escape(safe_line(name))}</th>"
            f"<td style='text-align:left'>{escape(safe_line(value))}</td></tr>"
            for name, value in rows
        )
        return f"<div><b>{escape(safe_line(title))}</b><table>{cells}</table></div>"
