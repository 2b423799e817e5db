"""What is printed line by line, safe for a terminal whatever the names in it hold."""

from __future__ import annotations

from pathlib import Path

import click

from ..printable import safe_line


def say(line: object = "", *, err: bool = False) -> None:
    """Print one line; codes that a terminal would act on are written out."""
    click.echo(safe_line(line), err=err)


def announce(command: str, text: str) -> None:
    """Say on standard error what a command is about to do, before what takes seconds to load."""
    say(f"hsi {command}: {text}", err=True)


def names_of(paths: tuple[str, ...], several: str) -> str:
    """What a command was given, in a word: the name of one file or folder, the number of several.

    Args:
        paths: as they were given.
        several: what they are: "runs".
    """
    return Path(paths[0]).absolute().name if len(paths) == 1 else f"{len(paths)} {several}"
