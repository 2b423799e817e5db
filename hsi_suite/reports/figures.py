"""Charts of a run: confusion matrix, learning curves, distances from test to training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..metrics.confusion import Confusion
from ..palette import SERIES
from ..printable import shortened
from .content import metric_words
from .drawing import ACCENT, FAINT, SECOND, house_style

# Beyond this many classes a count no longer fits its cell.
_MOST_WITH_COUNTS = 24
# The exponent lifts the few errors of a good classifier out of the white.
_SHARES = PowerNorm(0.5, vmin=0, vmax=1)
_LONGEST_NAME = 30
_LETTER = 0.072  # inches of one, as names have them
_LARGEST_CELL = 0.7
_LEAST_WITH_COUNTS = 0.3
# The two of every chart, and those of the others that stand out from both.
_CURVES = (ACCENT, SECOND, SERIES[3], SERIES[2])
#: Classes beyond which a matrix can be neither read nor held: the largest confusions stand for it.
MOST_IN_MATRIX = 50
#: Confusions that are shown of so many classes.
MOST_PAIRS = 40


def confusion_figure(
    matrix: Confusion | NDArray[np.integer] | Mapping[str, Any] | Sequence[Sequence[int]],
    names: Sequence[str],
    width: float | None = None,
) -> Figure:
    """A confusion matrix: counts in the cells, coloured by the share of the true class.

    Of more than `MOST_IN_MATRIX` classes the largest confusions alone, so that the figure's size
    does not grow with the classes.

    Args:
        matrix: counts by true and predicted class: as metrics.json holds them, or K × K, rows
            truth.
        names: one name for each class.
        width: inches that the figure has, for a file of its own: where cells become too small for
            counts, a scale says what the colours are. None for what it needs.
    """
    counts = matrix if isinstance(matrix, Confusion) else Confusion.from_plain(matrix)
    if counts.num_classes > MOST_IN_MATRIX:
        return _largest_confusions_figure(counts, names)
    if width is not None:
        return _wide_matrix_figure(counts.matrix(), names, width)
    return _matrix_figure(counts.matrix(), names)


def _matrix_figure(counts: NDArray[np.int64], names: Sequence[str]) -> Figure:
    num_classes = len(counts)
    edge = 0.42 if num_classes <= _MOST_WITH_COUNTS else 0.22
    side = max(2.4, edge * num_classes)
    with house_style():
        figure = Figure(figsize=(side + 2.6, side + 2.4), layout="constrained")
        axes = figure.add_subplot()
        # Without interpolation an SVG holds one pixel a cell, however many classes there are.
        axes.imshow(_shares(counts), cmap="Blues", norm=_SHARES, interpolation="none")
        borders = np.arange(num_classes + 1) - 0.5
        axes.hlines(borders, -0.5, num_classes - 0.5, color="white", linewidth=0.8)
        axes.vlines(borders, -0.5, num_classes - 0.5, color="white", linewidth=0.8)
        _finish_matrix(axes, names)
        if num_classes <= _MOST_WITH_COUNTS:
            _write_counts(axes, counts, side / num_classes)
    return figure


def _wide_matrix_figure(counts: NDArray[np.int64], names: Sequence[str], width: float) -> Figure:
    """The matrix in a given width, its cells drawn as squares, which stay sharp at every size."""
    num_classes = len(counts)
    beside = _LETTER * max(len(shortened(name, _LONGEST_NAME)) for name in names) + 0.5
    edge = min((width - beside) / num_classes, _LARGEST_CELL)
    with_counts = edge >= _LEAST_WITH_COUNTS
    scale = 0.0 if with_counts else 0.6
    with house_style():
        height = edge * num_classes + beside + scale
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        mesh = axes.pcolormesh(
            np.arange(num_classes), np.arange(num_classes), _shares(counts), cmap="Blues",
            norm=_SHARES, edgecolor="white", linewidth=0.8,
        )  # fmt: skip
        axes.set(aspect="equal", ylim=(num_classes - 0.5, -0.5))
        _finish_matrix(axes, names)
        if with_counts:
            _write_counts(axes, counts, edge)
        else:
            ticks = (0, 0.1, 0.3, 0.6, 1)
            bar = figure.colorbar(mesh, ax=axes, location="bottom", shrink=0.7, ticks=ticks)
            bar.set_label("share of the true class, %")
            bar.set_ticklabels([f"{100 * share:.0f}" for share in ticks])
    return figure


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def _finish_matrix(axes: Axes, names: Sequence[str]) -> None:
    num_classes, labels = len(names), [shortened(name, _LONGEST_NAME) for name in names]
    axes.set(xlabel="predicted", ylabel="truth")
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    centres = range(num_classes)
    size = 9 if num_classes <= _MOST_WITH_COUNTS else 6
    axes.set_xticks(centres, labels, rotation=90, size=size, parse_math=False)
    axes.set_yticks(centres, labels, size=size, parse_math=False)


def _largest_confusions_figure(counts: Confusion, names: Sequence[str]) -> Figure:
    wrong, support = counts.errors(), counts.support
    shown = min(MOST_PAIRS, len(wrong.counts))
    truth, answer, numbers = (
        values[:shown].tolist() for values in (wrong.truth, wrong.predicted, wrong.counts)
    )
    with house_style():
        figure = Figure(figsize=(8.6, max(1.4, 0.22 * shown + 0.8)), layout="constrained")
        axes = figure.add_subplot()
        if not shown:
            axes.set_axis_off()
            axes.text(0.5, 0.5, "no confusions", ha="center", va="center")
            return figure
        axes.barh(range(shown), numbers, height=0.7, color=ACCENT)
        labels = [
            f"{shortened(names[row], 26)} \N{RIGHTWARDS ARROW} {shortened(names[column], 26)}"
            for row, column in zip(truth, answer, strict=True)
        ]
        axes.set_yticks(range(shown), labels, size=8, parse_math=False)
        for place, (row, number) in enumerate(zip(truth, numbers, strict=True)):
            share = 100 * number / int(support[row])
            axes.text(number, place, f" {number:,} ({share:.0f} %)", va="center", size=8)
        axes.set_ylim(shown - 0.4, -0.6)
        axes.set_xlim(0, 1.18 * max(numbers))
        axes.set_xlabel("number (share of the true class), truth \N{RIGHTWARDS ARROW} predicted")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
    return figure


def _write_counts(axes: Axes, counts: NDArray[np.int64], inches: float) -> None:
    depth = np.asarray(_SHARES(_shares(counts)))
    for row, column in np.argwhere(counts):
        number = str(counts[row, column])
        axes.text(
            column, row, number, ha="center", va="center",
            size=min(9, 95 * inches / len(number)),
            color="white" if depth[row, column] > 0.6 else "black",
        )  # fmt: skip


def has_curves(history: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a history holds figures of epochs to draw."""
    return bool(_panels(history))


