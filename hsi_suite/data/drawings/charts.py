"""Charts: axes with labels, and bars, curves, points or sectors."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .ink import Canvas, Colour, any_colour, ground, ink
from .text import FONTS, font, words

Generator = np.random.Generator


def charts(side: int, generator: Generator) -> Image.Image:
    """Axes, a grid, values as bars, curves, points or sectors, and labels in small letters."""
    picture, colour = ground(side, generator, gradients=0.05)
    canvas = Canvas(picture, smooth=generator.random() < 0.6)
    left, below = (int(each) for each in generator.integers(8, max(side // 4, 9), 2))
    frame = (left, side - below)
    pale = any_colour(generator)
    gaps = generator.integers(8, 40, 2)
    if generator.random() < 0.6:
        _grid(canvas, frame, (int(gaps[0]), int(gaps[1])), pale)
    dark = ink(colour, generator)
    values = (_bars, _curves, _points, _sectors)[generator.integers(4)]
    values(canvas, frame, side, generator)
    axes = np.array([(left, 0), (left, side - below), (side, side - below)], float)
    canvas.pen.line(canvas.place(axes), fill=dark, width=canvas.width(1))
    size = int(generator.integers(7, 13)) * canvas.scale
    letters = font(FONTS[generator.integers(len(FONTS))], size)
    for line in range(0, side - below, int(gaps[0])):
        text = f"{generator.uniform(0, 100):.1f}"
        canvas.pen.text((0, line * canvas.scale), text, fill=dark, font=letters)
    title = words(int(generator.integers(5, 20)), generator)
    canvas.pen.text(canvas.place(axes[1:2] + 2.0)[0], title, fill=dark, font=letters)
    return canvas.finished()


def _grid(canvas: Canvas, frame: tuple[int, int], gaps: tuple[int, int], fill: Colour) -> None:
    left, bottom = frame
    side = canvas.picture.width // canvas.scale
    for line in range(bottom, -1, -gaps[0]):
        ends = np.array([(left, line), (side, line)], float)
        canvas.pen.line(canvas.place(ends), fill=fill, width=canvas.width(1))
    for sample in range(left, side, gaps[1]):
        ends = np.array([(sample, 0), (sample, bottom)], float)
        canvas.pen.line(canvas.place(ends), fill=fill, width=canvas.width(1))


def _bars(canvas: Canvas, frame: tuple[int, int], side: int, generator: Generator) -> None:
    left, bottom = frame
    step = int(generator.integers(4, 24))
    width = max(2, round(step * generator.uniform(0.5, 1)))
    colours = [any_colour(generator) for _ in range(generator.integers(1, 4))]
    for number, sample in enumerate(range(left + 2, side, step)):
        top = generator.uniform(0, bottom)
        corners = np.rint(np.array([(sample, top), (sample + width - 1, bottom)]))
        first, second = canvas.place(corners)
        canvas.pen.rectangle([*first, *second], fill=colours[number % len(colours)])


def _curves(canvas: Canvas, frame: tuple[int, int], side: int, generator: Generator) -> None:
    left, bottom = frame
    samples = np.arange(left, side + 4, int(generator.integers(2, 12)), dtype=float)
    width = canvas.width(generator.uniform(1, 3))
    for _ in range(generator.integers(1, 5)):
        walk = np.cumsum(generator.standard_normal(len(samples)))
        lines = bottom * (0.5 + walk / (2.2 * np.abs(walk).max() + 1e-9))
        points = canvas.place(np.stack([samples, lines], 1))
        canvas.pen.line(points, fill=any_colour(generator), width=width)


def _points(canvas: Canvas, frame: tuple[int, int], side: int, generator: Generator) -> None:
    left, bottom = frame
    radius = generator.uniform(1, 4)
    fill = any_colour(generator)
    for _ in range(generator.integers(10, 80)):
        middle = generator.uniform((left, 0), (side, bottom))
        first, second = canvas.place(np.array([middle - radius, middle + radius]))
        canvas.pen.ellipse([*first, *second], fill=fill)


def _sectors(canvas: Canvas, frame: tuple[int, int], side: int, generator: Generator) -> None:
    left, bottom = frame
    radius = min(side - left, bottom) / 2 - 1
    middle = np.array([(side + left) / 2, bottom / 2])
    first, second = canvas.place(np.array([middle - radius, middle + radius]))
    ends = np.cumsum(generator.dirichlet(np.ones(int(generator.integers(2, 8))))) * 360
    start = 0.0
    for end in ends:
        canvas.pen.pieslice([*first, *second], start, float(end), fill=any_colour(generator))
        start = float(end)
