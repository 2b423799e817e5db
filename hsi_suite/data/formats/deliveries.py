"""What to name of a folder or an archive as products are delivered in: the file that opens them."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePath

from ...errors import InputFileError
from ...user_files import is_there
from .reading_guard import reading

# What names a cube, the surest first: of an ENMAP or DESIS product the metadata, not its images.
_ENDINGS = (
    ("-metadata.xml",),
    (".he5",),
    (".nc", ".h5", ".hdf5"),
    (".hdr",),
    (".mat", ".npy", ".npz"),
    (".tif", ".tiff"),
    (".gpkg", ".geojson", ".fgb"),
)
# EMIT delivers masks, uncertainties and observations as files of their own.
_BESIDE = ("_mask_", "_uncert_", "_rflunc", "_obs_", "_igm", "_glt", "_loc", "-ql_")
_MOST_FILES = 20_000
_SHOWN = 3
_GZIP = b"\x1f\x8b"
_TAR_MARK = (257, b"ustar")


def refuse_folder(path: Path) -> None:
    """Refuse a folder in a line that says which file in it to name.

    Raises:
        InputFileError: always.
    """
    if is_there(path / "metrics.json"):
        remedy = "name a file, such as a cube"
        raise InputFileError(path, "this is the folder of a run", "a file", remedy)
    names = _main_files(islice(_files_below(path), _MOST_FILES))
    raise InputFileError(
        path,
        "this is a folder",
        "a file",
        f"name {_choice(names)}" if names else "name a file, such as a cube",
    )


def refuse_zip(path: Path) -> None:
    """Refuse a ZIP archive that holds no arrays of NumPy, as products are delivered in.

    Raises:
        InputFileError: it is one, or damaged.
    """
    with reading(path, "a ZIP archive"), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(name.endswith(".npy") for name in names):
        return
    names = _main_files(names)
    remedy = f"unpack it and name {_choice(names)}" if names else ""
    found = "this is a ZIP archive, and holds neither arrays nor a Shapefile"
    raise InputFileError(path, found, "a file that is not packed", remedy)


def refuse_packed(path: Path, head: bytes) -> None:
    """Refuse a file that is packed by tar or gzip; anything else is no matter.

    Args:
        path: the file.
        head: its first bytes.

    Raises:
        InputFileError: it is one.
    """
    start, mark = _TAR_MARK
    tarred = head[start : start + len(mark)] == mark
    if tarred or head.startswith(_GZIP):
        what = "a TAR archive" if tarred else "packed by gzip"
        remedy = "unpack it and name a file in it, such as …-METADATA.XML or …_img.hdr"
        raise InputFileError(path, f"this is {what}", "a cube", remedy)


def _files_below(folder: Path) -> Iterator[str]:
    """Files of a folder and its own folders, by their paths inside it; links are not followed."""
    for here, folders, files in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        folders[:] = sorted(f for f in folders if not f.startswith(".")) if depth < 2 else []
        yield from (str(Path(here, file).relative_to(folder)) for file in sorted(files))


def _main_files(names: Iterable[str]) -> list[str]:
    """Of the names of files those that open a cube."""
    names = [name for name in names if not PurePath(name).name.startswith((".", "__MACOSX"))]
    for endings in _ENDINGS:
        found = [name for name in names if name.lower().endswith(endings)]
        alone = [f for f in found if not any(part in f.lower() for part in _BESIDE)]
        if alone or found:
            return alone or found
    return []


def _choice(names: list[str]) -> str:
    """The one file, or some of several."""
    more = len(names) - _SHOWN
    text = " or ".join([", ".join(names[: _SHOWN - 1]), names[_SHOWN - 1]]) if more >= 0 else ""
    if more < 0:
        text = " or ".join(names)
    return f"{text} ({more:,} more)" if more > 0 else text
