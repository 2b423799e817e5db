"""Which files an audit reads of a run, and which it writes; known without what reads and draws."""

from __future__ import annotations

from pathlib import Path

from ...errors import InputFileError, OutputError
from ...runs.folder import FOLD, SPLIT, SPLIT_ENDING
from ...user_files import is_there

_ENDINGS = (".html", ".htm")


def audit_paths(page: Path | str) -> tuple[Path, Path]:
    """Where the page and the JSON of an audit lie.

    Raises:
        OutputError: the name is none of a page.
    """
    path = Path(page)
    if path.suffix.lower() not in _ENDINGS:
        raise OutputError(path, "is not the name of a page", "a name that ends in .html")
    return path, path.with_suffix(".json")


def run_file(given: str, name: str) -> str:
    """The file of a run where its folder is given; other names as they are.

    Raises:
        InputFileError: the folder holds no such file.
    """
    folder = Path(given)
    if not is_there(folder) or not folder.is_dir():
        return given
    if name == SPLIT and (fold := folder / f"{FOLD.format(1)}{SPLIT_ENDING}").is_file():
        found = "a run of spatial folds, each a split"
        raise InputFileError(folder, found, "one split", f"audit one fold, such as {fold}")
    if not (folder / name).is_file():
        raise InputFileError(folder, f"a folder without {name}", "a file, or the folder of a run")
    return str(folder / name)
