"""Values of options that several commands share."""

from __future__ import annotations

import re

import click

_UNITS = {"": 1, "M": 1e6, "G": 1e9}


def parse_bytes(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> float | None:
    """A click callback: "800M" or "2G" as a number of bytes; None where nothing is given.

    Raises:
        click.BadParameter: it is no amount of memory.
    """
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([MG]?)B?", value.upper())
    if match is None:
        raise click.BadParameter(f"{value!r} is no amount of memory such as 800M or 2G")
    return float(match[1]) * _UNITS[match[2]]
