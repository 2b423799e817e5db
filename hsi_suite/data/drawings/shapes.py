"""Line art, and areas of one colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .ink import Canvas, any_colour, ground, ink

Generator = np.random.Generator
Points = NDArray[np.float64]
_SMOOTH = 0.6


def line_art(side: int, generator: Generator) -> Image.Image:
    """Straight and curved lines, outlines, hatching, in one ink or in several."""
    picture, colour = ground(side, generator)
    canvas = Canvas(picture, smooth=generator.random() < _SMOOTH)
    fill, many = ink(colour, generator), generator.random() < 0.4
    thickest = generator.uniform(1, 5)
    for _ in range(generator.integers(4, 26)):
        if many:
            fill = ink(colour, generator)
        width = canvas.width(generator.uniform(1, thickest))
        chance = generator.random()
        if chance < 0.15:
            for ends in _hatching(side, generator):
                canvas.pen.line(canvas.place(ends), fill=fill, width=1)
        elif chance < 0.35:
            box = canvas.place(_box(side, generator))
            canvas.pen.ellipse([*box[0], *box[1]], outline=fill, width=width)
        else:
            points = _curve(side, generator) if chance < 0.7 else _corners(side, generator)
            canvas.pen.line(canvas.place(points), fill=fill, width=width, joint="curve")
    return canvas.finished()


def shapes(side: int, generator: Generator) -> Image.Image:
    """Areas of one colour, some with an outline, one over another."""
    picture, _ = ground(side, generator, gradients=0.3)
    canvas = Canvas(picture, smooth=generator.random() < _SMOOTH)
    edge = any_colour(generator) if generator.random() < 0.4 else None
    width = canvas.width(generator.uniform(1, 3))
    for _ in range(generator.integers(2, 18)):
        fill = any_colour(generator)
        chance = generator.random()
        if chance < 0.4:
            points = generator.uniform(-0.1, 1.1, (int(generator.integers(3, 7)), 2)) * side
            canvas.pen.polygon(canvas.place(points), fill, edge, width)
            continue
        box = canvas.place(_box(side, generator))
        corners = [*box[0], *box[1]]
        if chance < 0.7:
            canvas.pen.ellipse(corners, fill, edge, width)
        elif chance < 0.9:
            canvas.pen.rectangle(corners, fill, edge, width)
        else:
            radius = canvas.width(side / 20)
            canvas.pen.rounded_rectangle(corners, radius, fill, edge, width)
    return canvas.finished()


def _box(side: int, generator: Generator) -> Points:
    """Its corners, in whole pixels."""
    middle = generator.uniform(0, side, 2)
    half = np.exp(generator.uniform(np.log(2), np.log(side / 2), 2))
    corners: Points = np.rint(np.array([middle - half, middle + half]))
    return corners


def _corners(side: int, generator: Generator) -> Points:
    """Of a broken line; some go along lines and samples alone."""
    points = generator.uniform(-0.1, 1.1, (int(generator.integers(2, 7)), 2)) * side
    if generator.random() < 0.4:
        points = np.rint(points)
        points[1::2, 0] = points[: len(points) // 2 * 2 : 2, 0]
        points[2::2, 1] = points[1 : len(points) - 1 : 2, 1]
    return points


def _curve(side: int, generator: Generator) -> Points:
    """A cubic Bézier curve."""
    ends = generator.uniform(-0.2, 1.2, (4, 2)) * side
    along = np.linspace(0, 1, 25)[:, None]
    back = 1 - along
    weights = (back**3, 3 * back**2 * along, 3 * back * along**2, along**3)
    return np.asarray(np.concatenate(weights, 1) @ ends)


def _hatching(side: int, generator: Generator) -> list[Points]:
    angle, gap = generator.uniform(0, np.pi), generator.uniform(3, 9)
    length = generator.uniform(side / 6, side)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    start = generator.uniform(0, side, 2)
    count = int(generator.integers(4, 20))
    return [start + k * gap * across + np.array([[0.0], [length]]) * along for k in range(count)]
