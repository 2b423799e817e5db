"""Groups of commands that name the one nearest to a misspelt one."""

from __future__ import annotations

import click

from ..registry import nearest_names

# Characters: more than any sentence has.
_WHOLE = 1000


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
            click.UsageError: there is none of this name.
        """
        try:
            return super().resolve_command(context, args)
        except click.UsageError as error:
            near = nearest_names(args[0], self.list_commands(context))
            # Newer releases of click do the same, for commands that are loaded.
            if near and "did you mean" not in error.format_message().lower():
                meant = f"{error.message.rstrip('.')}. Did you mean {' or '.join(near)}?"
                raise click.UsageError(meant, error.ctx) from None
            raise
