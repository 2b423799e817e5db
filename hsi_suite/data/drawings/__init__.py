"""Pictures that no camera took: text, lines, charts, codes, pixel art, drawn at random by code.

Denoisers learn from them what photographs do not hold. Every drawing is a function of its size and
of the generator alone; the fonts are those of Pillow and matplotlib.
"""

from .kinds import KINDS, draw_kind, draw_picture

__all__ = ["KINDS", "draw_kind", "draw_picture"]
