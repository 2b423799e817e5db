"""What a command is about to do, in one line, from its configuration alone.

It is said before torch and the readers of files are loaded, which takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..data.class_name_file import read_class_names
from ..data.file_list import listed_files
from ..data.formats.drawn_features import DrawnOptions
from ..data.map_labels import refuse_drawing
from ..data.missing_files import require_data_set
from ..data.scene_list import stack_name
from ..models.network_file import shown_name
from ..user_files import require_folder, require_there
from .task import Config

_FILES = ("scene", "labels", "class_names", "folder", "files")


def announcement(config: Config, output: str | Path, runs: int = 1) -> str:
    """What is trained on what, by which seeds, where, and where that is written.

    Args:
        config: of the training; its device may be open.
        output: where run folders are made.
        runs: how many, with consecutive seeds.
    """
    first = config.seeds.base
    seeds = f"seed {first}" if runs == 1 else f"seeds {first} to {first + runs - 1}"
    what = f"{shown_name(config.model.name)} on {source_name(config)}"
    return f"{what}, {seeds}, device {config.device}; results go into {output}"


def source_name(config: Config) -> str:
    """The data set, or the name of the user's own file or folder."""
    data: Any = config.data
    for key in ("dataset", "images", "scene", "folder", "files"):
        value = getattr(data, key, None)
        if value is not None:
            return Path(value).stem
    several = getattr(data, "scenes", None)
    if several:
        return stack_name([each.name or Path(each.scene).stem for each in several])
    return "data"


def require_files(config: Config) -> None:
    """Refuse a configuration that names files or data sets which are not there.

    What reads them says so as well, after it has been loaded.

    Raises:
        InputFileError: names the first, or a file in the place of a folder, or a map of labels
            beside options of drawn ones, or a file of class names that holds none.
        UnknownNameError: no data set has a name.
        ConfigError: `HSI_DATA_DIR` names no folder.
    """
    for key in ("dataset", "images"):
        name = getattr(config.data, key, None)
        if name is not None:
            require_data_set(name)
    for path in _named_files(config):
        require_there(path.absolute())
    data: Any = config.data.model_dump()
    for section in (config.data, *getattr(config.data, "scenes", ())):
        labels = getattr(section, "labels", None)
        if labels is not None:
            refuse_drawing(labels, DrawnOptions.of(data))
        names = getattr(section, "class_names", None)
        if names is not None:
            read_class_names(names)
    folder = getattr(config.data, "folder", None)
    if folder is not None:
        require_folder(Path(folder).absolute(), "a folder of images")


def _named_files(config: Config) -> Iterator[Path]:
    sections = [config.data, *getattr(config.data, "scenes", ())]
    named = [getattr(section, key, None) for section in sections for key in _FILES]
    named.append(getattr(getattr(config, "split", None), "file", None))
    for text in named:
        if text is not None:
            yield from listed_files(text)
