"""Which scenes a classification is of: one or several, their files, names and roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...config import Section
from ...data.file_list import absolute_files
from ...data.scene_list import ROLES, file_name, named_scenes, names_several
from ...errors import ConfigError
from ...registry import did_you_mean, listed
from ...schemas.classification import ClassificationConfig, SplitConfig
from ...schemas.scene_data import NamedSceneConfig, ScenesConfig

_SCENE_FILES = ("scene", "labels", "class_names")
_FILE_LISTS = ("labels", "file")
_ONE_SCENE = "several scenes: give --scene and --labels again, a folder or a table"


def with_scene_list(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options in which several scenes are entries of `data.scenes`, and one is as ever."""
    scenes, labels = (_listed(options.get(key)) for key in ("scene", "labels"))
    if not names_several(scenes, labels):
        if len(labels) > 1:
            found = f"{len(labels)} label files for {'one scene' if scenes else 'no scene'}"
            raise ConfigError("--labels", found, "one", "labels of one scene have commas between")
        one = {"scene": scenes, "labels": labels}
        return {**options, **{key: value[0] if value else None for key, value in one.items()}}
    entries = [
        {key: value for key, value in vars(each).items() if value is not None}
        for each in named_scenes(scenes, labels)
    ]
    if len(entries) == 1 and set(entries[0]) == {"scene", "labels"}:
        return {**options, **entries[0]}
    roles = any("role" in entry for entry in entries)
    named = options.get("test_scenes") or options.get("validation_scenes")
    if roles and named:
        raise ConfigError("--test-scene", "given beside the roles of a table", "one of the two")
    kind = options.get("split") or ("scenes" if roles else None)
    return {**options, "scene": None, "labels": None, "scenes": entries, "split": kind}


def resolve_scenes(config: ClassificationConfig) -> ScenesConfig:
    """The section `data` with full paths and a name for each of several scenes.

    Raises:
        ConfigError: two scenes have one name, or the split cannot be made of these.
    """
    data = config.data.model_copy(
        update={
            **absolute(config.data, _SCENE_FILES),
            "scenes": [_resolve_scene(each) for each in config.data.scenes],
        }
    )
    _check(config, data)
    return data


def with_roles(split: SplitConfig, data: ScenesConfig) -> SplitConfig:
    """The split with the roles that scenes were given, where it is by scenes and names none."""
    if split.kind != "scenes" or split.test_scenes or split.validation_scenes:
        return split
    named = {role: [each.name or "" for each in data.scenes if each.role == role] for role in ROLES}
    if any(named.values()) and not (named["train"] and named["test"]):
        lacking = "train" if not named["train"] else "test"
        raise ConfigError("data.scenes", f"no scene has the role {lacking}", "one at least")
    return split.model_copy(
        update={"test_scenes": named["test"], "validation_scenes": named["validation"]}
    )


def absolute(section: Section, keys: Sequence[str]) -> dict[str, str]:
    """The paths of a section in full, so that a run can be continued from any folder."""
    given = {key: getattr(section, key) for key in keys}
    return {
        key: absolute_files(path) if key in _FILE_LISTS else str(Path(path).absolute())
        for key, path in given.items()
        if path is not None
    }


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


def _resolve_scene(entry: NamedSceneConfig) -> NamedSceneConfig:
    name = entry.name or Path(entry.scene).stem
    return entry.model_copy(update={**absolute(entry, _SCENE_FILES), "name": name})


def _check(config: ClassificationConfig, data: ScenesConfig) -> None:
    """Refuse what cannot be done with the scenes that there are.

    Raises:
        ConfigError: such as two scenes of one name, or a test scene that there is not.
    """
    names, split = [each.name or "" for each in data.scenes], config.split
    seen: dict[str, NamedSceneConfig] = {}
    for entry in data.scenes:
        other = seen.setdefault(file_name(entry.name or "").casefold(), entry)
        if other is not entry:
            raise ConfigError(
                "--scene",
                f"{other.scene} and {entry.scene} are both called {entry.name}",
                "a name for each",
                "name them in a table: scene,labels,name",
            )
    if split.kind == "scenes" and len(names) < 2:
        raise ConfigError("--split", "scenes, with a single scene", _ONE_SCENE)
    if split.kind == "file" and names:
        found = f"a file, with {len(names)} scenes"
        raise ConfigError("--split", found, "random, disjoint, polygons, spatial_folds or scenes")
    if config.preprocess.denoise and names:
        found = f"true, with {len(names)} scenes"
        remedy = "denoise each with `hsi denoise` first"
        raise ConfigError("preprocess.denoise", found, "one scene", remedy)
    for key in ("test_scenes", "validation_scenes"):
        for name in getattr(split, key):
            if name not in names:
                hint = did_you_mean(name, names)
                raise ConfigError(
                    f"split.{key}", f"no scene is called {name!r}", listed(names), hint
                )
