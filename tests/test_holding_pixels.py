"""In which pixel of a grid a place lies."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsi_suite.data.holding_pixels import holding_pixels
from hsi_suite.data.scene import Georeference

SIZE = (40, 50)
GRIDS = [
    (30, 0, 366_000, 0, -30, 5_812_020),
    (0.1, 0, 12.3, 0, -0.1, 52.7),
    (1 / 3, 0, -1e6 / 7, 0, -1 / 3, 4e6 / 7),
    (0.0002695, 0, 13.0123, 0, -0.0002695, 52.3771),
    (2.6, 1.5, 500_000.3, 1.5, -2.6, 4_000_000.7),  # turned
    (0, 30, 366_000, 30, 0, 5_812_020),  # lines from west to east
    (-5, 0, 100, 0, 5, 100),
]


def place(transform, sample, line):
    a, b, c, d, e, f = transform
    return np.stack([a * sample + b * line + c, d * sample + e * line + f])


def exact(transform, x, y):
    """Sample and line of a place, in rational numbers."""
    a, b, c, d, e, f = map(Fraction, transform)
    x, y = Fraction(x) - c, Fraction(y) - f
    determinant = a * e - b * d
    return (e * x - b * y) / determinant, (a * y - d * x) / determinant


@pytest.mark.parametrize("transform", GRIDS)
def test_every_corner_of_a_pixel_is_held_by_the_pixel_that_begins_there(transform):
    line, sample = (each.ravel() for each in np.mgrid[-2:43, -2:53].astype(float))
    inside, lines, samples = holding_pixels(
        Georeference(None, transform), SIZE, place(transform, sample, line)
    )
    expected = (line >= 0) & (line < 40) & (sample >= 0) & (sample < 50)
    assert np.array_equal(inside, expected)
    assert np.array_equal(lines, line[expected]) and np.array_equal(samples, sample[expected])


@pytest.mark.parametrize("transform", GRIDS)
def test_edges_between_corners_are_too(transform):
    for sample, line in ((7.0, 3.5), (7.5, 3.0), (49.0, 0.25), (0.0, 39.75), (0.5, 0.0)):
        _, lines, samples = holding_pixels(
            Georeference(None, transform), SIZE, place(transform, sample, line)[:, None]
        )
        assert (lines.tolist(), samples.tolist()) == ([floor(line)], [floor(sample)])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(GRIDS))
def test_places_are_held_as_rational_numbers_say(seed, transform):
    generator = np.random.default_rng(seed)
    sample, line = generator.uniform(-3, 55, (2, 30))
    places = place(transform, sample, line)
    inside, lines, samples = holding_pixels(Georeference(None, transform), SIZE, places)
    expected = []
    for x, y in places.T:
        found = exact(transform, float(x), float(y))
        if any(abs(value - round(value)) < Fraction(1, 10**5) for value in found):
            return  # too near to an edge to be told by other arithmetic
        expected.append((floor(found[1]), floor(found[0])))
    known = [(0 <= row < 40) and (0 <= column < 50) for row, column in expected]
    assert inside.tolist() == known
    held = [pair for pair, here in zip(expected, known, strict=True) if here]
    assert list(zip(lines.tolist(), samples.tolist(), strict=True)) == held


@pytest.mark.parametrize(
    "transform",
    [(0, 0, 0, 0, 0, 0), (1, 1, 0, 1, 1, 0), (np.inf, 0, 0, 0, 1, 0), (np.nan, 0, 0, 0, 1, 0)],
)
def test_a_grid_that_places_nothing_holds_nothing(transform):
    places = np.array([[0.0, 0.5, 2], [0, 0.5, 2]])
    inside, lines, samples = holding_pixels(Georeference(None, transform), SIZE, places)
    assert not inside.any() and not lines.size and not samples.size


def test_places_without_an_image_lie_nowhere():
    places = np.array([[np.nan, np.inf, -np.inf, 1e308, 3], [1, 1, 1, -1e308, 2]])
    inside, lines, samples = holding_pixels(Georeference(None, (1, 0, 0, 0, 1, 0)), SIZE, places)
    assert inside.tolist() == [False, False, False, False, True]
    assert (lines.tolist(), samples.tolist()) == ([2], [3])
