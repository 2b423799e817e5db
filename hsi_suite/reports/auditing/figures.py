"""The figures of a split's audit: accuracy by distance, windows, maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...palette import BOTH, RIGHT, SPLIT_COLOURS, SPLIT_PARTS, WRONG
from ..drawing import ACCENT, FAINT, SECOND, house_style
from ..maps import panels_figure
from .content import NAMES
from .verdict import Facts, distance_text

_COLOURS = {"position": SECOND, "map": ACCENT}
_MOST_EDGE = 1200


def accuracy_figure(facts: Facts) -> Figure:
    """The accuracy of position alone and of the map by the distance to training."""
    rows = facts["by_distance"]
    places = np.arange(len(rows))
    with house_style():
        figure = Figure(figsize=(6.4, 3.2), layout="constrained")
        axes = figure.add_subplot()
        kinds = [name for name in NAMES if name in rows[0]]
        for number, name in enumerate(kinds):
            moved = places + 0.12 * (number - (len(kinds) - 1) / 2)
            values = np.array([100 * row[name]["value"] for row in rows])
            ends = [
                [100 * abs(row[name]["value"] - (row[name][end] if row[name][end] is not None
                 else row[name]["value"])) for row in rows]
                for end in ("low", "high")
            ]  # fmt: skip
            axes.errorbar(
                moved, values, yerr=ends, color=_COLOURS[name], marker="o", markersize=5,
                linewidth=1.4, elinewidth=1, capsize=3, label=NAMES[name],
            )  # fmt: skip
        axes.set_xticks(places, [distance_text(row["from"], row["to"]) for row in rows])
        axes.set(
            xlabel="distance to the nearest training pixel", ylabel="overall accuracy, %",
            ylim=(-2, 102),
        )  # fmt: skip
        axes.grid(axis="x", visible=False)
        # Below the curves there is always room where they are high, above where they are low.
        axes.legend(fontsize="small", loc="best")
    return figure


def window_figure(facts: Facts) -> Figure:
    """How many test pixels have a training pixel inside their window, by its size."""
    table = np.array(facts["windows"], float)
    with house_style():
        figure = Figure(figsize=(6.4, 2.8), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(table[:, 0], 100 * table[:, 1], color=ACCENT, marker="o", label="holds a pixel")
        axes.plot(
            table[:, 0], 100 * table[:, 2], color=FAINT, marker="o", markersize=3, linestyle="--",
            label="overlaps a window",
        )  # fmt: skip
        axes.set_xticks(table[:, 0], [f"{size:.0f}" for size in table[:, 0]])
        axes.set(xlabel="edge of the window, pixels", ylabel="test pixels, %", ylim=(-2, 102))
        axes.legend(fontsize="small", title="of training", title_fontsize="small")
    return figure


def audit_maps(
    labels: NDArray[np.integer],
    parts: Mapping[str, NDArray[np.integer]],
    right: Mapping[str, NDArray[np.bool_]],
    title: str,
) -> Figure:
    """Where training and test lie, and where answers are right.

    Large scenes are thinned.

    Args:
        labels: lines × samples, 0 = unlabelled.
        parts: flat indices of train, validation and test.
        right: by a key of `NAMES`, for the test pixels in their order, whether the answer is right.
        title: of the picture.
    """
    codes = np.where(labels.ravel() > 0, len(SPLIT_PARTS) - 1, 0)
    for part, code in (("train", 1), ("validation", 2), ("test", 3)):
        codes[parts[part]] = code
    picture = SPLIT_COLOURS[codes]
    side = np.union1d(parts["train"], parts["validation"])
    both = np.intersect1d(side, parts["test"])
    picture[both] = BOTH
    panels = [("split", picture.reshape(*labels.shape, 3))]
    used = [int(code) for code in np.unique(codes) if code > 0]
    entries: list[tuple[str, Sequence[Any]]] = [(SPLIT_PARTS[c], SPLIT_COLOURS[c]) for c in used]
    if len(both):
        entries.append(("training and test", BOTH))
    for name, correct in right.items():
        image = np.zeros((labels.size, 3), np.uint8)
        image[side] = SPLIT_COLOURS[1]
        image[parts["test"]] = np.where(correct[:, None], RIGHT, WRONG)
        panels.append((f"test pixels: {NAMES[name]}", image.reshape(*labels.shape, 3)))
    entries += [("right", RIGHT), ("wrong", WRONG)]
    step = max(1, -(-max(labels.shape) // _MOST_EDGE))
    return panels_figure([(n, image[::step, ::step]) for n, image in panels], entries, title)
