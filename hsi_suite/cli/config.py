"""`hsi config`: the configurations that ship with the package."""

from __future__ import annotations

import click

from .suggestions import SuggestingGroup

_EXAMPLES = """\b
Examples:
  hsi config show batch/smoke > mine.yaml
  hsi config show denoising/fine_tune --all
"""


@click.group(cls=SuggestingGroup)
def config() -> None:
    """List and show configurations."""


@config.command(name="list")
def list_configs() -> None:
    """Print the names of all shipped configurations."""
    from ..config import config_names

    for name in config_names():
        click.echo(name)


@config.command(epilog=_EXAMPLES)
@click.argument("name", metavar="NAME|FILE")
@click.option("--all", "every_key", is_flag=True, help="Also the keys that the file leaves out.")
def show(name: str, every_key: bool) -> None:
    """Print a configuration with everything it extends filled in.

    With --all every key that `--set` can change is there, with its default.
    """
    import yaml

    from ..config import dump_yaml, load_tree

    tree = load_tree(name)
    if not every_key:
        click.echo(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True), nl=False)
    elif tree.get("task") == "batch":
        from ..config import validate
        from ..schemas.batch import BatchConfig

        click.echo(dump_yaml(validate(BatchConfig, tree, name)), nl=False)
    else:
        from ..runs.launch import complete

        config, stand_in = complete(name)
        if stand_in is not None:
            click.echo(f"# No data set is named in {name}; {stand_in} stands for yours.")
        click.echo(dump_yaml(config), nl=False)
