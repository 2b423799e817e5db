"""Fonts of figures: one that matplotlib brings, and one with Chinese signs, where there is one."""

from __future__ import annotations

from functools import cache

from matplotlib.font_manager import fontManager

LATIN = "DejaVu Sans"
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
