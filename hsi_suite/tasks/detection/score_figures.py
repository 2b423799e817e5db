"""The pictures of a detection: its scores, and the detections against false alarms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from ...reports.drawing import house_style, save_png


def draw_scores(
    path: Path, scores: NDArray[np.float64], title: str, threshold: float | None
) -> None:
    """Draw a map of scores.

    Args:
        path: the PNG file.
        scores: lines × samples; NaN without data.
        title: of the picture.
        threshold: from which scores are detections; None for none.
    """
    low, high = np.nanpercentile(scores, (0.5, 99.9))
    with house_style():
        figure = Figure(figsize=(7.0, 6.0), layout="constrained")
        axes = figure.add_subplot()
        shown = axes.imshow(scores, cmap="viridis", vmin=low, vmax=high, interpolation="nearest")
        bar = figure.colorbar(shown, ax=axes, label="score", extend="both")
        if threshold is not None:
            # Seen on any colour of the bar, by any eye.
            bar.ax.axhline(threshold, color="black", linewidth=3)
            bar.ax.axhline(threshold, color="white", linewidth=1.2)
        axes.set_title(title, parse_math=False)
        axes.set_axis_off()
    save_png(figure, path)


def draw_roc(path: Path, scores: NDArray[Any], marked: NDArray[np.bool_], title: str) -> None:
    """Draw how many targets are found at which rate of false alarms.

    Args:
        path: the PNG file.
        scores: of pixels with data.
        marked: which of them are targets.
        title: of the picture.
    """
    alarms, hits, _ = roc_curve(marked, scores, drop_intermediate=True)
    least = 0.5 / (~marked).sum()
    with house_style():
        figure = Figure(figsize=(5.4, 4.6), layout="constrained")
        axes = figure.add_subplot()
        axes.step(np.maximum(alarms, least), hits, where="post")
        axes.set(xscale="log", xlabel="false-alarm rate", ylabel="detection rate")
        axes.set(xlim=(least, 1), ylim=(0, 1.01))
        axes.set_title(title, parse_math=False)
    save_png(figure, path)
