"""Noisy photographs with clean ones of the same scene: pairs in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputFileError
from ..user_files import require_folder
from .photograph_endings import PHOTOGRAPH_ENDINGS
from .public.download import DATA_VARIABLE, data_folder

# How public sets name the two: PolyU and CC; SIDD; and plain words.
_NAMES = (("_real", "_mean"), ("NOISY_SRGB", "GT_SRGB"), ("_noisy", "_clean"))
_FOLDERS = ("noisy", "clean")
_FOLDER = "a folder of pairs of photographs"
_EXPECTED = (
    "NAME_real and NAME_mean, NAME_noisy and NAME_clean, or the folders noisy and clean with files "
    "of the same names"
)


@dataclass(frozen=True)
class PhotographPair:
    """Two photographs of one scene.

    Attributes:
        name: of the scene.
        noisy: one exposure.
        clean: the reference, such as the mean of many.
    """

    name: str
    noisy: Path
    clean: Path


def pairs_in(folder: str | Path) -> list[PhotographPair]:
    """The pairs of a folder, by name.

    Args:
        folder: its path. A name alone that is not in the current folder is looked for below
            `HSI_DATA_DIR`, as data sets are.

    Raises:
        InputFileError: no folder, several of this name below `HSI_DATA_DIR`, no pairs in it, a
            noisy photograph without a clean one, or two clean ones of one name.
        ConfigError: `HSI_DATA_DIR` names no folder.
    """
    folder = _found(Path(folder))
    require_folder(folder, _FOLDER, f"name its path, or put it below {DATA_VARIABLE}")
    if all((folder / name).is_dir() for name in _FOLDERS):
        pairs = _pairs_of_folders(*(folder / name for name in _FOLDERS))
    else:
        pairs = _pairs_by_name(folder)
    if not pairs:
        raise InputFileError(folder, "holds no pairs of photographs", _EXPECTED)
    return pairs


def _found(folder: Path) -> Path:
    """The folder itself, or the one of its name below `HSI_DATA_DIR`."""
    root = None if folder.parent != Path() or folder.exists() else data_folder()
    if root is None:
        return folder
    below = [
        Path(parent, folder.name) for parent, folders, _ in os.walk(root) if folder.name in folders
    ]
    if len(below) > 1:
        found = f"{len(below)} folders below {root} have this name"
        raise InputFileError(folder, found, _FOLDER, "name its path")
    return below[0] if below else folder


def _photographs(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PHOTOGRAPH_ENDINGS and not path.name.startswith(".")
    )


def _pairs_of_folders(noisy: Path, clean: Path) -> list[PhotographPair]:
    references = _by_stem(_photographs(clean))
    return [_pair(path.stem, path, references.get(path.stem)) for path in _photographs(noisy)]


def _pairs_by_name(folder: Path) -> list[PhotographPair]:
    photographs = _photographs(folder)
    for noisy, clean in _NAMES:
        references = _by_stem(path for path in photographs if clean in path.stem)
        found = [path for path in photographs if noisy in path.stem]
        if found:
            return [
                _pair(
                    path.stem.replace(noisy, "").strip("_"),
                    path,
                    references.get(path.stem.replace(noisy, clean)),
                )
                for path in found
            ]
    return []


def _by_stem(photographs: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in photographs:
        if (other := found.setdefault(path.stem, path)) is not path:
            raise InputFileError(path, f"has the name of {other}", "one clean photograph a name")
    return found


def _pair(name: str, noisy: Path, clean: Path | None) -> PhotographPair:
    if clean is None:
        raise InputFileError(noisy, "has no clean photograph beside it", _EXPECTED)
    return PhotographPair(name, noisy, clean)
