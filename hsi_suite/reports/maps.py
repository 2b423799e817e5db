"""Pictures of scenes: false colour, ground truth, classification maps with their legend.

Panels are laid out in whole pixels and each scene pixel becomes a square of whole pixels, so that
nothing is blurred; scenes too large for that are thinned to every n-th line and sample.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.typing import ColorType
from numpy.typing import NDArray

from ..errors import ShapeError
from ..palette import (
    NO_DATA,
    SPLIT_COLOURS,
    SPLIT_PARTS,
    Colour,
    class_colours,
    fold_colours,
)
from ..printable import shortened
from .drawing import FAINT, INK, house_style
from .fonts import figure_names

Image = NDArray[np.uint8]
# Of more classes than this the legend names those that cover most of the map.
_MOST_NAMES = 96

_DPI = 150
_CANVAS = (2100, 1600)  # pixels, width and height the panels may fill together
_NARROWEST = 1000
_GAP = 24
_FONT = 12.0  # points
_LINE = 38  # pixels from one line of text or legend to the next
_SWATCH = 26


def false_colour(
    cube: NDArray[np.generic],
    bands: tuple[int, int, int],
    valid: NDArray[np.bool_] | None = None,
) -> Image:
    """Three bands as red, green and blue, each stretched from its 2 % to its 98 % quantile.

    Args:
        cube: lines × samples × bands; values that are not finite count as missing.
        bands: 0-based bands for red, green and blue.
        valid: lines × samples, False where there is no data; None when all is good.

    Returns:
        lines × samples × 3; missing pixels are grey.
    """
    good = np.ones(cube.shape[:2], bool) if valid is None else valid.copy()
    for band in bands:
        good &= np.isfinite(cube[..., band])
    result = np.empty((*good.shape, 3), dtype=np.uint8)
    result[:] = NO_DATA
    if not good.any():
        return result
    # One band at a time: in double precision a large scene takes much memory.
    for channel, band in enumerate(bands):
        values = cube[..., band][good].astype(np.float64)
        low, high = np.percentile(values, (2, 98))
        # A band without contrast is shown mid-grey rather than as amplified rounding.
        stretched = (values - low) / (high - low) if high > low else np.full(values.shape, 0.5)
        result[good, channel] = np.round(255 * np.clip(stretched, 0, 1)).astype(np.uint8)
    return result


def map_figure(
    prediction: NDArray[np.integer],
    ground_truth: NDArray[np.integer] | None,
    rgb: Image,
    class_names: Sequence[str],
    *,
    title: str,
    synthetic: bool,
    valid: NDArray[np.bool_] | None = None,
    split_parts: NDArray[np.integer] | None = None,
    folds: int = 0,
) -> Figure:
    """False colour, ground truth and map side by side, with one legend for all.

    Args:
        prediction: lines × samples of labels, 0 = none, k = class_names[k - 1].
        ground_truth: the same, or None.
        rgb: lines × samples × 3, see `false_colour`.
        class_names: one name for each label from 1 on.
        title: what the map is of.
        synthetic: True adds that the scene is synthetic.
        valid: lines × samples, False where there is no data; None when all is good.
        split_parts: lines × samples, positions in `SPLIT_PARTS`: a panel more; None leaves it out.
        folds: of a cross-validation their number: then `split_parts` are 0, the fold from 1 on, or
            one more where none tests.

    Raises:
        ShapeError: the layers differ in size, or a label has no name.
    """
    layers = {"ground truth": ground_truth, "valid": valid, "split": split_parts, "picture": rgb}
    for what, layer in layers.items():
        if layer is not None and layer.shape[:2] != prediction.shape:
            raise ShapeError(what, f"size {layer.shape[:2]}", f"the map's, {prediction.shape}")
    panels = [("false colour", rgb)]
    if ground_truth is not None:
        panels.append(("ground truth", coloured_labels(ground_truth, class_names, None)))
    panels.append(("map", coloured_labels(prediction, class_names, valid)))
    entries = class_entries(prediction, ground_truth, class_names, valid)
    if split_parts is not None:
        picture, parts = split_picture(split_parts, folds)
        panels.append(("split", picture))
        entries += [(f"split: {name}", colour) for name, colour in parts]
    with house_style():
        return _compose(panels, entries, f"{title} — synthetic scene" if synthetic else title)


def panels_figure(
    panels: Sequence[tuple[str, Image]],
    entries: Sequence[tuple[str, Iterable[Any]]],
    title: str,
) -> Figure:
    """Pictures of one scene side by side, with one legend.

    Args:
        panels: names and pictures, lines × samples × 3, all of one size.
        entries: names and colours of the legend, levels of 0 to 255.
        title: of the figure.
    """
    with house_style():
        return _compose(panels, [(name, _levels(colour)) for name, colour in entries], title)


def class_entries(
    prediction: NDArray[np.integer],
    ground_truth: NDArray[np.integer] | None,
    class_names: Sequence[str],
    valid: NDArray[np.bool_] | None,
) -> list[tuple[str, Colour]]:
    """The legend of a map and its truth; see `map_figure`."""
    palette = class_colours(len(class_names))
    named, left = _named(prediction, ground_truth, len(class_names))
    words = figure_names((class_names[label - 1] for label in named), named)
    entries = [(name, _levels(palette[label])) for name, label in zip(words, named, strict=True)]
    if left:
        entries.append((f"and {left:,} more classes", NO_DATA))
    if ground_truth is not None and not ground_truth.all():
        entries.append(("unlabelled", _levels(palette[0])))
    if valid is not None and not valid.all():
        entries.append(("no data", NO_DATA))
    return entries


def split_picture(
    split_parts: NDArray[np.integer], folds: int
) -> tuple[Image, list[tuple[str, Colour]]]:
    """The parts of a split, and the legend of those that there are; see `map_figure`."""
    names, colours = _parts(folds)
    used = [int(part) for part in np.unique(split_parts) if part > 0]
    picture: Image = colours[split_parts]
    return picture, [(names[part], _levels(colours[part])) for part in used]


def _parts(folds: int) -> tuple[Sequence[str], NDArray[np.uint8]]:
    """Names and colours of the parts of a split, or of the folds of a cross-validation."""
    if not folds:
        return SPLIT_PARTS, SPLIT_COLOURS
    names = ["unlabelled", *(f"fold {number}" for number in range(1, folds + 1)), "tested by none"]
    return names, fold_colours(folds)


def _named(
    prediction: NDArray[np.integer], ground_truth: NDArray[np.integer] | None, num_classes: int
) -> tuple[Sequence[int], int]:
    """The labels that the legend names, rising, and how many more there are.

    All of few classes; of many, where labels may be codes with gaps between them, those that
    occur, and of these the ones with the most pixels.
    """
    if num_classes <= _MOST_NAMES:
        return range(1, num_classes + 1), 0
    layers = [prediction] if ground_truth is None else [prediction, ground_truth]
    pixels = np.zeros(num_classes + 1, np.int64)
    for layer in layers:
        pixels += np.bincount(layer.ravel(), minlength=num_classes + 1)
    pixels[0] = 0
    present = np.flatnonzero(pixels)
    largest = present[np.argsort(-pixels[present], kind="stable")[:_MOST_NAMES]]
    return np.sort(largest).tolist(), len(present) - len(largest)


def coloured_labels(
    labels: NDArray[np.integer], class_names: Sequence[str], valid: NDArray[np.bool_] | None
) -> Image:
    """Labels in the colours of their classes, missing pixels grey; see `map_figure`."""
    lowest, highest = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if lowest < 0 or highest > len(class_names):
        raise ShapeError(
            "map", f"labels {lowest} … {highest}", f"0 … {len(class_names)}, one for each name"
        )
    image: Image = class_colours(len(class_names))[labels]
    if valid is not None:
        image[~valid] = NO_DATA
    return image


@dataclass(frozen=True)
class _Layout:
    """Columns of panels, pixels a scene pixel is wide, and the step of thinning."""

    columns: int
    scale: int
    step: int


def _arrange(shape: tuple[int, int], panels: int) -> _Layout:
    """The columns that show the scene largest, empty places counting against them."""
    choices = []
    for columns in range(1, panels + 1):
        rows = math.ceil(panels / columns)
        width = (_CANVAS[0] - (columns - 1) * _GAP) / columns
        height = (_CANVAS[1] - (rows - 1) * _GAP) / rows - _LINE
        scale = min(width / shape[1], height / shape[0])
        scale = math.floor(scale) if scale >= 1 else scale
        choices.append((scale * panels / (rows * columns), columns, scale))
    _, columns, scale = max(choices)
    if scale >= 1:
        return _Layout(columns, int(scale), 1)
    return _Layout(columns, 1, math.ceil(1 / scale))


class _Page:
    """A figure addressed in pixels from its upper left corner."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="white")

    def picture(self, left: int, top: int, image: Image, scale: int) -> None:
        height, width = (scale * edge for edge in image.shape[:2])
        # The frame lies behind and around: a line on the border would cover half a pixel.
        self.rectangle(left - 1, top - 1, width + 2, height + 2, FAINT)
        bottom = self.height - top - height
        axes = self.figure.add_axes(
            (left / self.width, bottom / self.height, width / self.width, height / self.height)
        )
        axes.set_axis_off()
        axes.imshow(image, interpolation="nearest", aspect="auto")

    def rectangle(self, left: int, top: int, width: int, height: int, colour: ColorType) -> None:
        self.figure.add_artist(
            Rectangle(
                (left / self.width, 1 - (top + height) / self.height),
                width / self.width,
                height / self.height,
                transform=self.figure.transFigure,
                facecolor=colour,
                edgecolor="none",
                zorder=-1,
            )
        )

    def text(self, left: int, middle: int, words: str, size: float = _FONT) -> None:
        # Names may hold dollar signs, which are not formulas here.
        self.figure.text(
            left / self.width, 1 - middle / self.height, words, size=size, color=INK,
            va="center_baseline", parse_math=False,
        )  # fmt: skip

    def swatch(self, left: int, middle: int, colour: Colour) -> None:
        red, green, blue = (level / 255 for level in colour)
        top = middle - _SWATCH // 2
        self.rectangle(left, top, _SWATCH, _SWATCH, FAINT)
        self.rectangle(left + 1, top + 1, _SWATCH - 2, _SWATCH - 2, (red, green, blue))


