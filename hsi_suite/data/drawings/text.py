"""Text: lines of words in fonts, and rows of signs of a few strokes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .ink import FINE, Canvas, Colour, ground, ink

Generator = np.random.Generator
Font = ImageFont.FreeTypeFont
#: Files of matplotlib; "" is Pillow's own font.
FONTS = (
    "",
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSansMono.ttf",
)
_SIZES = (7.0, 30.0)
_LETTERS = np.array(list("eeeeetttaaaooiinnsshhrrddllccuummwwffggyyppbbvkjxqz"))
_CAPITALS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
_MARKS = np.array(list(".,;:!?-()/%&@#*+=\"'[]{}<>"))


@lru_cache(maxsize=256)
def font(name: str, size: int) -> Font:
    """A font of `FONTS`, or another of matplotlib's files, in pixels."""
    if not name:
        own = ImageFont.load_default(size)
        assert isinstance(own, ImageFont.FreeTypeFont)
        return own
    import matplotlib as mpl

    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / name, size)


def words(count: int, generator: Generator) -> str:
    """Letters as frequent as in English, about, in words, with capitals, digits and marks."""
    letters = _LETTERS[generator.integers(0, len(_LETTERS), count)]
    chances = generator.random(count)
    rare = chances < 0.08
    letters[rare] = _CAPITALS[generator.integers(0, len(_CAPITALS), int(rare.sum()))]
    rare = chances > 0.96
    letters[rare] = _MARKS[generator.integers(0, len(_MARKS), int(rare.sum()))]
    letters[generator.random(count) < 0.17] = " "
    return "".join(letters)


def pages(side: int, generator: Generator, fonts: tuple[str, ...] = FONTS) -> Image.Image:
    """Lines of text, ragged, with gaps between paragraphs, dark on light or light on dark."""
    picture, colour = ground(side, generator, gradients=0.1)
    name = fonts[generator.integers(len(fonts))]
    size = int(np.exp(generator.uniform(*np.log(_SIZES))))
    chosen = ink(colour, generator)
    edges = generator.random()
    if edges < 0.25:
        return _fringed(picture, name, size, chosen, generator)
    pen = ImageDraw.Draw(picture)
    pen.fontmode = "1" if edges < 0.45 else "L"
    _write(pen, side, name, size, 1, chosen, generator)
    if generator.random() < 0.2:
        marked = ink(colour, generator)
        line = int(generator.integers(0, side))
        pen.rectangle((0, line, side, line + size + 4), fill=chosen)
        pen.text((2, line + 1), words(side // 4, generator), fill=marked, font=font(name, size))
    return picture


def _fringed(
    picture: Image.Image, name: str, size: int, colour: Colour, generator: Generator
) -> Image.Image:
    """Text as screens show it: every colour of a pixel at the place of its own third."""
    side = picture.width
    mask = Image.new("L", (side * FINE, side * FINE))
    _write(ImageDraw.Draw(mask), side, name, size, FINE, 255, generator)
    thirds = np.asarray(mask.reduce((1, FINE)), np.float32) / 255
    padded = np.pad(thirds, ((0, 0), (1, 1)))
    smooth = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3
    shares = smooth.reshape(side, side, FINE)
    below = np.asarray(picture, np.float32)
    shown = below + shares * (np.array(colour, np.float32) - below)
    return Image.fromarray(np.rint(shown).astype(np.uint8))


def _write(
    pen: ImageDraw.ImageDraw,
    side: int,
    name: str,
    size: int,
    scale: int,
    fill: Colour | int,
    generator: Generator,
) -> None:
    chosen = font(name, size * scale)
    left = int(generator.integers(-side // 4, side // 4))
    step = size * generator.uniform(1.0, 1.7)
    line = generator.uniform(-step, step)
    while line < side:
        count = int(generator.integers(side // (3 * size) + 1, 3 * side // size + 3))
        if generator.random() > 0.1:
            place = (left * scale, round(line) * scale)
            pen.text(place, words(count, generator), fill=fill, font=chosen)
        line += step


def signs(side: int, generator: Generator) -> Image.Image:
    """Rows of signs, each of a few strokes in its cell, some of them the same again."""
    picture, colour = ground(side, generator, gradients=0.1)
    canvas = Canvas(picture, smooth=generator.random() < 0.6)
    cell = int(generator.integers(8, 28))
    width = canvas.width(max(1.0, cell * generator.uniform(0.05, 0.14)))
    fill = ink(colour, generator)
    alphabet = [_strokes(generator) for _ in range(12)]
    height = round(cell * generator.uniform(1, 1.6))
    corner = generator.integers(-cell, 1, 2)
    for line in range(int(corner[0]), side, height):
        for sample in range(int(corner[1]), side, cell):
            chance = generator.random()
            if chance < 0.12:
                continue
            for stroke in alphabet[int((chance - 0.12) / 0.88 * len(alphabet))]:
                points = canvas.place(stroke * 0.85 * cell + (sample, line))
                canvas.pen.line(points, fill=fill, width=width)
    return canvas.finished()


def _strokes(generator: Generator) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Of a sign, in a square of side 1; most are upright or level."""
    strokes = []
    for _ in range(generator.integers(2, 6)):
        ends = generator.integers(0, 5, (2, 2)) / 4
        if generator.random() < 0.6:
            axis = generator.integers(2)
            ends[1, axis] = ends[0, axis]
        strokes.append(ends)
    return strokes
