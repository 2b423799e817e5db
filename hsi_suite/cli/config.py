"""`hsi config`: the configurations that ship with the package."""

from __future__ import annotations

import click


@click.group()
def config() -> None:
    """List and show configurations."""


@config.command(name="list")
def list_configs() -> None:
    """Print the names of all shipped configurations."""
    from ..config import config_names

    for name in config_names():
        click.echo(name)


@config.command()
@click.argument("name", metavar="NAME|FILE")
def show(name: str) -> None:
    """Print a configuration with everything it extends filled in."""
    import yaml

    from ..config import load_tree

    text = yaml.safe_dump(load_tree(name), sort_keys=False, allow_unicode=True)
    click.echo(text, nl=False)
