"""Pictures that are not drawn, for tests of what a run computes, keeps and resumes.

Drawing the pictures of a small run takes more than half of its time. With the mark
`stand_in_pictures` a file of tests has all of a page made, figures and their data included; only
matplotlib's layout and rendering are left out. A stand-in has the format and the size of what it
stands for and carries a digest of what a figure shows, so that files of equal runs are equal and
those of others are not. Where pictures or pages are the matter, no such mark stands; where they are
that of one test of a file, it takes the fixture `drawn_pictures`.
"""

import hashlib
import io
from contextlib import contextmanager
from functools import cache

import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.collections import Collection
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from hsi_suite.reports import drawing

_SHOWN = {
    Axis: lambda axis: [axis.get_label_text()],
    Text: lambda text: [text.get_text()],
    Line2D: lambda line: [line.get_xydata()],
    AxesImage: lambda image: [image.get_array()],
    Patch: lambda patch: [patch.get_path().vertices, patch.get_facecolor()],
    Collection: lambda group: [group.get_offsets(), *(p.vertices for p in group.get_paths())],
}


def digest(figure):
    """Of the texts, lines, images and areas of a figure, and of what is written at its axes."""
    found = hashlib.sha256()
    left = [figure]
    while left:
        artist = left.pop()
        # The ticks of an axis would be made to be looked at.
        left += [] if isinstance(artist, Axis) else artist.get_children()
        shown = next((_SHOWN[kind] for kind in _SHOWN if isinstance(artist, kind)), lambda _: ())
        for each in shown(artist):
            text = isinstance(each, str)
            found.update(each.encode() if text else np.ma.getdata(each).tobytes())
    return found.hexdigest()


@cache
def _blank(width, height):
    return Image.new("1", (width, height), 1)


@contextmanager
def _not_drawn(figure, canvas, dpi):
    """In place of `drawing.laid_out`: within the block `figure.savefig` writes a stand-in."""
    width, height = (round(inches * dpi) for inches in figure.get_size_inches())

    def savefig(buffer, format, **_):
        if format == "svg":
            shown = (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt">'
            )
            buffer.write(f'<?xml version="1.0"?>\n{shown}<desc>{digest(figure)}</desc></svg>')
            return
        said = PngInfo()
        said.add_text("Description", digest(figure))
        content = io.BytesIO()
        _blank(width, height).save(content, "PNG", pnginfo=said)
        buffer.write(content.getvalue())

    figure.savefig = savefig
    try:
        yield
    finally:
        del figure.savefig


class _NoTicks:
    """In place of the ticks that matplotlib makes for every axis, a seventh of a small run."""

    def __init__(self, name):
        self._name = name

    def __get__(self, axis, kind):
        return self if axis is None else axis.__dict__.setdefault(self._name, [])


_TICKS = {name: vars(Axis)[name] for name in ("majorTicks", "minorTicks")}
_LAID_OUT = drawing.laid_out


def use_stand_ins(monkeypatch):
    """Let no figure of a page or a run be drawn."""
    monkeypatch.setattr(drawing, "laid_out", _not_drawn)
    for name in _TICKS:
        monkeypatch.setattr(Axis, name, _NoTicks(name))


@contextmanager
def undrawn():
    """No figure is drawn inside the block."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_stand_ins(monkeypatch)
        yield


def draw_again(monkeypatch):
    """Let figures be drawn, within `use_stand_ins`."""
    monkeypatch.setattr(drawing, "laid_out", _LAID_OUT)
    for name, ticks in _TICKS.items():
        monkeypatch.setattr(Axis, name, ticks)
