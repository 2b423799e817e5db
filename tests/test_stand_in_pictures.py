"""Stand-ins of pictures tell one figure from another, and are what a page expects of a picture."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from stand_in_pictures import use_stand_ins

from hsi_suite.reports.drawing import to_png, to_svg


def figure(title="title", line=1.0, pixel=0, label="x", colour="red"):
    drawn = Figure(figsize=(3, 2), layout="constrained")
    curve, image = drawn.subplots(1, 2)
    curve.plot([0, line], label="a")
    curve.bar([1, 2], [1, 2], color=colour)
    curve.set(title=title, xlabel=label)
    curve.legend()
    image.imshow(np.full((4, 4), pixel))
    image.scatter([0, line], [0, 1])
    return drawn


@pytest.mark.parametrize("write", [to_png, to_svg])
def test_equal_figures_are_equal_and_others_are_not(write, monkeypatch):
    drawn = write(figure())
    use_stand_ins(monkeypatch)
    changes = ({"title": "b"}, {"line": 2}, {"pixel": 1}, {"label": "y"}, {"colour": "blue"})
    files = [write(figure(**change)) for change in ({}, *changes)]
    assert len(set(files)) == len(files)
    assert write(figure()) == files[0] != drawn
    assert files[0][:8] == drawn[:8]


def test_stand_ins_have_the_size_of_what_they_stand_for(monkeypatch):
    sizes = []
    for _ in range(2):
        with Image.open(io.BytesIO(to_png(figure(), 150))) as picture:
            sizes.append(picture.size)
        use_stand_ins(monkeypatch)
    assert sizes[0] == sizes[1] == (450, 300)


def test_other_files_draw_their_pictures():
    with Image.open(io.BytesIO(to_png(figure()))) as picture:
        assert len(picture.getcolors(100_000)) > 10
