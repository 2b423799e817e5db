"""Values of options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

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
    from ..memory import keep_within

    limit = float(match[1]) * _UNITS[match[2]]
    context.call_on_close(keep_within(limit))
    return limit


def memory_limit_option(beyond: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option of every command that keeps within 2 GB unless it is told otherwise.

    Args:
        beyond: what becomes of what is larger, for the help.
    """
    return click.option(
        "--memory-limit",
        callback=parse_bytes,
        default="2G",
        show_default=True,
        metavar="SIZE",
        help=f"Most memory to take, such as 800M or 4G; {beyond}.",
    )


def parse_shape(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> list[int] | None:
    """A click callback: "100,120" as lines and samples; None where nothing is given.

    Raises:
        click.BadParameter: it is no such pair of numbers.
    """
    if value is None:
        return None
    match = re.fullmatch(r"\s*(\d{1,9})\s*[,x×]\s*(\d{1,9})\s*", value)
    if match is None or not int(match[1]) or not int(match[2]):
        raise click.BadParameter(f"{value!r} is not lines and samples such as 100,120")
    return [int(match[1]), int(match[2])]


def array_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that takes a cube, which say how its array is read."""
    options = [
        click.option("--scene-variable", metavar="NAME", help="The cube's name inside its file."),
        click.option(
            "--axes",
            metavar="ORDER",
            help="Order of the cube's axes where its file does not tell: y,x,band or band,y,x ...",
        ),
        click.option(
            "--shape",
            callback=parse_shape,
            metavar="LINES,SAMPLES",
            help="Size of the scene, where the cube is a matrix of bands × pixels.",
        ),
        click.option(
            "--nodata",
            type=float,
            help="The value that marks missing data; nan: nothing is missing or masked.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command