def learning_curves_figure(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Loss, accuracy and learning rate over the epochs, as far as the history has them.

    Args:
        history: a row for each epoch: epoch (from 1), learning_rate, train_loss, train_accuracy
            and further figures, those of the validation part with names in validation_*. Missing
            and None values leave a gap.

    Raises:
        ValueError: there is nothing to draw (see `has_curves`).
    """
    panels = _panels(history)
    if not panels:
        raise ValueError("the history holds no figures to draw")
    epochs = [row.get("epoch", number) for number, row in enumerate(history, 1)]
    with house_style():
        figure = Figure(figsize=(4.2 * len(panels), 3.0), layout="constrained")
        for axes, (title, keys) in zip(
            np.ravel(figure.subplots(1, len(panels))), panels, strict=True
        ):
            for number, key in enumerate(keys):
                values = [_number(row.get(key)) for row in history]
                axes.plot(
                    epochs, values, color=_CURVES[number % len(_CURVES)],
                    marker="." if len(epochs) <= 30 else "", linewidth=1.4, label=metric_words(key),
                )  # fmt: skip
            axes.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
            _finish_curves(axes, title, keys, history)
    return figure


def _finish_curves(
    axes: Axes, title: str, keys: Sequence[str], history: Sequence[Mapping[str, Any]]
) -> None:
    axes.set(xlabel="epoch", title=title if len(keys) > 1 else metric_words(keys[0]))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    values = [v for row in history for key in keys if not math.isnan(v := _number(row.get(key)))]
    if title == "loss" and min(values) > 0 and max(values) > 20 * min(values):
        axes.set_yscale("log")
    if title == "accuracy":
        axes.set_ylim(top=1.005)
    if title == "learning rate":
        # From zero, or a decay of a millionth would fill the panel.
        axes.set_ylim(0, 1.1 * max(values) or 1)
    if len(keys) > 1:
        axes.legend(fontsize="small")


def _panels(history: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    keys = dict.fromkeys(key for row in history for key in row)
    drawn = [key for key in keys if any(not math.isnan(_number(row.get(key))) for row in history)]
    groups = {
        "loss": [key for key in drawn if key.endswith("loss")],
        "accuracy": [key for key in drawn if key.endswith(("accuracy", "kappa"))],
        "average precision": [key for key in drawn if key.endswith("average_precision")],
        "PSNR, dB": [key for key in drawn if key.endswith("peak_signal_noise_ratio")],
        "learning rate": [key for key in drawn if key == "learning_rate"],
    }
    return [(title, keys) for title, keys in groups.items() if keys]


def _number(value: Any) -> float:
    return math.nan if value is None or value == "" else float(value)


def distance_figure(histogram: Sequence[Sequence[float]]) -> Figure:
    """How far the test pixels are from training, as shares of the test pixels.

    Args:
        histogram: (distance in pixels, number of test pixels) pairs.
    """
    table = np.asarray(histogram, dtype=np.float64).reshape(-1, 2)
    shares = 100 * table[:, 1] / max(table[:, 1].sum(), 1)
    with house_style():
        figure = Figure(figsize=(6.4, 2.8), layout="constrained")
        axes = figure.add_subplot()
        axes.bar(table[:, 0], shares, width=0.9, color=ACCENT, edgecolor=FAINT, linewidth=0.3)
        axes.set(
            xlabel="distance to the nearest training pixel, pixels",
            ylabel="share of test pixels, %",
        )
        axes.grid(axis="x", visible=False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlim(0, max(table[:, 0].max(initial=1) + 1, 5))
    return figure
