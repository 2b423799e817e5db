"""`hsi models`: list and describe the models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .output import print_json
from .suggestions import SuggestingGroup
from .terminal import announce, say
from .values import language_option, require_page

if TYPE_CHECKING:
    from ..models.description import ModelDescription
    from ..reports.document import Table

# What a pipe or a file gets; a terminal has its own.
_WIDTH = 110
# \b keeps click from joining the lines.
_EXAMPLES = """\b
Examples:
  hsi models describe hybridsn --input 1x30x25x25
  hsi models describe hybridsn --set num_classes=9
  hsi models describe mine.py:Net --input 30x15x15
"""
_COMPARISONS = """\b
Examples:
  hsi models compare hybridsn ssrn "hybridsn block=residual attention=se"
  hsi models compare "ffdnet block={name: resnext, groups: 4}" ffdnet
  hsi models compare resnet_20 mobilenet_v2 --runs runs/ \\
    --dataset cifar10 -o comparison/
"""
_SIZE = re.compile(r"[1-9][0-9]{0,8}([x×][1-9][0-9]{0,8})*")


@click.group(cls=SuggestingGroup, context_settings={"help_option_names": ["-h", "--help"]})
def models() -> None:
    """Models: which there are, what they are made of and what they cost."""


@models.command("list")
@click.option("--blocks", is_flag=True, help="List the building blocks of networks instead.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(blocks: bool, as_json: bool) -> None:
    """List the networks and classical models."""
    # What describes them takes a second or two to load.
    from ..models.listing import list_blocks, list_models

    entries = list_blocks() if blocks else list_models()
    if as_json:
        print_json(entries)
        return
    _print(_block_table(entries) if blocks else _model_table(entries))


@models.command()
@click.argument("file", metavar="FILE.py")
def trust(file: str) -> None:
    """Allow a network's file that came with somebody else's run: it is a program, read it first.

    A file that you train with, or describe, is allowed by that. What is noted is its SHA-256, so a
    changed file has to be allowed again.
    """
    from ..models.network_file import trust as trust_file

    say(f"allowed: {file}, SHA-256 {trust_file(file)}")


@models.command(epilog=_EXAMPLES)
@click.argument("name")
@click.option("--input", "size", metavar="SIZE", help="Shape of one input, such as 3x224x224.")
@click.option("--set", "settings", metavar="KEY=VALUE", multiple=True, help="Change an argument.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; memory in bytes.")
def describe(name: str, size: str | None, settings: tuple[str, ...], as_json: bool) -> None:
    """Print a network's layers and its stages: sizes, memory, parameters, multiply-adds.

    Channels and window follow from the input. Memory is that of the outputs in single precision
    for one input; a layer that passes its input on takes none.
    """
    from ..config import apply_settings
    from ..models.network_file import is_network_file, parts_of, trust

    options = apply_settings({}, settings)
    shape = None if size is None else _parse_size(size)
    _require_network(name, options, shape)
    if is_network_file(name):
        # Who names it here means it to be run, as with `hsi train --model`.
        trust(parts_of(name)[0])
    announce("models describe", name)
    from ..models.description import describe_model

    described = describe_model(name, shape, options)
    if as_json:
        content = asdict(described)
        layers = content["network"].pop("layers")
        stages = [asdict(stage) for stage in described.network.stages]
        totals = content.pop("network")
        print_json({**content, "layers": layers, "stages": stages, "totals": totals})
        return
    _print_description(described)


@models.command(epilog=_COMPARISONS)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--input", "size", metavar="SIZE", help="Shape of one input of all networks.")
@click.option("--runs", metavar="FOLDER", help="Finished runs, whose mean scores are drawn.")
@click.option("--dataset", metavar="NAME", help="The data set of the runs that count.")
@click.option(
    "-o", "--output", metavar="FOLDER", help="Write pictures (PNG, SVG) and a page there."
)
@language_option
@click.option("--overwrite", is_flag=True, help="Let results take the places of finished files.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; memory in bytes.")
def compare(
    names: tuple[str, ...],
    size: str | None,
    runs: str | None,
    dataset: str | None,
    output: str | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Compare what networks cost and reach: parameters, multiply-adds, memory, stage by stage.

    Options of a network stand behind its name, in quotes. The page has the complexity picture of
    the field: scores over multiply-adds, the area of a dot being the parameters.
    """
    from ..atomic import refuse_file_above
    from ..runs.compared_networks import check_comparison, parted
    from ..runs.finished_runs import finished_runs

    require_page(output is not None, "-o FOLDER")
    shape = None if size is None else _parse_size(size)
    for each in names:
        _require_network(*parted(each), shape)
    check_comparison(names, shape, runs, dataset)
    if runs is not None:
        finished_runs(runs)
    if output is not None:
        refuse_file_above(Path(output))
    announce("models compare", ", ".join(names))
    from ..reports.complexity import comparison_table
    from ..runs.model_comparison import compare_networks, write_comparison

    found = compare_networks(names, shape=shape, runs=runs, dataset=dataset)
    written = [] if output is None else write_comparison(found, output, overwrite=overwrite)
    if as_json:
        print_json(asdict(found))
        return
    _print(comparison_table(found.networks, found.metric))
    for note in found.notes:
        say(note)
    for path in written:
        say(path)


