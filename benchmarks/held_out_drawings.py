"""Drawings of kinds that no denoiser learns from: what `drawn_pictures` judges by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage, spatial

from hsi_suite.data.drawings.ink import FINE, Canvas, any_colour, ground, ink, paper
from hsi_suite.data.drawings.text import font, pages, words

Generator = np.random.Generator
Points = NDArray[np.float64]
_FONTS = ("DejaVuSerif.ttf", "STIXGeneral.ttf", "STIXGeneralItalic.ttf", "cmr10.ttf", "cmtt10.ttf")


def serif_pages(side: int, generator: Generator) -> Image.Image:
    """Pages of text in fonts that are not learnt from."""
    return pages(side, generator, _FONTS)


def maps(side: int, generator: Generator) -> Image.Image:
    """Heights in pale colours, with contour lines and names."""
    size = side * FINE
    heights = ndimage.gaussian_filter(generator.standard_normal((size, size)), side / 4)
    steps = int(generator.integers(4, 10))
    levels = np.floor(steps * (heights - heights.min()) / (np.ptp(heights) + 1e-12)).astype(int)
    colours = generator.integers(130, 256, (steps + 1, 3), dtype=np.uint8)
    edges = ndimage.morphological_gradient(levels, 3) > 0
    shown = colours[levels]
    shown[edges] = generator.integers(0, 110, 3)
    picture = Image.fromarray(shown).reduce(FINE)
    canvas = Canvas(picture, smooth=False)
    letters = font(_FONTS[0], int(generator.integers(8, 14)))
    for place in generator.integers(0, side - 20, (8, 2)).tolist():
        canvas.pen.text(place, words(9, generator), fill=(20, 20, 20), font=letters)
    return canvas.finished()


def mazes(side: int, generator: Generator) -> Image.Image:
    """Slanted walls that lead one way or the other in every cell."""
    picture, colour = ground(side, generator, gradients=0)
    canvas = Canvas(picture, smooth=generator.random() < 0.5)
    cell, fill = int(generator.integers(6, 20)), ink(colour, generator)
    width = canvas.width(generator.uniform(1, cell / 4))
    for line in range(0, side, cell):
        for sample in range(0, side, cell):
            first, second = (0, cell) if generator.random() < 0.5 else (cell, 0)
            ends = np.array([(sample + first, line), (sample + second, line + cell)], float)
            canvas.pen.line(canvas.place(ends), fill=fill, width=width)
    return canvas.finished()


def leaded_glass(side: int, generator: Generator) -> Image.Image:
    """Cells about points, each of a colour, with dark borders."""
    seeds = generator.uniform(0, side, (int(generator.integers(10, 120)), 2))
    axis = (np.arange(side * FINE) + 0.5) / FINE
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), 2)
    distances, nearest = spatial.cKDTree(seeds).query(grid, k=2)
    colours = np.array([any_colour(generator) for _ in seeds], np.uint8)
    shown = colours[nearest[..., 0]]
    shown[distances[..., 1] - distances[..., 0] < generator.uniform(0, 3)] = 15
    return Image.fromarray(shown).reduce(FINE)


def sheet_music(side: int, generator: Generator) -> Image.Image:
    """Staves with notes, stems and beams."""
    light = paper(generator)
    canvas = Canvas(Image.new("RGB", (side, side), light), smooth=True)
    fill, gap = ink(light, generator), float(generator.integers(4, 8))
    for top in np.arange(gap, side, 11 * gap):
        for line in range(5):
            ends = np.array([(0, top + line * gap), (side, top + line * gap)])
            canvas.pen.line(canvas.place(ends), fill=fill, width=canvas.width(1))
        for sample in np.arange(2 * gap, side, 2.5 * gap):
            middle = np.array([sample, top + generator.integers(0, 9) * gap / 2])
            half = np.array([0.65, 0.45]) * gap
            first, second = canvas.place(np.array([middle - half, middle + half]))
            hollow = generator.random() < 0.3
            canvas.pen.ellipse([*first, *second], fill=None if hollow else fill, outline=fill)
            stem = middle + np.array([(half[0], 0), (half[0], -3.5 * gap)])
            canvas.pen.line(canvas.place(stem), fill=fill, width=canvas.width(1))
    return canvas.finished()


def windows(side: int, generator: Generator) -> Image.Image:
    """Windows of a screen, one over another: title bars, text, buttons."""
    canvas = Canvas(Image.new("RGB", (side, side), any_colour(generator)), smooth=False)
    letters = font(_FONTS[0], int(generator.integers(9, 13)))
    for _ in range(3):
        width, height = (int(each) for each in generator.integers(side // 2, side, 2))
        left, top = (int(each) for each in generator.integers(-side // 5, side // 2, 2))
        face, bar = paper(generator), any_colour(generator)
        canvas.pen.rectangle((left, top, left + width, top + height), face, (90, 90, 90))
        canvas.pen.rectangle((left + 1, top + 1, left + width - 1, top + 16), bar)
        canvas.pen.text((left + 4, top + 2), words(12, generator), ink(bar, generator), letters)
        dark = ink(face, generator)
        for line in range(top + 22, top + height - 30, 15):
            text = words(width // 8, generator)
            canvas.pen.text((left + 6, line), text, dark, letters)
        for button in range(3):
            corner = (left + 8 + 60 * button, top + height - 22)
            ends = (*corner, corner[0] + 50, corner[1] + 17)
            canvas.pen.rounded_rectangle(ends, 4, (225, 225, 225), (120, 120, 120))
            label = words(6, generator)
            canvas.pen.text((corner[0] + 6, corner[1] + 2), label, (0, 0, 0), letters)
    return canvas.finished()


HELD_OUT = {
    "serif pages": serif_pages,
    "maps": maps,
    "mazes": mazes,
    "leaded glass": leaded_glass,
    "sheet music": sheet_music,
    "windows": windows,
}
