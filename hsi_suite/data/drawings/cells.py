"""Drawings of equal cells: codes, pixel art, and the screens of print and of few colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .ink import any_colour, gradient, ink, paper

Pixels = NDArray[np.uint8]
Generator = np.random.Generator
# Sides of cells: those that fill the blocks of JPEG are frequent in what is drawn.
_ROUND = (4, 8, 8, 16)
_ROUND_SHARE = 0.35
_AT_CORNER = 0.5
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])


def codes(side: int, generator: Generator) -> Image.Image:
    """Squares, or bars, of two colours at random, some with the corner marks of QR codes."""
    cell = int(generator.integers(2, 11))
    count = side // cell + 2
    bits = generator.random((count, count)) < generator.uniform(0.35, 0.65)
    chance = generator.random()
    if chance < 0.25:
        bits[:] = bits[0]
    elif chance < 0.75:
        for line, sample in generator.integers(0, max(count - 9, 1), (2, 2)):
            _mark(bits[line : line + 9, sample : sample + 9])
    light = paper(generator)
    colours = np.array([light, ink(light, generator)], np.uint8)
    if chance < 0.25 and generator.random() < 0.5:
        bits = bits.T
    return Image.fromarray(_enlarged(colours[bits.astype(int)], cell, side, generator))


def _mark(bits: NDArray[np.bool_]) -> None:
    """Draw the square in a square, with its margin, of 9 × 9 cells; less at an end."""
    reach = np.abs(np.mgrid[-4:5, -4:5]).max(0)
    bits[:] = ((reach == 3) | (reach < 2))[: bits.shape[0], : bits.shape[1]]


def mosaics(side: int, generator: Generator) -> Image.Image:
    """Pixel art: cells of few colours or of any, alone, in runs, or mirrored as figures are."""
    round_cell = generator.random() < _ROUND_SHARE
    cell = int(generator.choice(_ROUND)) if round_cell else int(generator.integers(1, 17))
    count = side // cell + 2
    if generator.random() < 0.3:
        colours = generator.integers(0, 256, (count, count, 3), dtype=np.uint8)
        return Image.fromarray(_enlarged(colours, cell, side, generator))
    palette = np.array([any_colour(generator) for _ in range(generator.integers(2, 17))], np.uint8)
    indices = generator.integers(0, len(palette), (count, count))
    chance = generator.random()
    if chance < 0.5:
        _run_on(indices, generator)
    elif chance < 0.8:
        width = int(generator.integers(4, 17))
        indices[generator.random(indices.shape) < 0.3] = 0
        tile = np.concatenate([indices[:width, :width], indices[:width, :width][:, ::-1]], 1)
        times = (count // len(tile) + 1, count // tile.shape[1] + 1)
        indices = np.tile(tile, times)[:count, :count]
    return Image.fromarray(_enlarged(palette[indices], cell, side, generator))


def _run_on(indices: NDArray[np.int64], generator: Generator) -> None:
    """Let cells have the colour of those before them, mostly, so that areas come about."""
    same = generator.uniform(0.3, 0.9)
    for values in (indices, indices.T):
        kept = generator.random(values.shape) < same
        for line in range(1, len(values)):
            values[line, kept[line]] = values[line - 1, kept[line]]


def _enlarged(colours: Pixels, cell: int, side: int, generator: Generator) -> Pixels:
    """Cells as squares of pixels; half of the pictures begin with a whole one."""
    line, sample = (0, 0) if generator.random() < _AT_CORNER else generator.integers(0, cell, 2)
    large = colours.repeat(cell, 0).repeat(cell, 1)
    return np.ascontiguousarray(large[line : line + side, sample : sample + side])


def screens(side: int, generator: Generator) -> Image.Image:
    """A gradient of two or eight colours, by ordered dithering or by dots, as print has them."""
    ramp = gradient(side, generator).astype(np.float32) / 255
    cell = int(generator.integers(1, 4))
    if generator.random() < 0.5:
        small = np.tile((_BAYER + 0.5) / 16, (side // (4 * cell) + 1,) * 2)
        limits = small.repeat(cell, 0).repeat(cell, 1)[:side, :side, None]
        shown = ramp > limits
    else:
        period = generator.uniform(3, 12)
        angles = generator.uniform(0, np.pi, 3 if generator.random() < 0.5 else 1)
        shown = ramp > np.stack([_dots(side, period, angle) for angle in angles], 2)
    if generator.random() < 0.5:
        return Image.fromarray(np.where(shown, 255, 0).astype(np.uint8))
    light = paper(generator)
    colours = np.array([ink(light, generator), light], np.uint8)
    return Image.fromarray(colours[shown[..., 1].astype(int)])


def _dots(side: int, period: float, angle: float) -> NDArray[np.float64]:
    """Limits of 0 to 1 that turn brightness into dots of a size."""
    lines, samples = np.ogrid[:side, :side]
    turn = 2 * np.pi / period
    first = np.cos(turn * (np.cos(angle) * lines + np.sin(angle) * samples))
    second = np.cos(turn * (np.cos(angle) * samples - np.sin(angle) * lines))
    return np.asarray((first + second + 2) / 4)
