"""The scores of each class as a figure of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.typing import MarkerType

from ..palette import class_colours
from ..printable import plain, shortened
from .content import MOST_CLASSES, Metrics, classes_note, hex_colour, shown_classes
from .drawing import FAINT, INK, house_style
from .fonts import figure_names
from .paper.figure import PaperFigure, fitted

_LONGEST_NAME = 30
_MARKS: tuple[tuple[str, MarkerType, float], ...]
_MARKS = ("precision", ">", -0.12), ("recall", "<", 0.12)


def class_figure(metrics: Metrics) -> PaperFigure:
    """Precision, recall and F1 of each class on the test part; of many classes of the worst.

    Args:
        metrics: the content of a run's metrics.json.
    """
    classes, shown = metrics["classes"], shown_classes(metrics, MOST_CLASSES)
    # Images have no map; their classes are counted.
    labels = [entry.get("label", place + 1) for place, entry in enumerate(classes)]
    palette = class_colours(max(labels, default=0))
    drawing = class_scores_figure(
        figure_names(
            (plain(classes[place]["name"]) for place in shown), (labels[place] for place in shown)
        ),
        [hex_colour(palette[labels[place]]) for place in shown],
        [metrics["test"]["per_class"][place] for place in shown],
    )
    caption = "Precision, recall and F1 of each class on the test part, in percent. "
    caption = f"{caption}{classes_note(metrics, MOST_CLASSES)}".strip()
    width = float(drawing.get_size_inches()[0])
    return PaperFigure("class_scores", caption, partial(fitted, drawing), width)


def class_scores_figure(
    names: Sequence[str], colours: Sequence[str], scores: Sequence[Mapping[str, Any]]
) -> Figure:
    """F1 of each class as a bar in its colour, with marks at precision and recall.

    Args:
        names: of the classes.
        colours: of each in the map, "#rrggbb".
        scores: of each precision, recall and f1, shares of 1; None where undefined.
    """
    places = range(len(names))
    with house_style():
        figure = Figure(figsize=(5.6, 0.26 * len(names) + 1.0), layout="constrained")
        axes = figure.add_subplot()
        axes.barh(
            places, [100 * (row["f1"] or 0) for row in scores], height=0.62, color=list(colours),
            edgecolor=FAINT, linewidth=0.5, label="F1",
        )  # fmt: skip
        for name, marker, shift in _MARKS:
            known = [place for place in places if scores[place][name] is not None]
            axes.scatter(
                [100 * scores[place][name] for place in known], [p + shift for p in known],
                marker=marker, s=26, color=INK, edgecolors="white", linewidths=0.4, label=name,
                zorder=3, clip_on=False,
            )  # fmt: skip
        axes.set_yticks(
            places, [shortened(name, _LONGEST_NAME) for name in names], size=9, parse_math=False
        )
        axes.set(xlabel="%", xlim=(0, 100), ylim=(len(names) - 0.4, -0.6))
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        handles = [
            Line2D([], [], linestyle="", marker=marker, color=INK, markersize=5, label=label)
            for label, marker, _ in _MARKS
        ]
        bar = Patch(facecolor="none", edgecolor=FAINT, label="F1")
        figure.legend(handles=[bar, *handles], loc="outside upper right", ncols=3, fontsize="small")
    return figure
