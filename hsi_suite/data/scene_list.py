"""The scenes that a user names together: one after the other, as a folder, or as a table.

In a folder a scene's labels are called as the scene is, with _labels, _label or _gt behind it
(a dot or hyphen in the place of _ does as well), and lie beside it or in a folder `labels` within;
in a folder of labels of their own they may also be called exactly as the scene.

A table is CSV or TSV with a header: the columns scene and labels, and if wanted name, role (train,
validation or test) and class_names. Its paths begin at the folder of the table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError, InputFileError
from ..user_files import is_there, read_text, refuse_repeated
from .formats.table_text import separated_cells, separator_of, table_lines

ROLES = ("train", "validation", "test")
_TABLES = (".csv", ".tsv")
_COLUMNS = ("scene", "labels", "name", "role", "class_names")
_EXPECTED = "a table with the columns scene and labels, and if wanted name, role and class_names"
_CUBES = (".hdr", ".tif", ".tiff", ".mat", ".h5", ".hdf5", ".he5", ".nc", ".npy", ".npz")
_DRAWN = (".gpkg", ".geojson", ".json", ".shp", ".zip", ".kml", ".fgb", ".csv", ".txt", ".xml")
_LABELS = (*_CUBES, ".png", *_DRAWN)
_NOTES = (".txt", ".csv", ".xml", ".json")
_MARK = re.compile(r"[_.\-](labels?|gt)$", re.IGNORECASE)
_SUBFOLDER = "labels"
_SAME_AGAIN = "give --labels once for each --scene, in the same order"


@dataclass(frozen=True)
class NamedScene:
    """One of several scenes.

    Attributes:
        scene: its file.
        labels: of its labels, or several with commas between them.
        name: None for the file's name without its ending.
        role: train, validation or test; None where nothing was said.
        class_names: a text file with one name per line.
    """

    scene: str
    labels: str
    name: str | None = None
    role: str | None = None
    class_names: str | None = None

    @property
    def called(self) -> str:
        """Its name."""
        return self.name or Path(self.scene).stem


def named_scenes(scenes: Sequence[str], labels: Sequence[str]) -> list[NamedScene]:
    """The scenes that values of --scene and --labels name together.

    Args:
        scenes: files; or a single folder or table.
        labels: of each scene; or a single folder of labels; () beside a table.

    Raises:
        ConfigError: there are other numbers of scenes and labels.
        InputFileError: the folder or the table does not say which labels belong to which scene.
    """
    kinds = {_kind(path) for path in scenes}
    if len(scenes) > 1 and kinds - {"file"}:
        odd = next(path for path in scenes if _kind(path) != "file")
        raise ConfigError(
            "--scene", f"{odd}, a {_kind(odd)}, beside other scenes", "files, or it alone"
        )
    if kinds == {"table"}:
        if labels:
            raise ConfigError(
                "--labels", f"given beside the table {scenes[0]}", "none: the table names them"
            )
        return read_scene_table(Path(scenes[0]))
    if kinds == {"folder"}:
        if len(labels) > 1:
            raise ConfigError(
                "--labels", f"{len(labels)} beside the folder {scenes[0]}", "one folder, or none"
            )
        return scenes_in(Path(scenes[0]), Path(labels[0]) if labels else None)
    if len(scenes) != len(labels):
        raise ConfigError(
            "--labels",
            f"{_number(len(labels), 'label file')} for {_number(len(scenes), 'scene')}",
            "as many as scenes",
            _SAME_AGAIN,
        )
    refuse_repeated(scenes, "different scenes")
    return [NamedScene(*pair) for pair in zip(scenes, labels, strict=True)]


def names_several(scenes: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether values of --scene name scenes otherwise than by a single file.

    A folder beside a file of labels is one of a product, of which a file is to be named.
    """
    if len(scenes) == 1 and _kind(scenes[0]) == "folder":
        return all(_kind(path) == "folder" for path in labels)
    return len(scenes) > 1 or any(_kind(path) != "file" for path in scenes)


def read_scene_table(path: Path) -> list[NamedScene]:
    """The scenes of a table; see the module.

    Raises:
        InputFileError: it is no such table.
    """
    header, rows = _rows(path)
    scenes = []
    for number, row in enumerate(rows, 2):
        cells = dict(zip(header, row, strict=True))
        for column in ("scene", "labels"):
            if not cells[column]:
                raise InputFileError(path, f"row {number} has no {column}", _EXPECTED)
        role = cells.get("role", "").lower() or None
        if role is not None and role not in ROLES:
            raise InputFileError(
                path, f"row {number} has the role {cells['role']!r}", "train, validation or test"
            )
        scenes.append(
            NamedScene(
                _beside(path, cells["scene"]),
                ",".join(_beside(path, part) for part in cells["labels"].split(",")),
                cells.get("name") or None,
                role,
                _beside(path, cells["class_names"]) if cells.get("class_names") else None,
            )
        )
    refuse_repeated([each.scene for each in scenes], "different scenes")
    if any(each.role for each in scenes) and not all(each.role for each in scenes):
        lacking = next(each for each in scenes if not each.role)
        raise InputFileError(path, f"{lacking.scene} has no role", "one for every scene, or none")
    return scenes


