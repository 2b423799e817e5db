"""The areas of a map's classes, made once for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..palette import class_colours
from ..printable import UNDEFINED, plain
from .content import hex_colour, percent
from .document import Block, Cell, Column, Remark, Remarks, Table, Value

# Units of areas: from how many m² on, m² in one, name.
_UNITS = ((1e8, 1e6, "km²"), (1e5, 1e4, "ha"), (0.0, 1.0, "m²"))
_HALF = 1.96
_MOST = 60


def areas_blocks(areas: Mapping[str, Any]) -> list[Block]:
    """A table and what must be known to read it.

    Args:
        areas: the content of areas.json.
    """
    return [areas_table(areas), Remarks([Remark(text) for text in areas["remarks"]])]


def areas_table(areas: Mapping[str, Any]) -> Table:
    """Mapped and adjusted area, user's and producer's accuracy of each class."""
    scale, unit = _unit(areas)
    rows = areas["classes"]
    palette = class_colours(max((row["label"] for row in rows), default=0))
    tested = any("adjusted_area" in row for row in rows)
    heads = [Column("class", number=False), Column(f"mapped, {unit}")]
    if tested:
        heads += [Column(f"adjusted, {unit}"), Column("test pixels", short="test")]
        heads += [Column("user's accuracy, %", short="user's %")]
        heads += [Column("producer's accuracy, %", short="producer's %")]
    table: list[list[Value]] = []
    shown = sorted(rows, key=lambda row: -row["mapped_area"])[:_MOST]
    for row in (each for each in rows if each in shown):
        colour = hex_colour(palette[row["label"]])
        line: list[Value] = [
            Cell(plain(row["name"]), colour=colour), _area(row["mapped_area"], None, scale)
        ]  # fmt: skip
        if tested:
            line += [
                _area(row["adjusted_area"], row["standard_error"], scale),
                row["test_pixels"],
                _share(row, "users_accuracy"),
                _share(row, "producers_accuracy"),
            ]
        table.append(line)
    return Table(_caption(areas, tested, len(rows)), heads, table)


def _caption(areas: Mapping[str, Any], tested: bool, classes: int) -> str:
    rest = f" The {_MOST} largest of {classes} classes." if classes > _MOST else ""
    if not tested:
        return f"Areas of the classes in the map.{rest}"
    overall = _share(areas, "overall_accuracy").text
    return (
        "Areas of the classes in the map, and corrected for its errors by the test pixels, with "
        "95 % intervals (Olofsson et al. 2014). Test pixels are counted by mapped class. "
        f"Overall accuracy weighted by area: {overall} %.{rest}"
    )


def _unit(areas: Mapping[str, Any]) -> tuple[float, str]:
    if areas["unit"] != "m2":
        return 1.0, "pixels"
    return next((scale, name) for least, scale, name in _UNITS if areas["map_area"] >= least)


def _area(value: float | None, error: float | None, scale: float) -> Cell:
    if value is None:
        return Cell(UNDEFINED)
    shown = value / scale
    digits = 0 if shown >= 1000 or (scale == 1 and error is None) else 1 if shown >= 100 else 2
    half = "" if error is None else f" ± {_HALF * error / scale:,.{digits}f}"
    return Cell(f"{shown:,.{digits}f}{half}", value)


def _share(row: Mapping[str, Any], name: str) -> Cell:
    value, error = row[name], row[f"{name}_standard_error"]
    if value is None:
        return Cell(UNDEFINED)
    half = "" if error is None else f" ± {100 * _HALF * error:.2f}"
    return Cell(f"{percent(value)}{half}", value)
