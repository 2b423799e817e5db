"""A grid of the images that a classifier got wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...printable import shortened
from ..drawing import house_style

_COLUMNS = 6
_INCHES = 1.7
_TITLE_INCHES = 0.5
_LONGEST = 22


@dataclass(frozen=True, eq=False)
class Mistake:
    """An image that was classified wrongly.

    Attributes:
        image: lines × samples × channels of uint8, one channel or three.
        name: what it is called.
        truth: its class.
        answer: the class it was taken for.
        probability: that the classifier gave its answer.
        truth_probability: that it gave the truth.
    """

    image: NDArray[np.uint8]
    name: str
    truth: str
    answer: str
    probability: float
    truth_probability: float


def mistakes_figure(mistakes: Sequence[Mistake]) -> Figure:
    """The images in a grid, each with its class, what it was taken for and how surely.

    Args:
        mistakes: at least one.
    """
    rows = math.ceil(len(mistakes) / _COLUMNS)
    height = (_INCHES + _TITLE_INCHES) * rows
    with house_style():
        figure = Figure(figsize=(_INCHES * _COLUMNS, height))
        grid = figure.subplots(rows, _COLUMNS, squeeze=False)
        # By hand: the layout engine would take longer over the grid than a small training takes.
        figure.subplots_adjust(
            left=0.005,
            right=0.995,
            bottom=0.005,
            top=1 - _TITLE_INCHES / height,
            wspace=0.08,
            hspace=_TITLE_INCHES / _INCHES,
        )
        for axes in grid.flat:
            axes.set_axis_off()
        for axes, mistake in zip(grid.flat, mistakes, strict=False):
            grey = mistake.image.shape[2] == 1
            shown = mistake.image[..., 0] if grey else mistake.image
            axes.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            text = (
                f"{shortened(mistake.truth, _LONGEST)}\n"
                f"taken for {shortened(mistake.answer, _LONGEST - 10)}\n"
                f"{_share(mistake.probability)} against {_share(mistake.truth_probability)}"
            )
            axes.set_title(text, size=7.5, parse_math=False)
    return figure


def _share(probability: float) -> str:
    # Down to whole percent, so that nothing short of certainty reads 100.
    return f"{math.floor(100 * probability)} %"
