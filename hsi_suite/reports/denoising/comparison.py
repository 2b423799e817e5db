"""Before and after: what a denoiser made of an image, the whole and a detail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from ..drawing import ACCENT, house_style

Values = NDArray[Any]

_OVERVIEW = 480
_DETAIL = 96
_INCHES = 4.6
_LONGEST = 4


def comparison_figure(
    noisy: Values, denoised: Values, white: float, captions: Mapping[str, str]
) -> Figure:
    """Noisy image, denoised image and their difference; below, the same detail of each.

    The detail is where neighbouring pixels of the denoised image differ most. The difference is
    drawn around grey, with four of its standard deviations as black and white: how many levels
    that are is said above it.

    Args:
        noisy: lines × samples (× 3).
        denoised: of the same shape.
        white: the value drawn as white.
        captions: of "noisy", "denoised" and "difference".
    """
    corner = liveliest(denoised, white, _DETAIL)
    detail = tuple(slice(start, start + _DETAIL) for start in corner)
    step = max(1, -(-max(noisy.shape[:2]) // _OVERVIEW))
    rows = [
        [_reduced(image, step, white) for image in (noisy, denoised)],
        [_scaled(image[detail], white) for image in (noisy, denoised)],
    ]
    spread = float(np.std(rows[1][0] - rows[1][1])) or 1.0
    # Narrow strips would make pages of any length; drawn to scale they are as good as invisible.
    tall = min(max(noisy.shape[0] / noisy.shape[1], 1 / _LONGEST), _LONGEST)
    height = _INCHES * (tall + 1)
    with house_style():
        figure = Figure(figsize=(3 * _INCHES, height + 0.6), layout="constrained")
        axes = figure.subplots(2, 3, squeeze=False, height_ratios=[tall, 1])
        for images, line in zip(rows, axes, strict=True):
            difference = (images[0] - images[1]) / (8 * spread) + 0.5
            for axis, image in zip(line, [*images, difference], strict=True):
                axis.imshow(image.clip(0, 1), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
                axis.set_axis_off()
        for axis, name in zip(axes[0], ("noisy", "denoised", "difference"), strict=True):
            scale = f", ±{4 * spread * 255:.0f} of 255" if name == "difference" else ""
            axis.set_title(captions[name] + scale)
            frame = (corner[1] / step, corner[0] / step)
            side = _DETAIL / step
            axis.add_patch(Rectangle(frame, side, side, fill=False, edgecolor=ACCENT))
    return figure


def _scaled(image: Values, white: float) -> Values:
    return np.asarray(image, np.float32) / np.float32(white)


def _reduced(image: Values, step: int, white: float) -> Values:
    """Means of cells of step × step pixels, on the scale 0 to 1."""
    lines, samples = (max(size // step, 1) for size in image.shape[:2])
    cut = image[: lines * step, : samples * step]
    cells = cut.reshape(lines, len(cut) // lines, samples, cut.shape[1] // samples, *cut.shape[2:])
    return np.asarray(cells.mean((1, 3), dtype=np.float32)) / np.float32(white)


def liveliest(image: Values, white: float, side: int) -> tuple[int, int]:
    """Corner of the part of a regular grid in which neighbours differ most.

    Args:
        image: lines × samples (× 3).
        white: the value that counts as 1.
        side: of the parts, in pixels.
    """
    best, corner = -1.0, (0, 0)
    for line in range(0, max(image.shape[0] - side, 0) + 1, side):
        for sample in range(0, max(image.shape[1] - side, 0) + 1, side):
            part = _scaled(image[line : line + side, sample : sample + side], white)
            variation = sum(float(np.abs(np.diff(part, axis=axis)).sum()) for axis in (0, 1))
            if variation > best:
                best, corner = variation, (line, sample)
    return corner
