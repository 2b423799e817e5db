"""Colours of drawings, what they are drawn on, and lines with smooth or with hard edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...restoration.colour import LUMA

Colour = tuple[int, int, int]
Generator = np.random.Generator
_GREY = 0.35
_LEAST_CONTRAST = 70
#: Pixels of a drawing with smooth edges for one of the picture, along lines and along samples.
FINE = 3


def paper(generator: Generator) -> Colour:
    """The colour of a ground: mostly white or nearly so, often dark, or any."""
    chance = generator.random()
    if chance < 0.3:
        return (255, 255, 255)
    if chance < 0.45:
        return _near(240, generator)
    if chance < 0.55:
        return (0, 0, 0)
    return _near(30, generator) if chance < 0.65 else any_colour(generator)


def ink(ground: Colour, generator: Generator) -> Colour:
    """A colour that can be seen on a ground; black or white in every third case."""
    bright = luma(ground)
    if generator.random() < 1 / 3:
        return (0, 0, 0) if bright > 127 else (255, 255, 255)
    for _ in range(20):
        colour = any_colour(generator)
        if abs(luma(colour) - bright) > _LEAST_CONTRAST:
            return colour
    return (0, 0, 0) if bright > 127 else (255, 255, 255)


def any_colour(generator: Generator) -> Colour:
    """Any colour; some are grey, and some are as pure as those of old palettes."""
    chance = generator.random()
    if chance < _GREY:
        level = int(generator.integers(0, 256))
        return (level, level, level)
    levels = generator.integers(0, 256, 3)
    if chance > 0.8:
        levels = np.rint(levels / 255).astype(int) * 255
    red, green, blue = (int(level) for level in levels)
    return (red, green, blue)


def luma(colour: Colour) -> float:
    """0 to 255, by ITU-R 601."""
    return sum(weight * level for weight, level in zip(LUMA, colour, strict=True))


def _near(level: int, generator: Generator) -> Colour:
    red, green, blue = (int(each) for each in level + generator.integers(-15, 16, 3))
    return (red, green, blue)


def ground(
    side: int, generator: Generator, *, gradients: float = 0.2
) -> tuple[Image.Image, Colour]:
    """What is drawn on, and its colour in the middle: of one colour, or a share of gradients."""
    colour = paper(generator)
    if generator.random() >= gradients:
        return Image.new("RGB", (side, side), colour), colour
    ramp = gradient(side, generator)
    middle = ramp[side // 2, side // 2]
    return Image.fromarray(ramp), (int(middle[0]), int(middle[1]), int(middle[2]))


def gradient(side: int, generator: Generator) -> NDArray[np.uint8]:
    """From one colour to another, along a line or from a point; side × side × 3.

    A part of them goes by steps, as gradients of few colours do.
    """
    ends = np.array([any_colour(generator), any_colour(generator)], np.float32)
    lines, samples = np.ogrid[:side, :side]
    if generator.random() < 0.6:
        angle = generator.uniform(0, 2 * np.pi)
        along = np.cos(angle) * lines + np.sin(angle) * samples
    else:
        line, sample = generator.uniform(0, side, 2)
        along = np.hypot(lines - line, samples - sample)
    along = (along - along.min()) / np.ptp(along)
    if generator.random() < 0.25:
        steps = int(generator.integers(3, 24))
        along = np.rint(along * steps) / steps
    shares = along[..., None].astype(np.float32)
    levels = np.rint(ends[0] + shares * (ends[1] - ends[0]))
    return np.asarray(levels, np.uint8)


class Canvas:
    """A picture that is drawn on with hard edges, or `FINE` times as large and then made small.

    Args:
        picture: the ground, of the size that is wanted.
        smooth: whether edges are smooth.
    """

    def __init__(self, picture: Image.Image, *, smooth: bool) -> None:
        self.scale = FINE if smooth else 1
        self.picture = picture
        if smooth:
            side = picture.width * self.scale
            self.picture = picture.resize((side, side), Image.Resampling.NEAREST)
        self.pen = ImageDraw.Draw(self.picture)

    def place(self, points: NDArray[np.float64]) -> list[tuple[float, float]]:
        """Points (N × 2: sample, line) of the wanted size where the pen is to go."""
        return [(float(x), float(y)) for x, y in points * self.scale]

    def width(self, width: float) -> int:
        """Of a line, for the pen; at least 1."""
        return max(1, round(width * self.scale))

    def finished(self) -> Image.Image:
        """The picture in the wanted size."""
        return self.picture if self.scale == 1 else self.picture.reduce(self.scale)