def _compose(
    panels: Sequence[tuple[str, Image]],
    entries: Sequence[tuple[str, Colour]],
    title: str,
) -> Figure:
    """Title, panels and legend below each other."""
    layout = _arrange(panels[0][1].shape[:2], len(panels))
    thinned = [(name, image[:: layout.step, :: layout.step]) for name, image in panels]
    height, width = (layout.scale * edge for edge in thinned[0][1].shape[:2])
    panel_rows = math.ceil(len(panels) / layout.columns)
    pitch = max(width, _widest([name for name, _ in panels])) + _GAP
    inner = max(layout.columns * pitch - _GAP, _NARROWEST)
    title_lines = textwrap.wrap(shortened(title, 300), inner // 17) or [""]
    names = [shortened(name, 40) for name, _ in entries]
    entry_width = _SWATCH + 12 + _widest(names) + _GAP
    columns = max(1, min(len(entries), (inner + _GAP) // entry_width))
    rows = math.ceil(len(entries) / columns)

    panels_top = _GAP + len(title_lines) * _LINE + _GAP // 2
    legend_top = panels_top + panel_rows * (height + _LINE + _GAP)
    page = _Page(inner + 2 * _GAP, legend_top + rows * _LINE + _GAP)
    for number, line in enumerate(title_lines):
        page.text(_GAP, _GAP + number * _LINE + _LINE // 2, line, _FONT + 2)
    for number, (name, image) in enumerate(thinned):
        row, column = divmod(number, layout.columns)
        left, top = _GAP + column * pitch, panels_top + row * (height + _LINE + _GAP)
        page.text(left, top + _LINE // 2, name)
        page.picture(left, top + _LINE, image, layout.scale)
    for number, (name, (_, colour)) in enumerate(zip(names, entries, strict=True)):
        column, row = divmod(number, rows)
        left, middle = _GAP + column * entry_width, legend_top + row * _LINE + _LINE // 2
        page.swatch(left, middle, colour)
        page.text(left + _SWATCH + 12, middle, name)
    return page.figure


def _widest(names: Sequence[str]) -> int:
    figure = Figure(dpi=_DPI)
    texts = [figure.text(0, 0, name, size=_FONT, parse_math=False) for name in names]
    return math.ceil(max((t.get_window_extent().width for t in texts), default=0))


def _levels(colour: Iterable[Any]) -> Colour:
    red, green, blue = (int(level) for level in list(colour)[:3])
    return red, green, blue
