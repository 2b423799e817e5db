"""The texts inside figures, where a font for them is installed."""

from __future__ import annotations

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from ..fonts import LATIN, chinese_font
from .catalogue import catalogue
from .speaking import ENGLISH, spoken


def has_font() -> bool:
    """Whether figures can be written in the language that is spoken."""
    return spoken() == ENGLISH or chinese_font() is not None


def translate_figure(figure: Figure) -> None:
    """Put the texts of a figure into the language that is spoken; without a font they stay.

    Args:
        figure: changed in place, before it is laid out.
    """
    font = None if spoken() == ENGLISH else chinese_font()
    if font is None:
        return
    texts = catalogue(spoken())
    for axis in figure.findobj(Axis):
        # Labels of ticks are made anew when the figure is drawn, unless they are set.
        labels = [each.get_text() for each in axis.get_ticklabels()]
        found = [texts.translate(each) or each for each in labels]
        if found != labels:
            axis.set_ticklabels(found)
    for text in figure.findobj(Text):
        said = text.get_text()
        found_text = texts.translate(said) if said else None
        if found_text is not None and found_text != said:
            text.set_text(found_text)
        # Few of these fonts have a bold face, and matplotlib warns of each text without it.
        text.set(fontfamily=[font, LATIN], fontweight="normal")
