"""Which bands of a scene a run was made of."""

from __future__ import annotations

from ..printable import plain
from .content import Metrics
from .document import Column, Section, Table, Value


def bands_section(metrics: Metrics) -> list[Section]:
    """The bands of the scene's file that were left out, and why; nothing where all were used."""
    bands = metrics.get("bands")
    if not bands:
        return []
    rows: list[list[Value]] = [
        [plain(each["reason"]), each["bands"], plain(each["places"])] for each in bands["left_out"]
    ]
    heads = [Column("left out", number=False), Column("bands"), Column("which", number=False)]
    caption = f"{bands['used']} of {bands['of']} bands were used. Numbers count from 1."
    return [Section("Bands", [Table(caption, heads, rows)])]
