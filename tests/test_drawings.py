"""Drawings that denoisers learn from: whole, repeatable, of any size, and none like another."""

import numpy as np
import pytest
from PIL import Image

from hsi_suite.data.drawings import KINDS, draw_kind, draw_picture
from hsi_suite.data.drawings.ink import any_colour, ink, luma, paper


def rng(*seed):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_drawing_is_a_function_of_its_size_and_its_generator(kind):
    pictures = [draw_kind(kind, 96, rng(seed)) for seed in range(12)]
    for seed, picture in enumerate(pictures):
        assert picture.shape == (96, 96, 3) and picture.dtype == np.uint8
        assert np.array_equal(picture, draw_kind(kind, 96, rng(seed)))
        assert not any(np.array_equal(picture, other) for other in pictures[:seed])
    empty = sum(picture.std((0, 1)).max() < 2 for picture in pictures)
    assert empty <= 1


@pytest.mark.parametrize("side", [1, 7, 8, 20, 33])
def test_small_ones_are_drawn_too(side):
    for seed in range(40):
        assert draw_picture(side, rng(seed)).shape == (side, side, 3)


def test_all_kinds_come_up_and_some_pictures_are_panels_or_turned_round(monkeypatch):
    asked = []
    for number, name in enumerate(KINDS):
        flat = Image.new("RGB", (40, 40), (number, number, number))
        monkeypatch.setitem(
            KINDS, name, lambda *_, name=name, flat=flat: asked.append(name) or flat
        )
    colours = [set(draw_picture(40, rng(seed)).ravel().tolist()) for seed in range(300)]
    assert len(asked) > 300 and set(asked) == set(KINDS)
    assert asked.count("pages") > max(asked.count(name) for name in KINDS if name != "pages")
    assert 20 < sum(len(each) > 1 for each in colours) < 100
    assert 10 < sum(min(each) > 200 for each in colours) < 60


def test_edges_are_hard_in_some_and_smooth_in_others():
    """With hard edges line art has few colours; smooth ones hold many between them."""
    counts = []
    for seed in range(30):
        picture = draw_kind("line_art", 64, rng(seed))
        counts.append(len(np.unique(picture.reshape(-1, 3), axis=0)))
    assert sum(count <= 26 for count in counts) >= 4
    assert sum(count > 60 for count in counts) >= 8


def test_ink_can_be_seen_on_its_paper():
    generator = rng(0)
    grounds = [paper(generator) for _ in range(300)]
    contrasts = [abs(luma(ink(each, generator)) - luma(each)) for each in grounds]
    assert min(contrasts) > 70
    bright = np.array([luma(each) for each in grounds])
    assert (bright > 225).sum() > 100 and (bright < 45).sum() > 40
    greys = [len(set(any_colour(generator))) == 1 for _ in range(300)]
    assert 80 < sum(greys) < 200


def test_cells_of_mosaics_lie_on_the_grid_of_jpeg_in_a_part_of_them():
    """Those whose blocks of 8 × 8 pixels are of one colour each, which random places never give."""
    on_grid = 0
    for seed in range(80):
        picture = draw_kind("mosaics", 64, rng(seed))
        blocks = picture.reshape(8, 8, 8, 8, 3).swapaxes(1, 2)
        on_grid += bool((blocks == blocks[:, :, :1, :1]).all())
    assert 5 <= on_grid <= 40
