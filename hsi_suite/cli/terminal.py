"""What is printed line by line, safe for a terminal whatever the names in it hold."""

from __future__ import annotations

import click

from ..printable import safe_line


def say(line: object = "", *, err: bool = False) -> None:
    """Print one line; codes that a terminal would act on are written out."""
    click.echo(safe_line(line), err=err)


def announce(command: str, text: str) -> None:
    """Say on standard error what a command is about to do, before what takes seconds to load."""
    say(f"hsi {command}: {text}", err=True)
