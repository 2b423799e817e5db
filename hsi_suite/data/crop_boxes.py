"""Where images are cut: at random in training, in fixed places in a test."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .image_boxes import Boxes

_TRIES = 10
# Szegedy et al. (CVPR 2015), section 7: lengths of the shorter side for crops of 224.
_CROP = 224
_SCALES = (256, 288, 320, 352)


def centred_boxes(shapes: NDArray[np.int64], side: float) -> Boxes:
    """The square of a side in the middle of each image.

    Args:
        shapes: lines and samples of N images, N × 2.
        side: in pixels, at most the shorter side.

    Returns:
        Top, left, height, width; N × 4. Whole pixels where the side is whole.
    """
    corners = (shapes - side) / 2
    if float(side).is_integer():
        corners = np.floor(corners)
    return _joined(corners, np.full((len(shapes), 2), float(side)))


def shifted_boxes(
    shapes: NDArray[np.int64], side: float, pad: int, generator: np.random.Generator
) -> Boxes:
    """A square at a random place in whole pixels of each image, which is padded on all sides.

    With `pad` 4 the augmentation usual for CIFAR (He et al., CVPR 2016, section 4.2); without
    padding that of AlexNet (Krizhevsky et al., NIPS 2012, section 4.1).

    Args:
        shapes: lines and samples of N images, N × 2.
        side: of the square in pixels, at most the shorter side.
        pad: pixels by which it may reach beyond the image.
        generator: source of chance.

    Returns:
        Top, left, height, width; N × 4.
    """
    room = np.floor(shapes - side).astype(np.int64) + 2 * pad
    corners = generator.integers(0, room, endpoint=True) - pad
    return _joined(corners.astype(np.float64), np.full((len(shapes), 2), float(side)))


def random_area_boxes(
    shapes: NDArray[np.int64],
    area: Sequence[float],
    aspect: Sequence[float],
    generator: np.random.Generator,
) -> Boxes:
    """A box of random area and aspect at a random place inside each image.

    GoogLeNet's way of training (Szegedy et al., CVPR 2015, section 6): areas of 8 to 100 % of
    the image, aspects of 3/4 to 4/3, here even on a logarithmic scale. Of ten boxes drawn for an
    image the first that fits in is taken; where none does, the largest centred one of an aspect
    within the range.

    Args:
        shapes: lines and samples of N images, N × 2.
        area: least and greatest share of the image's area, drawn evenly.
        aspect: least and greatest ratio of width to height.
        generator: source of chance.

    Returns:
        Top, left, height, width in fractions of pixels; N × 4.
    """
    number = len(shapes)
    lines, samples = shapes[:, :1].astype(np.float64), shapes[:, 1:].astype(np.float64)
    areas = generator.uniform(area[0], area[1], (number, _TRIES)) * lines * samples
    ratios = np.exp(generator.uniform(math.log(aspect[0]), math.log(aspect[1]), (number, _TRIES)))
    places = generator.random((number, 2))
    heights, widths = np.sqrt(areas / ratios), np.sqrt(areas * ratios)
    fits = (heights <= lines) & (widths <= samples)
    first = fits.argmax(1)[:, None]
    drawn = np.hstack([np.take_along_axis(each, first, 1) for each in (heights, widths)])
    whole = np.hstack([lines, samples])
    ratio = np.clip(samples / lines, aspect[0], aspect[1])
    largest = np.hstack([np.minimum(lines, samples / ratio), np.minimum(samples, lines * ratio)])
    found = fits.any(1, keepdims=True)
    extents = np.where(found, drawn, largest)
    corners = np.where(found, places, 0.5) * (whole - extents)
    return _joined(corners, extents)


def _joined(corners: NDArray[np.float64], extents: NDArray[np.float64]) -> Boxes:
    return np.hstack([corners, extents]).astype(np.float64)


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
