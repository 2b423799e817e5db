"""Groups of commands that name the one nearest to a misspelt one, and refuse empty words."""

from __future__ import annotations

import click

from ..registry import nearest_names

# Characters: more than any sentence has.
_WHOLE = 1000
# Of which nothing is a value: none of them.
_MAY_BE_EMPTY = ("--baselines",)


class SuggestingGroup(click.Group):
    """A group whose message on an unknown command says which was probably meant."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with the whole first sentence of each, which click would cut."""
        commands = [(name, self.get_command(context, name)) for name in self.list_commands(context)]
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, each.get_short_help_str(_WHOLE)) for name, each in commands if each]
            )

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name.

        Raises:
            click.UsageError: there is none of this name, or an empty word stands among them.
        """
        try:
            name, command, words = super().resolve_command(context, args)
        except click.UsageError as error:
            near = nearest_names(args[0], self.list_commands(context))
            # Newer releases of click do the same, for commands that are loaded.
            if near and "did you mean" not in error.format_message().lower():
                meant = f"{error.message.rstrip('.')}. Did you mean {' or '.join(near)}?"
                raise click.UsageError(meant, error.ctx) from None
            raise
        if command is not None and not isinstance(command, click.Group):
            _refuse_empty(words, click.Context(command, context, name))
        return name, command, words


def _refuse_empty(words: list[str], context: click.Context) -> None:
    """Refuse what a script leaves of a variable that it has not set.

    As a path it would be the folder that one is in.

    Raises:
        click.UsageError: a word is empty, or the value of an option.
    """
    before = ""
    for word in words:
        alone = not word.startswith("--")
        option, equals, value = (before, "=", word) if alone else word.partition("=")
        before = word
        if not equals or value.strip() or option in _MAY_BE_EMPTY:
            continue
        if option.startswith("-"):
            raise click.UsageError(f"Option {option!r}: an empty text; leave it out", context)
        found = "An empty text among the arguments; expected a name or a file"
        raise click.UsageError(found, context)
