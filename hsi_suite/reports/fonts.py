"""Fonts of figures: one that matplotlib brings, and one with Chinese signs, where there is one."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from matplotlib.font_manager import findfont, fontManager
from matplotlib.ft2font import FT2Font

from ..errors import Note
from ..printable import shortened
from ..process_wide import own_filters

LATIN = "DejaVu Sans"
_SIGN = re.compile(r"Glyph (\d+) ")
_LONGEST = 40
# What was said already, so that a page of ten figures says it once.
_said: set[str] = set()
# Of the systems that students have, and of the usual packages; the first that is there is taken.
_CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Sans CJK JP",
    "SimHei",
    "Heiti SC",
    "Droid Sans Fallback",
    "Arial Unicode MS",
    "Noto Serif CJK SC",
    "SimSun",
    "AR PL UMing CN",
    "AR PL UKai CN",
)


@cache
def chinese_font() -> str | None:
    """A font of this machine that has Chinese signs; None where none is known to be installed."""
    installed = {each.name for each in fontManager.ttflist}
    return next((name for name in _CHINESE if name in installed), None)


@contextmanager
def missing_signs() -> Iterator[None]:
    """Say in one line which signs no font has, for which boxes are drawn inside the block.

    Matplotlib says it in several lines for each sign and each time that it draws it.
    """
    missing: dict[str, None] = {}
    with own_filters():
        show = warnings.showwarning

        def keep(message: Warning | str, *where: Any, **more: Any) -> None:
            found = _SIGN.match(str(message))
            if found is None:
                show(message, *where, **more)
            else:
                missing[chr(int(found[1]))] = None

        warnings.filterwarnings("always", _SIGN.pattern, UserWarning)
        warnings.showwarning = keep
        yield
    signs = "".join(sign for sign in missing if sign not in _said)
    if signs:
        _said.update(signs)
        warnings.warn(
            f"figures: no font of this machine has {shortened(signs, _LONGEST)}, and boxes stand "
            "for these signs; install one that has them, such as Noto Sans CJK SC for Chinese",
            Note,
            stacklevel=4,
        )


def figure_names(names: Iterable[str], labels: Iterable[int]) -> list[str]:
    """Names of classes as figures have them: "class 3" where a font for them is missing.

    Args:
        names: of the classes.
        labels: of each, its number in the tables of the page.
    """
    pairs = list(zip(names, labels, strict=True))
    missing = [name for name, _ in pairs if not drawable(name)]
    if missing:
        _say_numbers(shortened(missing[0], _LONGEST))
    return [name if drawable(name) else f"class {label}" for name, label in pairs]


def drawable(text: str) -> bool:
    """Whether the fonts of figures have every sign of a text."""
    return text.isascii() or all(sign.isspace() or ord(sign) in _signs() for sign in text)


@cache
def _say_numbers(name: str) -> None:
    # Kept here, as Python forgets what it has said whenever filters change, as for each figure.
    warnings.warn(
        f"figures: no font of this machine has the signs of {name}, and classes stand there by "
        "their numbers; install one that has them, such as Noto Sans CJK SC for Chinese (package "
        "fonts-noto-cjk of Debian and Ubuntu)",
        Note,
        stacklevel=4,
    )


@cache
def _signs() -> frozenset[int]:
    """The code points that the fonts of figures have."""
    families = [LATIN, *filter(None, [chinese_font()])]
    return frozenset().union(*(FT2Font(findfont(each)).get_charmap() for each in families))
