"""`hsi data`: list, describe, convert, fetch and verify data sets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from .output import print_json
from .suggestions import SuggestingGroup
from .terminal import announce, say
from .values import array_options, band_options_with, memory_limit_option

_DESCRIBED = """\b
Examples:
  hsi data info indian_pines
  hsi data info cube.mat --axes band,y,x
"""
_WRITTEN = """\b
Examples:
  hsi data export synthetic -o farm.hdr --labels-output farm_labels.tif
  hsi data export cube.hdr -o cube.tif --scaled
"""


@click.group(cls=SuggestingGroup, context_settings={"help_option_names": ["-h", "--help"]})
def data() -> None:
    """Data sets: which there are, what they hold, where their files lie.

    Scenes are files, sets of photographs folders. They are looked for in the folder HSI_DATA_DIR
    (by name, in any sub-folder), then in the user's cache (HSI_CACHE_DIR), and downloaded into
    the cache when they are in neither.
    """


@data.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(as_json: bool) -> None:
    """List the data sets and where they are."""
    from ..data.public.image_inventory import list_image_sets, list_labelled_images
    from ..data.public.inventory import list_datasets

    entries, sets, labelled = list_datasets(), list_image_sets(), list_labelled_images()
    if as_json:
        print_json([*entries, *sets, *labelled])
        return
    heads = ("name", "lines × samples × bands", "classes", "where", "checksum", "title")
    rows = [
        (
            entry["name"],
            _size(entry["shape"]),
            str(entry["classes"]),
            entry["place"],
            entry["check"] or ("none known" if "trust" in entry else "-"),
            entry["title"],
        )
        for entry in entries
    ]
    _print_columns([heads, *rows])
    bare = [entry["name"] for entry in entries if "trust" in entry]
    say(
        f"Nobody publishes checksums of {', '.join(bare)}: what comes over the network cannot be "
        "verified and is used with --allow-unverified alone."
    )
    say()
    _print_columns(
        [
            ("name", "images", "where", "checksum", "title"),
            *(
                (s["name"], str(s["images"]), s["place"], s["check"] or "-", s["title"])
                for s in sets
            ),
        ]
    )
    say()
    heads = ("name", "images", "classes", "where", "checksum", "title")
    _print_columns(
        [
            heads,
            *(
                (
                    e["name"],
                    str(e["images"]),
                    str(e["classes"]),
                    e["place"],
                    e["check"] or "-",
                    e["title"],
                )
                for e in labelled
            ),
        ]
    )


@data.command(epilog=_DESCRIBED)
@click.argument("name", metavar="NAME|FILE")
@array_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(name: str, as_json: bool, **reading: Any) -> None:
    """Describe a data set, or a file: the cube in it and how it is read, a label map, a split."""
    if _is_file(name):
        _require_file(name)
        announce("data info", name)
    from ..data.labelled_images import IMAGE_CLASSES
    from ..data.public.image_inventory import (
        describe_image_set,
        describe_labelled_images,
        separate_image_sets,
    )
    from ..data.public.inventory import describe_dataset

    if not _is_file(name):
        _refuse_reading(reading)
    if _is_file(name):
        # What reads files takes a good part of a second to load.
        from ..data.file_description import describe_file

        described = describe_file(Path(name), **reading)
    elif name in IMAGE_CLASSES:
        described = describe_labelled_images(name)
    elif separate_image_sets([name])[1]:
        described = describe_image_set(name)
    else:
        described = describe_dataset(name)
    if as_json:
        print_json(described)
    elif "shape" not in described:
        _print_columns([(key, str(value)) for key, value in described.items() if value])
    else:
        _print_description(described)


@data.command(epilog=_WRITTEN)
@click.argument("name", metavar="NAME|FILE")
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    required=True,
    help="cube.hdr (ENVI), cube.tif, cube.nc or cube.npy",
)
@click.option(
    "--labels-output",
    metavar="MAP",
    help="Of a data set: where its labels go, a .tif, .hdr, .png or .npy.",
)
@click.option(
    "--allow-unverified",
    is_flag=True,
    help="Of a data set: use files whose checksum is wrong or unknown.",
)
@array_options
@band_options_with("all, with their marks")
@click.option(
    "--scaled",
    is_flag=True,
    help="Write what the values stand for (reflectance, radiance) as float32.",
)
@memory_limit_option("cubes of any size are read and written by strips")
@click.option("--overwrite", is_flag=True, help="Let results take the places of finished files.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def export(
    name: str,
    output: str,
    labels_output: str | None,
    allow_unverified: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Write a data set, cube or product as ENVI, GeoTIFF or netCDF, with all that is known of it.

    Values stay as they are stored, and their scale is written beside them, unless --scaled is
    given. Missing data, marks of bad bands and coordinates are kept.
    """
    reading = {key: options.pop(key) for key in ("scene_variable", "axes", "shape", "nodata")}
    if _is_file(name):
        _require_file(name)
        _refuse({"labels-output": labels_output, "allow-unverified": allow_unverified or None})
    else:
        _require_dataset(name)
        _refuse_reading(reading)
    _check_places(name, output, labels_output, overwrite=options["overwrite"])
    announce("data export", f"{name}; the cube goes into {output}")
    from ..api.progress import TerminalObserver
    from ..data.catalogue import load_dataset
    from ..data.cube_export import export_cube
    from ..data.scene_export import export_scene

    options["drop_water"] = bool(options["drop_water"])
    message = TerminalObserver().message
    if _is_file(name):
        variable = reading.pop("scene_variable")
        exported = export_cube(name, output, variable=variable, **reading, **options)
    else:
        scene = load_dataset(name, allow_unverified=allow_unverified, on_message=message)
        exported = export_scene(scene, output, labels=labels_output, **options)
    for remark in exported.remarks:
        message(f"{Path(name).name}: {remark}")
    if as_json:
        print_json(
            {
                "written": [str(path) for path in exported.written],
                "shape": list(exported.shape),
                "dtype": exported.dtype,
            }
        )
        return
    for path in exported.written:
        say(str(path))


