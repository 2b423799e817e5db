"""The widths that a figure can be drawn in."""

from __future__ import annotations

from ...errors import ConfigError

#: In mm.
NARROWEST, WIDEST = 40.0, 500.0


def check_width(width: float) -> None:
    """Refuse a width in mm that no figure is drawn in.

    Raises:
        ConfigError: it is too narrow or too wide.
    """
    if not NARROWEST <= width <= WIDEST:
        raise ConfigError("--width", f"{width:g} mm", f"{NARROWEST:g} to {WIDEST:g} mm")
