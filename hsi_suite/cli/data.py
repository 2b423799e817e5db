"""`hsi data`: list, describe, fetch and verify data sets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def data() -> None:
    """Data sets: which there are, what they hold, where their files lie.

    Files are looked for in the folder HSI_DATA_DIR (by file name, in any sub-folder), then in the
    user's cache (HSI_CACHE_DIR), and downloaded into the cache when they are in neither.
    """


@data.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(as_json: bool) -> None:
    """List the data sets and where they are."""
    from ..data.public.inventory import list_datasets

    entries = list_datasets()
    if as_json:
        _print_json(entries)
        return
    heads = ("name", "lines × samples × bands", "classes", "where", "checksum", "title")
    rows = [
        (
            entry["name"],
            _size(entry["shape"]),
            str(entry["classes"]),
            entry["place"],
            entry["check"] or "-",
            entry["title"],
        )
        for entry in entries
    ]
    _print_columns([heads, *rows])


@data.command()
@click.argument("name", metavar="NAME|FILE")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(name: str, as_json: bool) -> None:
    """Describe a data set, or the cube in a file."""
    from ..data.public.inventory import describe_dataset, describe_file

    described = describe_file(Path(name)) if _is_file(name) else describe_dataset(name)
    if as_json:
        _print_json(described)
        return
    _print_description(described)


@data.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--allow-unverified", is_flag=True, help="Use files whose checksum is wrong.")
def fetch(names: tuple[str, ...], allow_unverified: bool) -> None:
    """Download what is not here; nothing is downloaded twice."""
    from ..data.public.download import locate
    from ..data.public.inventory import file_states

    files = [state.file for state in file_states(names)]
    for local in locate(files, allow_unverified=allow_unverified):
        click.echo(f"{local.path}: {local.verdict.value}")
    if not files:
        click.echo("embedded, nothing to fetch")


@data.command()
@click.argument("names", metavar="[NAME...]", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(names: tuple[str, ...], as_json: bool) -> None:
    """Compare the checksums of the files that are here; exit with 2 if one is wrong.

    Data sets that are named must be here; without names every file that is here is compared.
    """
    from ..data.catalogue import dataset_names
    from ..data.public.inventory import file_states, refuse

    states = file_states(names or dataset_names())
    entries = [
        {
            "file": state.file.name,
            "path": str(state.local.path) if state.local else None,
            "check": state.verdict,
        }
        for state in states
    ]
    if as_json:
        _print_json(entries)
    else:
        for entry in entries:
            click.echo(f"{entry['path'] or entry['file']}: {entry['check']}")
        if not entries:
            click.echo("embedded, no files to verify")
    refuse(states, absent_too=bool(names))


def _is_file(name: str) -> bool:
    from ..data.catalogue import dataset_names

    # A data set's name wins over a file of that name, which is still reached as "./name".
    path = Path(name)
    named_like_a_file = path.exists() or path.suffix != "" or path.name != name
    return name not in dataset_names() and named_like_a_file


def _print_description(described: dict[str, Any]) -> None:
    shown = dict(described)
    shown["shape"] = _size(shown["shape"])
    names, pixels = shown.pop("class_names", None), shown.pop("pixels", None)
    files = shown.pop("files", ())
    span = shown.pop("wavelengths_nm")
    about = " (approximate)" if shown.pop("wavelengths_approximate", False) else ""
    shown["wavelengths"] = f"{span[0]:.0f}-{span[1]:.0f} nm{about}" if span else "unknown"
    rows = [(key.replace("_", " "), _text(value)) for key, value in shown.items()]
    _print_columns([row for row in rows if row[1]])
    for file in files:
        click.echo(f"file  {file['path'] or file['urls'][0]}: {file['check']}")
    if names:
        counts = [str(count) for count in pixels] if pixels else [""] * len(names)
        heads = ("label", "class", "pixels" if pixels else "")
        labelled = zip(map(str, range(1, len(names) + 1)), names, counts, strict=True)
        _print_columns([heads, *labelled])


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _print_columns(rows: Iterable[tuple[str, ...]]) -> None:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _size(shape: Iterable[int]) -> str:
    return " × ".join(map(str, shape))
