"""Which images the inputs of `hsi denoise` name: files, and folders with all that is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...data.photograph_endings import PHOTOGRAPH_ENDINGS
from ...engine.observer import Observer
from ...errors import InputFileError
from ...user_files import resolved

SUFFIX = "_denoised"
COMPARISON_SUFFIX = "_comparison"
_MOST_NAMED = 20


@dataclass(frozen=True)
class FolderContent:
    """What lies in a folder and below.

    Attributes:
        images: its images; hidden files and results of earlier calls are none of them.
        left_out: names of the rest, hidden files aside: files of other kinds, links that lead
            out of the folder, folders that may not be read.
    """

    images: tuple[Path, ...]
    left_out: tuple[str, ...]


def folder_content(folder: Path, written: Sequence[str | Path | None] = ()) -> FolderContent:
    """Look through a folder and the folders in it.

    Links that lead out of it are not followed; those within it lead to what is found anyway.

    Args:
        folder: where to look.
        written: files and folders that the call writes to, which are no inputs.
    """
    images: list[Path] = []
    left_out: list[str] = []
    root, aside = resolved(folder), {resolved(Path(path)) for path in written if path is not None}

    def look(place: Path) -> None:
        try:
            entries = sorted(place.iterdir())
        except OSError:
            left_out.append(f"{place.relative_to(folder)}/ (may not be read)")
            return
        for entry in entries:
            name, where = str(entry.relative_to(folder)), resolved(entry)
            if entry.name.startswith("."):
                continue
            if entry.is_symlink() and not where.is_relative_to(root):
                left_out.append(f"{name} (a link out of the folder)")
            elif entry.is_dir():
                if where in aside:
                    left_out.append(f"{name}/ (the output)")
                elif not entry.is_symlink():
                    look(entry)
            elif entry.suffix.lower() not in PHOTOGRAPH_ENDINGS or not entry.is_file():
                left_out.append(name)
            elif where not in aside and not _is_result(entry):
                images.append(entry)

    look(folder)
    return FolderContent(tuple(images), tuple(left_out))


def _is_result(path: Path) -> bool:
    return path.stem.endswith((SUFFIX, SUFFIX + COMPARISON_SUFFIX))


def images_in(given: Path, written: Sequence[str | Path | None] = ()) -> list[Path]:
    """The images of a folder, see `folder_content`; or the file.

    Raises:
        InputFileError: a folder without images.
    """
    if not given.is_dir():
        return [given]
    found = folder_content(given, written).images
    if not found:
        endings = ", ".join(PHOTOGRAPH_ENDINGS[:8])
        raise InputFileError(given, "holds no images", f"files {endings} …")
    return list(found)


def report_left_out(
    inputs: Sequence[str | Path], observer: Observer, written: Sequence[str | Path | None] = ()
) -> None:
    """Name what of folders is not denoised, as it is no image that can be read."""
    for folder in (Path(given) for given in inputs):
        if folder.is_dir() and (names := folder_content(folder, written).left_out):
            rest = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            observer.message(f"{folder}: left out: {', '.join(names[:_MOST_NAMED])}{rest}")


def place_in_tree(path: Path, folders: Sequence[Path]) -> Path:
    """The folder of a file within the one of `folders` that it was found in; "." for none."""
    for folder in sorted(folders, key=lambda each: -len(each.parts)):
        if path.is_relative_to(folder):
            return path.relative_to(folder).parent
    return Path()