def _require_network(name: str, options: Mapping[str, Any], shape: tuple[int, ...] | None) -> None:
    """Refuse what is no network, options that it does not have, and an input of another kind."""
    from ..models.known_inputs import require_input
    from ..models.known_names import NETWORKS, require_layers, require_model
    from ..models.known_options import require_options
    from ..models.known_values import require_settled
    from ..models.spec import PURPOSES

    require_model("model", name)
    require_layers(name)
    require_settled(options)
    purposes = [PURPOSES[NETWORKS[name]]] if name in NETWORKS else PURPOSES.values()
    settled = {key for purpose in purposes for key in purpose.arguments}
    require_options(name, {key: value for key, value in options.items() if key not in settled})
    require_input(name, options, shape)


def _parse_size(text: str) -> tuple[int, ...]:
    from ..errors import ConfigError

    if not _SIZE.fullmatch(text):
        raise ConfigError("--input", repr(text), "positive numbers with x between, as 1x30x25x25")
    return tuple(int(number) for number in re.split("[x×]", text))


def _print_description(described: ModelDescription) -> None:
    from ..models.spec import size_text

    given = ", ".join(f"{key} {value}" for key, value in described.arguments.items())
    say(f"{described.name}: {described.summary}")
    say(f"{described.task}; input {size_text(described.input)}; {given}")
    say()
    _print(_layer_table(described))
    if 1 < len(described.network.stages) < len(described.network.layers):
        _print(_stage_table(described))
    says = {True: "yes", False: "no"}
    training, maps = (says[described.window_equivariant[when]] for when in ("training", "maps"))
    stored = _bytes(4 * described.network.parameters)
    say()
    say(f"parameters in single precision: {stored}")
    say(f"sees windows as it sees the scene: {training} in training, {maps} for maps")


def _layer_table(described: ModelDescription) -> Table:
    from ..models.spec import size_text

    network = described.network
    rows = [
        (
            layer.name,
            layer.kind,
            size_text(layer.output),
            _bytes(layer.memory) if layer.memory else None,
            layer.parameters or None,
            layer.multiply_adds or None,
        )
        for layer in network.layers
    ]
    total = (_bytes(network.memory), network.parameters, network.multiply_adds)
    styles = [*[""] * len(rows), "own"]
    heads = ("layer", "kind", "output", ">memory", ">parameters", ">multiply-adds")
    return _table(heads, [*rows, ("total", "", size_text(network.output), *total)], styles)


def _stage_table(described: ModelDescription) -> Table:
    from ..models.spec import size_text

    rows = [
        (
            stage.name,
            size_text(stage.output),
            _bytes(stage.memory) if stage.memory else None,
            stage.parameters or None,
            stage.multiply_adds or None,
        )
        for stage in described.network.stages
        if stage.memory or stage.parameters or stage.multiply_adds
    ]
    return _table(("stage", "output", ">memory", ">parameters", ">multiply-adds"), rows)


def _bytes(count: int) -> str:
    from rich.filesize import decimal

    return decimal(count).replace("bytes", "B")


def _model_table(entries: list[dict[str, Any]]) -> Table:
    keys = ("name", "task", "parameters", "summary")
    heads = ("name", "task", ">parameters", "summary")
    return _table(heads, [[entry[key] for key in keys] for entry in entries])


def _block_table(entries: list[dict[str, Any]]) -> Table:
    rows = [
        (
            entry["name"],
            entry["summary"],
            ", ".join(f"{key} {value}" for key, value in entry["preset"].items()),
        )
        for entry in entries
    ]
    return _table(("name", "summary", "preset"), rows)


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[Any]], styles: Sequence[str] = ()
) -> Table:
    """A table; columns whose head begins with ">" hold numbers."""
    from ..reports.document import Column, Table

    columns = [Column(head.removeprefix(">"), number=head.startswith(">")) for head in heads]
    return Table("", columns, rows, styles)


def _print(table: Table) -> None:
    from ..reports.terminal import print_blocks

    print_blocks([table], width_of_files=_WIDTH)
