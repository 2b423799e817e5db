"""The reference of the commands, from the tree of commands itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click
from markdown_text import escaped

from hsi_suite.cli import cli

# click takes what follows this sign as it stands.
_AS_IT_STANDS = "\b"
_DEPTH = 2


def every_command(
    group: click.Group = cli, above: tuple[str, ...] = ("hsi",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and group below `group` with the words that call it."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield (*above, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, (*above, name))


def commands() -> str:
    """One heading for each command: what it does, how it is called, its options, examples."""
    return "\n".join(_described(words, command) for words, command in every_command())


def _described(words: tuple[str, ...], command: click.Command) -> str:
    context = click.Context(command, info_name=" ".join(words))
    parts = [f"{'#' * len(words)} {' '.join(words)}", _text(command.help or "")]
    if not isinstance(command, click.Group):
        pieces = " ".join([*words, *command.collect_usage_pieces(context)])
        parts += [_block(pieces), _options(command, context), _text(command.epilog or "")]
    return "\n\n".join(part for part in parts if part) + "\n"


def _options(command: click.Command, context: click.Context) -> str:
    rows = [row for each in command.params if (row := each.get_help_record(context))]
    return "\n\n".join(f"`{names}`\n: {escaped(' '.join(said.split()))}" for names, said in rows)


def _text(text: str) -> str:
    """Paragraphs as Markdown; those that click leaves as they stand are blocks of code."""
    paragraphs = inspect.cleandoc(text.partition("\f")[0]).split("\n\n")
    return "\n\n".join(
        _block(each.lstrip().removeprefix(_AS_IT_STANDS).strip("\n"))
        if each.lstrip().startswith(_AS_IT_STANDS)
        else escaped(" ".join(each.split()))
        for each in paragraphs
        if each.strip()
    )


def _block(text: str) -> str:
    heading, _, rest = text.partition("\n")
    if re.fullmatch(r"\w+:", heading):
        return f"{heading}\n\n{_block(inspect.cleandoc(rest))}"
    return f"```text\n{text}\n```"
