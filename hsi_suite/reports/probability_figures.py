"""Charts of probabilities: the reliability diagram, and the accuracy of what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from .drawing import ACCENT, FAINT, SECOND, house_style

Bins = Sequence[Mapping[str, Any]]


def reliability_figure(bins: Bins, before: Bins | None, words: str) -> Figure:
    """Accuracy by largest probability, and below how many pixels have which.

    Args:
        bins: of the probabilities, as `metrics.probabilities` gives them.
        before: of those without the calibration; None where there is none.
        words: what the first ones are called.
    """
    with house_style():
        figure = Figure(figsize=(4.6, 4.8), layout="constrained")
        upper, lower = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
        upper.plot([0, 100], [0, 100], color=FAINT, linestyle="--", linewidth=1)
        for rows, colour, name in ((before, SECOND, "without"), (bins, ACCENT, words)):
            full = [row for row in rows or () if row["pixels"]]
            if full:
                upper.plot(
                    [100 * row["confidence"] for row in full],
                    [100 * row["accuracy"] for row in full],
                    color=colour, marker="o", markersize=4, linewidth=1.4, label=name,
                )  # fmt: skip
        upper.set(xlim=(0, 100), ylim=(0, 100), ylabel="accuracy, %")
        upper.legend(fontsize="small", loc="upper left")
        total = sum(row["pixels"] for row in bins)
        lower.bar(
            [50 * (row["from"] + row["to"]) for row in bins],
            [100 * row["pixels"] / total for row in bins],
            width=90 / len(bins), color=ACCENT,
        )  # fmt: skip
        lower.set(xlabel="largest probability, %", ylabel="pixels, %")
    return figure


def kept_figure(curve: Sequence[tuple[float, float]]) -> Figure:
    """Accuracy of the surest pixels by the share that is kept.

    Args:
        curve: (share kept, accuracy) pairs, both 0 to 1.
    """
    with house_style():
        figure = Figure(figsize=(4.6, 2.8), layout="constrained")
        axes = figure.add_subplot()
        axes.plot([100 * x for x, _ in curve], [100 * y for _, y in curve], color=ACCENT)
        axes.set(xlabel="pixels kept, the surest first, %", ylabel="accuracy, %", xlim=(0, 100))
    return figure