def scenes_in(folder: Path, labels: Path | None = None) -> list[NamedScene]:
    """The scenes of a folder and their labels; see the module for the rule.

    Args:
        folder: of scenes.
        labels: folder of their labels; None where these are marked as such.

    Raises:
        InputFileError: a scene has no labels or several, or labels belong to no scene.
    """
    if labels is not None and not labels.is_dir():
        raise InputFileError(labels, "no folder", f"a folder with labels of the scenes in {folder}")
    apart = labels if labels is not None else folder / _SUBFOLDER
    here = _files(folder, _LABELS)
    marked = [path for path in here if _MARK.search(path.stem)] if labels is None else []
    cubes = [path for path in here if path not in marked and path.suffix.lower() in _CUBES]
    found = {path: _scene_of(path) for path in marked}
    if apart.is_dir():
        found |= {path: _scene_of(path) for path in _files(apart, _LABELS)}
    if not cubes:
        raise InputFileError(folder, "holds no scene", f"files as {', '.join(_CUBES)}")
    rule = "labels are called SCENE_labels or SCENE_gt, or lie in a folder of labels"
    scenes = []
    for cube in cubes:
        own = [path for path, name in found.items() if name == cube.stem]
        if len(own) != 1:
            what = f"{len(own)} labels ({', '.join(p.name for p in own)})" if own else "no labels"
            raise InputFileError(
                cube, f"has {what} in {apart if labels else folder}", "one file", rule
            )
        scenes.append(NamedScene(str(cube), str(own[0])))
    names = {cube.stem for cube in cubes}
    # Notes and other metadata lie about in any folder.
    lone = [
        path
        for path, name in found.items()
        if name not in names and (_MARK.search(path.stem) or path.suffix.lower() not in _NOTES)
    ]
    if lone:
        raise InputFileError(lone[0], f"belongs to no scene in {folder}", "", rule)
    return scenes


def stack_name(names: Sequence[str]) -> str:
    """What several scenes together are called."""
    joined = "+".join(names)
    return joined if len(joined) <= 40 else f"{names[0]}+{len(names) - 1}-more"


def file_name(name: str) -> str:
    """A scene's name as its maps are called, without what file systems mind."""
    return re.sub(r"[^\w.+-]+", "-", name).strip("-.")[:100] or "scene"


def _kind(path: str) -> str:
    place = Path(path)
    if is_there(place) and place.is_dir():
        return "folder"
    return "table" if place.suffix.lower() in _TABLES else "file"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _scene_of(labels: Path) -> str:
    """The name of the scene that a file of labels is of."""
    return _MARK.sub("", labels.stem)


def _files(folder: Path, endings: Sequence[str]) -> list[Path]:
    """Files of a folder with some endings, in the order of their names."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and path.suffix.lower() in endings
        and not path.name.lower().endswith(".aux.xml")
    )  # fmt: skip


def _beside(table: Path, name: str) -> str:
    return str(table.parent / name.strip())


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """The columns of a table, and its rows."""
    text = read_text(path, _EXPECTED, "save it as UTF-8")
    lines = table_lines(text)
    separator = (separator_of(lines[0]) or ",") if lines else ","
    rows = separated_cells(path, lines, separator, _EXPECTED)
    if not rows:
        raise InputFileError(path, "holds no row", _EXPECTED)
    header = [name.lower().replace(" ", "_") for name in rows[0]]
    unknown = [name for name in header if name not in _COLUMNS]
    if "scene" not in header or "labels" not in header or unknown:
        found = f"the columns {', '.join(header)}"
        raise InputFileError(path, found, _EXPECTED)
    if len(set(header)) < len(header):
        raise InputFileError(path, "a column twice", _EXPECTED)
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(header):
            raise InputFileError(path, f"row {number} has {len(row)} columns", f"{len(header)}")
        if not all(cell.isprintable() for cell in row):
            raise InputFileError(path, f"row {number} holds no plain text", _EXPECTED)
    if len(rows) == 1:
        raise InputFileError(path, "holds no row below its header", _EXPECTED)
    return header, rows[1:]