@data.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option(
    "--allow-unverified", is_flag=True, help="Use files whose checksum is wrong or unknown."
)
def fetch(names: tuple[str, ...], allow_unverified: bool) -> None:
    """Download what is not here; nothing is downloaded twice."""
    from ..data.public.download import locate
    from ..data.public.image_inventory import separate_image_sets
    from ..data.public.image_sets import locate_images
    from ..data.public.inventory import file_states

    scenes, sets = separate_image_sets(names)
    files = [state.file for state in file_states(scenes)]
    for local in locate(files, allow_unverified=allow_unverified):
        say(f"{local.path}: {local.check.value}")
    for name in dict.fromkeys(sets):
        images = locate_images(name)
        say(f"{images.path}: {images.check.value}")
    if not files and not sets:
        say("embedded, nothing to fetch")


@data.command()
@click.argument("names", metavar="[NAME...]", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(names: tuple[str, ...], as_json: bool) -> None:
    """Compare the checksums of the files that are here; exit with 2 if one is wrong.

    Data sets that are named must be here; without names every file that is here is compared.
    """
    from ..data.catalogue import dataset_names
    from ..data.labelled_images import IMAGE_CLASSES
    from ..data.public.image_inventory import images_states, refuse_image_sets, separate_image_sets
    from ..data.public.image_sets import IMAGE_SETS
    from ..data.public.inventory import file_states, refuse

    known = (*dataset_names(), *IMAGE_SETS, *IMAGE_CLASSES)
    scenes, sets = separate_image_sets(names or known)
    states, folders = file_states(scenes), images_states(sets)
    entries = [
        {
            "file": state.file.name,
            "path": str(state.local.path) if state.local else None,
            "check": state.check,
        }
        for state in states
    ]
    entries += [
        {
            "file": state.name,
            "path": str(state.local.path) if state.local else None,
            "check": state.check,
        }
        for state in folders
    ]
    if as_json:
        print_json(entries)
    else:
        for entry in entries:
            say(f"{entry['path'] or entry['file']}: {entry['check']}")
        if not entries:
            say("embedded, no files to verify")
    refuse(states, absent_too=bool(names))
    refuse_image_sets(folders, absent_too=bool(names))


def _refuse_reading(reading: dict[str, Any]) -> None:
    """Refuse options that say how a file is read, where a data set is named."""
    _refuse(
        {key.replace("_", "-"): value for key, value in reading.items()}, "a data set", "a file"
    )


def _refuse(
    options: dict[str, Any], given_with: str = "a file", expected: str = "a data set"
) -> None:
    from ..errors import ConfigError

    for option, value in options.items():
        if value is not None:
            raise ConfigError(f"--{option}", f"given with {given_with}", expected)


def _is_file(name: str) -> bool:
    from ..data.catalogue import dataset_names
    from ..data.labelled_images import IMAGE_CLASSES
    from ..data.public.image_sets import IMAGE_SETS

    # A data set's name wins over a file of that name, which is still reached as "./name".
    path = Path(name)
    named_like_a_file = path.exists() or path.suffix != "" or path.name != name
    known = (*dataset_names(), *IMAGE_SETS, *IMAGE_CLASSES)
    return name not in known and named_like_a_file


def _require_file(name: str) -> None:
    """Refuse one that is not there, or a folder, before what reads it is loaded."""
    from ..data.missing_files import require_cube_file

    require_cube_file(Path(name))


def _require_dataset(name: str) -> None:
    """Refuse what is no data set with a scene before what makes or reads it is loaded."""
    from ..data.catalogue import check_dataset_name
    from ..data.missing_files import require_data_set

    check_dataset_name(name)
    require_data_set(name)


def _check_places(name: str, output: str, labels: str | None, *, overwrite: bool) -> None:
    """Refuse places that cannot be written, or hold what is to stay."""
    from ..errors import OutputError
    from ..map_endings import check_cube_ending, check_map_ending
    from ..output_places import check_file
    from ..user_files import resolved

    check_cube_ending(output)
    check_file(Path(output), [Path(name)] if _is_file(name) else (), overwrite=overwrite)
    if labels is None:
        return
    check_map_ending(labels)
    if resolved(Path(labels)) == resolved(Path(output)):
        raise OutputError(labels, "a file of the cube too", "another name for the labels")
    check_file(Path(labels), overwrite=overwrite)


def _print_description(described: dict[str, Any]) -> None:
    # The spectrum stands where its centres did.
    shown = {"wavelengths" if key == "wavelengths_nm" else key: v for key, v in described.items()}
    shown["shape"] = _size(shown["shape"])
    names, pixels = shown.pop("class_names", None), shown.pop("pixels", None)
    images = shown.pop("images_per_class", None)
    files = shown.pop("files", ())
    if "wavelengths" in shown:
        shown["wavelengths"] = _spectrum(
            shown["wavelengths"],
            shown.pop("fwhm_nm", None),
            shown.pop("wavelengths_approximate", False),
        )
    remarks = shown.pop("remarks", ())
    rows = [(key.replace("_", " "), _text(value)) for key, value in shown.items()]
    rows += [("" if place else "remarks", remark) for place, remark in enumerate(remarks)]
    _print_columns([row for row in rows if row[1]])
    for file in files:
        say(f"file  {file['path'] or ' '.join(file['urls'][:1]) or file['name']}: {file['check']}")
    if names:
        counts = [str(count) for count in pixels or images or [""] * len(names)]
        heads = ("label", "class", "pixels" if pixels else "images" if images else "")
        labelled = zip(map(str, range(1, len(names) + 1)), names, counts, strict=True)
        _print_columns([heads, *labelled])


def _spectrum(span: list[float] | None, widths: list[float] | None, approximate: bool) -> str:
    if span is None:
        return "unknown"
    text = f"{span[0]:.0f}-{span[1]:.0f} nm{' (approximate)' if approximate else ''}"
    if widths is None:
        return text
    low, high = (f"{width:.1f}" for width in widths)
    return f"{text}, FWHM {low if low == high else f'{low}-{high}'} nm"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _print_columns(rows: Iterable[tuple[str, ...]]) -> None:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say(line.rstrip())


def _size(shape: Iterable[int]) -> str:
    return " × ".join(map(str, shape))
