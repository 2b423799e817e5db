"""Networks beside each other: what they cost, stage by stage, and what they reach for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..metrics.measures import measure
from ..palette import SERIES
from ..printable import UNDEFINED, shortened
from .content import count
from .document import Cell, Column, Document, Remark, Remarks, Section, Table
from .drawing import INK, house_style
from .pictures import chart

Entry = Mapping[str, Any]

_LARGEST_DOT = 1800.0
_SMALLEST_DOT = 12.0
_LONGEST = 40
_MARKERS = "os^Dv<>P"
_PANELS = (("memory", "memory, bytes"), ("parameters", "parameters"),
           ("multiply_adds", "multiply-adds"))  # fmt: skip


def complexity_figure(networks: Sequence[Entry], metric: str | None) -> Figure:
    """A dot for each network: multiply-adds across, score (or parameters) up, area the parameters.

    Args:
        networks: entries of `runs.model_comparison`.
        metric: the score of their runs; None where there are none.
    """
    shown = [each for each in networks if metric is None or each["score"] is not None]
    most = max((each["parameters"] for each in shown), default=1)
    with house_style():
        figure = Figure(figsize=(8.4, 4.8), layout="constrained")
        axes = figure.subplots()
        for number, each in enumerate(networks):
            if each not in shown:
                continue
            up = each["parameters"] if metric is None else measure(metric).scaled(each["score"])
            area = max(_SMALLEST_DOT, _LARGEST_DOT * each["parameters"] / most)
            colour = SERIES[number % len(SERIES)]
            axes.scatter(each["multiply_adds"], up, s=area, color=colour, alpha=0.55, linewidths=0)
            # The middle of each shows where dots cover each other, and is what the legend has.
            axes.plot(each["multiply_adds"], up, _MARKERS[number % len(_MARKERS)], color=colour,
                      markeredgecolor=INK, markersize=6, label=_label(each))  # fmt: skip
        figure.legend(loc="outside right upper")
        axes.set_xscale("log")
        if metric is None:
            axes.set_yscale("log")
        axes.set_xlabel("multiply-adds for one input")
        axes.set_ylabel("parameters" if metric is None else measure(metric).heading)
        axes.margins(0.2)
    return figure


def stages_figure(networks: Sequence[Entry]) -> Figure:
    """Memory, parameters and multiply-adds of each network's stages, from its input to its end."""
    with house_style():
        figure = Figure(figsize=(9.6, 7.2), layout="constrained")
        panels = figure.subplots(len(_PANELS), 1, sharex=True)
        for axes, (key, title) in zip(panels, _PANELS, strict=True):
            _draw_stages(axes, networks, key)
            axes.set_ylabel(title)
        panels[-1].set_xlabel("stage of the network")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper")
    return figure


def _draw_stages(axes: Axes, networks: Sequence[Entry], key: str) -> None:
    for number, each in enumerate(networks):
        known = [(place, stage[key]) for place, stage in enumerate(each["stages"], 1) if stage[key]]
        places, values = zip(*known, strict=True) if known else ((), ())
        axes.plot(places, values, marker=_MARKERS[number % len(_MARKERS)], markersize=5,
                  color=SERIES[number % len(SERIES)], label=_label(each))  # fmt: skip
    axes.set_yscale("log")


def _label(each: Entry) -> str:
    # What begins with an underscore has no place in a legend, and dollars would be mathematics.
    return shortened(str(each["name"]), _LONGEST).lstrip("_").replace("$", r"\$")


def complexity_page(
    networks: Sequence[Entry], metric: str | None, notes: Sequence[str]
) -> Document:
    """The page of a comparison.

    Args:
        networks: entries of `runs.model_comparison`.
        metric: the score of their runs; None where there are none.
        notes: what has to be known beside them, in sentences.
    """
    what = "parameters" if metric is None else measure(metric).title
    caption = (
        f"Across: multiply-adds for one input. Up: {what}. The area of a dot is in proportion to "
        "the parameters of the network."
    )
    first = Section("What they cost", [chart(complexity_figure(networks, metric), caption, caption),
                                       comparison_table(networks, metric)])  # fmt: skip
    remarks = [Section("", [Remarks([Remark(note) for note in notes])])] if notes else []
    words = (
        "Each stage by itself, from the input to the end: bytes of its layers' outputs in single "
        "precision, parameters, multiply-adds. What a stage has none of is left out."
    )
    tables = [_stage_table(each) for each in networks]
    stages = Section("Stage by stage", [chart(stages_figure(networks), words, words, tables)])
    names = ", ".join(str(each["name"]) for each in networks)
    return Document("Networks compared", names, [*remarks, first, stages])


def comparison_table(networks: Sequence[Entry], metric: str | None) -> Table:
    """A line for each network."""
    heads = [Column("network", number=False), Column("input", number=False)]
    heads += [Column(title) for title in ("parameters", "multiply-adds", "memory, bytes")]
    if metric is not None:
        heads += [Column("runs"), Column(measure(metric).heading)]
    return Table("For one input.", heads, [_row(each, metric) for each in networks])


def _row(each: Entry, metric: str | None) -> list[Cell]:
    keys = ("parameters", "multiply_adds", "memory")
    row = [Cell(each["name"]), Cell("×".join(map(str, each["input"])))]
    row += [Cell(count(each[key]), each[key]) for key in keys]
    if metric is None:
        return row
    score = each["score"]
    text = UNDEFINED if score is None else measure(metric).text(score)
    return [*row, Cell(count(each["runs"]), each["runs"]), Cell(text, score)]


def _stage_table(each: Entry) -> Table:
    heads = [Column("stage", number=False)]
    heads += [Column(title) for title in ("memory, bytes", "parameters", "multiply-adds")]
    rows = [
        [Cell(stage["name"]), *(Cell(count(stage[key]), stage[key]) for key, _ in _PANELS)]
        for stage in each["stages"]
    ]
    return Table(each["name"], heads, rows, style="dense")
