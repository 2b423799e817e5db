"""The Bayer mosaic of a sensor: one colour a pixel, and how the other two are made of neighbours.

Images are lines × samples × 3, float32, of linear light.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Picture = NDArray[np.float32]


def mosaic(light: Picture, corner: tuple[int, int] = (0, 0)) -> Picture:
    """What a Bayer sensor keeps of each pixel, lines × samples.

    Args:
        light: lines × samples × 3.
        corner: line and sample of the first red pixel.
    """
    colours = colours_seen(light.shape[:2], corner)
    return np.take_along_axis(light, colours[..., None], 2)[..., 0]


def demosaic(raw: Picture, corner: tuple[int, int] = (0, 0), *, adaptive: bool = True) -> Picture:
    """All three colours of each pixel of a Bayer mosaic.

    Args:
        raw: lines × samples.
        corner: line and sample of the first red pixel.
        adaptive: interpolate green along the smaller gradient, with the curvature of the other
            colour (after Hamilton and Adams, 1997); else bilinearly. Red and blue follow by their
            differences from green.
    """
    colours = colours_seen(raw.shape, corner)
    green = np.where(colours == 1, raw, _missing_green(raw, adaptive))
    planes = [green]
    for colour in (0, 2):
        planes.append(green + _interpolated((raw - green) * (colours == colour)))
    return np.stack([planes[1], planes[0], planes[2]], 2).astype(np.float32)


def _missing_green(raw: Picture, adaptive: bool) -> Picture:
    lines, samples = raw.shape
    # The mirror image without the edge twice goes on with the mosaic's own colours.
    padded = np.pad(raw, 2, mode="reflect")

    def neighbour(down: int, right: int) -> Picture:
        return padded[2 + down : 2 + down + lines, 2 + right : 2 + right + samples]

    up, down, left, right = neighbour(-1, 0), neighbour(1, 0), neighbour(0, -1), neighbour(0, 1)
    if not adaptive:
        return np.asarray((up + down + left + right) / 4, np.float32)
    curved = 2 * raw - neighbour(-2, 0) - neighbour(2, 0)
    bent = 2 * raw - neighbour(0, -2) - neighbour(0, 2)
    steeper = np.abs(up - down) + np.abs(curved) - np.abs(left - right) - np.abs(bent)
    vertical = (up + down) / 2 + curved / 4
    horizontal = (left + right) / 2 + bent / 4
    share = (np.sign(steeper) + 1) / 2
    return np.asarray(vertical + share * (horizontal - vertical), np.float32)


def _interpolated(values: Picture) -> Picture:
    """Bilinear: of red or blue, which stand at every second line and sample, 0 elsewhere."""
    for axis in (0, 1):
        values = ndimage.correlate1d(values, [0.5, 1, 0.5], axis, mode="mirror")
    return values


def colours_seen(shape: tuple[int, ...], corner: tuple[int, int]) -> NDArray[np.intp]:
    """Which colour each pixel sees, 0 to 2."""
    lines, samples = (
        (np.arange(size) + first) % 2 for size, first in zip(shape, corner, strict=True)
    )
    return np.asarray(lines[:, None] + samples, np.intp)
