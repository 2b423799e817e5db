"""What a user names directly, as keys of a configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...config import Tree
from ...errors import ConfigError
from ...registry import did_you_mean
from ...schemas.scene_data import OF_FILES, SceneConfig

# The options that say which files of the user's a scene is.
SCENE_OPTIONS: dict[str, tuple[str, ...]] = {
    "scene": ("data", "scene"),
    "labels": ("data", "labels"),
    "scene_variable": ("data", "scene_variable"),
    "axes": ("data", "axes"),
    "shape": ("data", "shape"),
    "labels_variable": ("data", "labels_variable"),
    "class_names": ("data", "class_names"),
    "unlabelled": ("data", "unlabelled"),
    "warp_labels": ("data", "warp_labels"),
    "labels_field": ("data", "labels_field"),
    "labels_layer": ("data", "labels_layer"),
    "labels_buffer": ("data", "labels_buffer"),
    "labels_crs": ("data", "labels_crs"),
    "all_touched": ("data", "all_touched"),
    "nodata": ("data", "nodata"),
    "bands": ("data", "bands"),
    "drop_water": ("data", "drop_water"),
    "allow_unverified": ("data", "allow_unverified"),
}


def refuse_file_options(dataset: str | None, options: Mapping[str, Any]) -> None:
    """Refuse options that say how a user's files are read beside a registered data set.

    Raises:
        ConfigError: one of them is given.
    """
    for name in OF_FILES if dataset is not None else ():
        if options.get(name) is not None:
            option = f"--{name.replace('_', '-')}"
            raise ConfigError(
                option,
                f"given with the data set {dataset}",
                "--scene FILE beside it",
                "leave it out",
            )


def named_keys(
    options: Mapping[str, Any] | None, places: Mapping[str, Sequence[str]], found: str
) -> Tree:
    """The tree of keys that options of a command set.

    Args:
        options: values by name; None leaves a key alone.
        places: the key of the configuration that each option sets.
        found: what to say of an option that is none, as "no option of retrieval".

    Raises:
        ConfigError: an option has no place.
    """
    tree: Tree = {}
    for name, value in (options or {}).items():
        if value is None:
            continue
        if name not in places:
            hint = did_you_mean(name, places)
            raise ConfigError(name, found, f"one of {', '.join(places)}", hint)
        put(tree, places[name], value)
    return tree


def replace_source(tree: Tree, sources: Sequence[str], settings: Sequence[str] = ()) -> None:
    """Let the source of the data that was named replace the one of the configuration.

    Args:
        tree: the keys that were named, changed in place.
        sources: keys of `data` of which one says where the data come from.
        settings: "a.b=c" texts, which may name a source as well.
    """
    data = tree.get("data", {})
    named = {setting.partition("=")[0].strip().removeprefix("data.") for setting in settings}
    if len({*named, *data} & set(sources)) == 1:
        tree["data"] = dict.fromkeys(sources) | data


def forget_files(tree: Tree) -> None:
    """Let a source that was named take away how the configuration's own files are read.

    Args:
        tree: the keys that were named, changed in place; what they say themselves stays.
    """
    for key in OF_FILES:
        tree["data"].setdefault(key, SceneConfig.model_fields[key].default)


def put(tree: Tree, keys: Sequence[str], value: Any) -> None:
    """Set the value of a key, making the sections above it."""
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
    tree[keys[-1]] = value
