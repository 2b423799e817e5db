"""The boxes of an image over which a classifier's answers are averaged in a test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .image_boxes import Boxes
from .random_boxes import centred_boxes

# Szegedy et al. (CVPR 2015), section 7: lengths of the shorter side for crops of 224.
_CROP = 224
_SCALES = (256, 288, 320, 352)


def multi_crop_boxes(
    shapes: NDArray[np.int64], crops: int, side: float
) -> tuple[Boxes, NDArray[np.bool_]]:
    """The boxes of every image, and which of them are mirrored.

    Args:
        shapes: lines and samples of N images, N × 2.
        crops: 1, the square of `side` in the middle. 10: corners and centre of the middle
            square, 7/8 of its side each, and their mirror images (Krizhevsky et al., NIPS 2012,
            section 4.1: 224 of 256). 12: these and the whole square. 144: GoogLeNet's four
            scales (7/8, 7/9, 7/10, 7/11 of the shorter side) of three squares along the longer
            side, 12 boxes each. In square images the three are the same one and come once, so
            that 48 boxes give the same mean.
        side: in pixels, of the one box of `crops` 1.

    Returns:
        Top, left, height and width, N × V × 4; whether a view is mirrored, V.
    """
    if crops == 1:
        return centred_boxes(shapes, side)[:, None], np.zeros(1, bool)
    short = shapes.min(1).astype(np.float64)
    scales = _SCALES if crops == 144 else _SCALES[:1]
    square = bool((shapes == shapes[:, :1]).all())
    positions = (0.0, 0.5, 1.0) if crops == 144 and not square else (0.5,)
    boxes = []
    for scale in scales:
        for position in positions:
            corners = (shapes - short[:, None]) * position
            boxes += _inner_boxes(corners, short, short * _CROP / scale, whole=crops != 10)
    views = np.repeat(np.stack(boxes, 1), 2, axis=1)
    return views, np.tile([False, True], len(boxes))


def _inner_boxes(
    corners: NDArray[np.float64],
    square: NDArray[np.float64],
    side: NDArray[np.float64],
    *,
    whole: bool,
) -> list[Boxes]:
    """Four corners and the centre of N squares, and the squares themselves."""
    places = ((0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5))
    room = (square - side)[:, None]
    extent = np.stack([side, side], 1)
    boxes = [np.hstack([corners + np.array(place) * room, extent]) for place in places]
    if whole:
        boxes.append(np.hstack([corners, np.stack([square, square], 1)]))
    return boxes
