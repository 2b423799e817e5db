"""Charts of a retriever: precision against recall, and the common space in a plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ...palette import class_colours
from ...printable import shortened
from ..content import Metrics
from ..drawing import ACCENT, FAINT, INK, SECOND, house_style
from .content import direction_words

_MARKERS = ("o", "^")
_MOST_IN_LEGEND = 20


def precision_recall_figure(metrics: Metrics) -> Figure:
    """Interpolated precision against recall of both directions, chance as a dashed line.

    Args:
        metrics: the content of a run's metrics.json.
    """
    with house_style():
        figure = Figure(figsize=(5.6, 3.8), layout="constrained")
        axes = figure.add_subplot()
        for colour, direction in zip((ACCENT, SECOND), metrics["directions"], strict=True):
            curve = metrics["curves"][direction]
            words = direction_words(direction, metrics["pair"])
            axes.plot(
                curve["recall"], curve["precision"], color=colour, linewidth=1.6,
                label=shortened(words, 40),
            )  # fmt: skip
        chance = np.mean(
            [row["mean_average_precision"] for row in metrics["baselines"]["chance"].values()]
        )
        axes.axhline(float(chance), color=FAINT, linestyle="--", linewidth=1.0, label="chance")
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        axes.legend(fontsize="small", loc="lower left")
    return figure


def projection_figure(
    points: NDArray[np.floating],
    classes: NDArray[np.integer],
    class_names: Sequence[str],
    names: tuple[str, str],
    explained: tuple[float, float],
) -> Figure:
    """Items of both modalities in the plane in which the common space varies most.

    Args:
        points: 2 (modalities) × N × 2.
        classes: class index of each pair, N.
        class_names: the classes.
        names: of the modalities.
        explained: share of the variance along each axis.
    """
    colours = class_colours(len(class_names))[1:] / 255
    low, high = points.reshape(-1, 2).min(0), points.reshape(-1, 2).max(0)
    margin = 0.05 * np.maximum(high - low, 1e-9)
    with house_style():
        figure = Figure(figsize=(9.6, 4.6), layout="constrained")
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, rows, name, marker in zip(panels, points, names, _MARKERS, strict=True):
            axes.scatter(
                rows[:, 0], rows[:, 1], s=9, c=colours[classes], marker=marker, linewidths=0.2,
                edgecolors=INK, alpha=0.75,
            )  # fmt: skip
            axes.set_title(shortened(name, 40), parse_math=False)
            axes.set_xlabel(f"first component, {100 * explained[0]:.0f} % of the variance")
            axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
            axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
        panels[0].set_ylabel(f"second component, {100 * explained[1]:.0f} %")
        _legend(figure, panels[0], colours, class_names)
    return figure


def _legend(
    figure: Figure, axes: Axes, colours: NDArray[np.floating], class_names: Sequence[str]
) -> None:
    handles = [
        Line2D([], [], linestyle="", marker="o", color=colour, label=shortened(name, 28))
        for colour, name in zip(colours, class_names, strict=True)
    ][:_MOST_IN_LEGEND]
    legend = figure.legend(handles=handles, loc="outside right center", fontsize="small")
    for text in legend.get_texts():
        text.set_parse_math(False)
