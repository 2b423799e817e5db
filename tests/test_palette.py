"""Colours: how far apart they are for all eyes; figures are measured, then rounded down."""

import itertools

import numpy as np
import pytest

from hsi_suite.metrics.colours import VISIONS, cielab, differences, least_difference
from hsi_suite.palette import (
    BOTH,
    NO_DATA,
    RIGHT,
    SERIES,
    SPLIT_COLOURS,
    SPLIT_PARTS,
    UNLABELLED,
    WRONG,
    class_colours,
    fold_colours,
)

GREYS = np.repeat(np.arange(256)[:, None], 3, axis=1)


def slow_cielab(colour, matrix):
    """CIE 15: level by level, with nothing of the library's."""
    linear = [
        level / 255 / 12.92 if level / 255 <= 0.04045 else ((level / 255 + 0.055) / 1.055) ** 2.4
        for level in colour
    ]
    seen = [
        min(max(sum(part * light for part, light in zip(row, linear, strict=True)), 0.0), 1.0)
        for row in matrix
    ]
    rows = (
        (0.4124564, 0.3575761, 0.1804375),
        (0.2126729, 0.7151522, 0.0721750),
        (0.0193339, 0.1191920, 0.9503041),
    )
    roots = []
    for row in rows:
        share = sum(part * light for part, light in zip(row, seen, strict=True)) / sum(row)
        low = share <= 216 / 24389
        roots.append((24389 / 27 * share + 16) / 116 if low else share ** (1 / 3))
    x, y, z = roots
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def test_cielab_is_that_of_the_definition():
    colours = np.random.default_rng(0).integers(0, 256, (50, 3))
    for name, matrix in VISIONS.items():
        expected = [slow_cielab(colour, matrix) for colour in colours]
        np.testing.assert_allclose(cielab(colours, name), expected, atol=1e-9)


def test_cielab_of_known_colours():
    np.testing.assert_allclose(cielab(np.array([255, 255, 255])), (100, 0, 0), atol=1e-9)
    np.testing.assert_allclose(cielab(np.array([255, 0, 0])), (53.24, 80.09, 67.20), atol=0.01)


def test_cielab_is_that_of_scikit_image():
    colour = pytest.importorskip("skimage.color")
    levels = np.random.default_rng(1).integers(0, 256, (40, 3))
    np.testing.assert_allclose(cielab(levels), colour.rgb2lab(levels / 255), atol=0.02)


def test_no_vision_changes_greys():
    for name in VISIONS:
        np.testing.assert_allclose(cielab(GREYS, name), cielab(GREYS), atol=0.02)


def test_red_and_green_are_alike_to_those_without_red_or_green_cones():
    both = np.array([[190, 60, 40], [105, 105, 30]])
    far = np.linalg.norm(np.subtract(*cielab(both)))
    near = np.linalg.norm(np.subtract(*cielab(both, "deuteranopia")))
    assert far > 50 > 10 > near
    assert differences(both[:1], both[1:])[0, 0] <= near


def test_differences_are_the_least_of_all_pairs_and_visions():
    colours = np.random.default_rng(2).integers(0, 256, (6, 3))
    found = differences(colours[:2], colours[2:])
    for (i, one), (j, other) in itertools.product(enumerate(colours[:2]), enumerate(colours[2:])):
        pairs = [
            np.subtract(slow_cielab(one, matrix), slow_cielab(other, matrix))
            for matrix in VISIONS.values()
        ]
        assert found[i, j] == pytest.approx(min(np.linalg.norm(pair) for pair in pairs))
    assert least_difference(colours) == pytest.approx(
        min(differences(a[None], b[None])[0, 0] for a, b in itertools.combinations(colours, 2))
    )


@pytest.mark.parametrize(
    ("classes", "least"), [(2, 96), (4, 53), (6, 39), (9, 30), (12, 17.1), (16, 16.7), (20, 14.9)]
)
def test_classes_are_told_apart_by_all_eyes(classes, least):
    assert least_difference(class_colours(classes)[1:]) >= least


def test_no_class_of_the_first_twenty_is_like_any_grey():
    assert differences(class_colours(20)[1:], GREYS).min() >= 14


def test_all_that_is_no_class_is_grey_and_the_greys_are_told_apart():
    greys = np.vstack([SPLIT_COLOURS, np.array([NO_DATA])])
    assert (np.ptp(np.vstack([greys, fold_colours(7)]), axis=1) == 0).all()
    assert len(SPLIT_COLOURS) == len(SPLIT_PARTS)
    assert tuple(SPLIT_COLOURS[0]) == UNLABELLED
    assert least_difference(SPLIT_COLOURS) >= 22
    assert least_difference(greys) >= 11


@pytest.mark.parametrize(("folds", "least"), [(2, 17), (5, 13), (10, 5)])
def test_folds_are_greys_of_their_own(folds, least):
    colours = fold_colours(folds)
    assert len(colours) == folds + 2
    assert least_difference(colours) >= least


def test_right_is_blue_and_wrong_orange():
    marks = np.array([RIGHT, WRONG, BOTH])
    assert RIGHT[2] > 2 * RIGHT[0] > 0
    assert WRONG[0] > WRONG[1] > WRONG[2]
    assert least_difference(marks[:2]) >= 89
    assert least_difference(np.vstack([marks, SPLIT_COLOURS])) >= 19


def test_series_of_charts_are_told_apart_and_seen_on_white_and_on_black():
    colours = np.array([[int(one[k : k + 2], 16) for k in (1, 3, 5)] for one in SERIES])
    assert least_difference(colours) >= 24
    lightness = cielab(colours)[:, 0]
    assert lightness.min() > 40
    assert lightness.max() < 75


def test_later_classes_have_colours_too():
    colours = class_colours(60)
    assert len(np.unique(colours, axis=0)) == 61
    np.testing.assert_array_equal(colours[:21], class_colours(20))
