"""What each guard of a split does in a scene: a chart, and its table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing

from ..metrics.position import position_skill
from .content import Metrics, count, percent
from .document import Cell, Column, Figure, Table, Value
from .drawing import ACCENT, FAINT, SECOND, house_style
from .pictures import chart


def guard_chart(metrics: Metrics) -> list[Figure]:
    """Position alone by the guard, with what each guard leaves; [] for runs without such a curve.

    Args:
        metrics: the content of a run's metrics.json.
    """
    curve = metrics.get("guard_curve")
    if not curve or not curve["rows"]:
        return []
    chosen, floor = metrics["split"]["guard"], curve["floor"]
    caption = (
        "Position alone by the guard: each labelled pixel is given the class of the nearest "
        f"labelled pixel farther than the guard. The floor of this scene is {floor} pixels: "
        f"{curve['rule']}. This split keeps {chosen}."
    )
    if not curve["near_chance"]:
        caption += " Here no guard brings position alone near chance."
    if curve["step"] > 1:
        caption += f" Scores are of every {curve['step']}th line and sample."
    drawing = guard_figure(curve, chosen)
    return [chart(drawing, f"Curves. {caption}", caption, [_table(curve, chosen)], name="guards")]


def guard_figure(curve: Mapping[str, Any], chosen: int) -> Drawing:
    """Position alone and the commonest class, and the pixels and classes left, by the guard."""
    rows = curve["rows"]
    guards = [row["guard"] for row in rows]
    limit = [row["commonest"] + curve["limit"] * (1 - row["commonest"]) for row in rows]
    with house_style():
        figure = Drawing(figsize=(6.4, 4.6), layout="constrained")
        upper, lower = figure.subplots(2, sharex=True, height_ratios=(3, 2))
        lines = (
            ("position alone", [row["overall_accuracy"] for row in rows], ACCENT, "-"),
            ("near chance below this", limit, SECOND, "--"),
            ("the commonest class", [row["commonest"] for row in rows], FAINT, "--"),
        )
        for name, values, colour, style in lines:
            upper.plot(guards, 100 * np.array(values), style, color=colour, label=name)
        for part, name, colour in (("pixels", "pixels", ACCENT), ("classes", "classes", SECOND)):
            most = max(row[part] for row in rows)
            shares = [100 * row[part] / most for row in rows]
            lower.plot(guards, shares, color=colour, label=f"{name} (100 %: {count(most)})")
        for axes in (upper, lower):
            axes.axvline(chosen, color=FAINT, linewidth=1)
            axes.set_ylim(-2, 102)
            axes.legend(fontsize="small", loc="best")
        upper.set_ylabel("overall accuracy, %")
        lower.set(xlabel="guard, pixels (line: this split's)", ylabel="left, %")
    return figure


def _table(curve: Mapping[str, Any], chosen: int) -> Table:
    heads = [Column("guard, px"), Column("position alone, OA %"), Column("commonest, %")]
    heads += [Column("way to 100 %, %"), Column("pixels left"), Column("classes left")]
    rows: list[list[Value]] = []
    for row in curve["rows"]:
        accuracy, commonest = row["overall_accuracy"], row["commonest"]
        skill = position_skill(accuracy, commonest)
        rows.append(
            [
                row["guard"],
                Cell(percent(accuracy), accuracy),
                Cell(percent(commonest), commonest),
                Cell(percent(skill, 0), skill),
                row["pixels"],
                row["classes"],
            ]
        )
    styles = ["own" if row["guard"] == chosen else "model" for row in curve["rows"]]
    return Table("What each guard does and leaves.", heads, rows, styles)
