"""Labels that are maps by their names, for which options of drawn labels mean nothing."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigError, InputFileError
from .file_list import listed_files
from .formats.drawn_features import DrawnOptions

# Points as text may have any other ending, and so may ENVI's values.
_OF_MAPS = frozenset(
    (".npy", ".npz", ".mat", ".h5", ".hdf5", ".he5", ".nc", ".hdr", ".tif", ".tiff", ".png")
)


def refuse_drawing(labels: str | None, drawing: DrawnOptions) -> None:
    """Refuse options of drawn labels where there are no labels, or all are maps by their names.

    Args:
        labels: files of one scene, with commas between them.
        drawing: the options.

    Raises:
        ConfigError: there are no labels.
        InputFileError: names the first option and the first map.
    """
    given = drawing.given()
    if not given:
        return
    if labels is None:
        raise ConfigError(given[0], "given without labels", "--labels FILE beside it")
    files = [Path(path) for path in listed_files(labels)]
    if all(path.suffix.lower() in _OF_MAPS for path in files):
        raise nothing_drawn(files[0], given[0])


def nothing_drawn(path: Path, option: str) -> InputFileError:
    """What is said of an option of drawn labels beside a map."""
    found = f"{option} is given, and this is no file of points, lines or polygons"
    return InputFileError(path, found, "", "leave it out")
