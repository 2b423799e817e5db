"""What makes two runs the same run: their configuration and data, in eight digits.

Version 1 of the keys is written down in `schemas/version_1.yaml`: they are hashed with their
values. Keys that came after it are hashed where they differ from their default alone, so that a
new key, with a default that does what was done before, renames no run; nor does the value of
another one that does so (see `earlier_runs`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..errors import UnknownNameError
from ..models.network_file import is_network_file, portable_name
from .earlier_runs import AS_BEFORE
from .task import Task
from .tasks import FIRST_TASK, task_named

_VERSION = "version_1.yaml"
# Keys that change how a run is carried out but not what comes out of it.
# The user's files count by their content: their checksums are part of the identity.
_NOT_IDENTITY: set[tuple[str, ...]] = {
    ("train", "checkpoint_seconds"),
    ("data", "scene"),
    ("data", "labels"),
    ("data", "class_names"),
    ("data", "scenes"),
    ("data", "files"),
    ("split", "file"),
}
# Of version 1 those that were not in its first runs, with the values that did what was done
# before. Nothing is added here: later keys are known by not being in the version.
_ABSENT_AT_FIRST: dict[tuple[str, ...], Any] = {
    ("data", "axes"): None,
    ("data", "shape"): None,
    ("data", "unlabelled"): None,
    ("data", "warp_labels"): False,
    ("preprocess",): {"denoise": False},
    ("train", "optimizer", "decay"): 0.9,
    ("train", "optimizer", "epsilon"): 1.0,
    ("train", "sampling"): "pixels",
    ("train", "augmentation"): {"flips": False, "rotations": False, "gain": 0.0, "noise": 0.0},
    ("evaluation", "orientations"): 1,
    ("noise", "camera"): None,
}


def run_identity(config: Mapping[str, Any], checksums: Mapping[str, str]) -> str:
    """Eight hexadecimal digits that stand for a resolved configuration and its data.

    Args:
        config: the resolved configuration as a plain tree, or a batch of them under "members".
        checksums: SHA-256 of the data, by file name.
    """
    kept = _members(config) if "members" in config else _kept(config)
    text = json.dumps([kept, dict(checksums)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _members(batch: Mapping[str, Any]) -> dict[str, Any]:
    return dict(batch) | {"members": [_kept(tree, by_name=True) for tree in batch["members"]]}


def _kept(config: Mapping[str, Any], *, by_name: bool = False) -> dict[str, Any]:
    """What of a configuration is hashed.

    Args:
        config: the plain tree.
        by_name: whether files count by their names, as their content is not known.
    """
    task = str(config.get("task", FIRST_TASK))
    known = _known(task)
    schema, by_content = (known.schema, known.by_content) if known else (None, ())
    out = set() if by_name else _NOT_IDENTITY | set(by_content)
    kept = _pruned(config, _keys_of(task), schema, out)
    if str(kept.get("device")).startswith("cuda:"):
        # Which of a machine's devices computes changes no bit; the kind of device does.
        kept["device"] = "cuda:0"
    model = kept.get("model")
    if isinstance(model, Mapping) and is_network_file(model.get("name")):
        # Its content counts, not where it lies.
        kept["model"] = {**model, "name": portable_name(model["name"])}
    return kept


def _pruned(
    tree: Mapping[str, Any],
    keys: Mapping[str, Any],
    schema: type[BaseModel] | None,
    out: set[tuple[str, ...]],
    place: tuple[str, ...] = (),
) -> dict[str, Any]:
    kept = {}
    for key, value in tree.items():
        here, field = (*place, key), schema.model_fields.get(key) if schema else None
        if here in out:
            continue
        if key not in keys and field is not None and value == _default(field):
            continue
        if here in AS_BEFORE and value == AS_BEFORE[here]:
            continue
        section = None if field is None else _section(field.annotation)
        if isinstance(value, Mapping) and section is not None:
            value = _pruned(value, keys.get(key) or {}, section, out, here)
        if here not in _ABSENT_AT_FIRST or value != _ABSENT_AT_FIRST[here]:
            kept[key] = value
    return kept


def _default(field: FieldInfo) -> Any:
    """A key's default as configurations have it in plain trees."""
    value = field.get_default(call_default_factory=True)
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _section(annotation: Any) -> type[BaseModel] | None:
    """The section that a key holds, perhaps among other things; None where it holds none."""
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, BaseModel) else None
    return next(filter(None, map(_section, get_args(annotation))), None)


@cache
def _keys_of(task: str) -> Mapping[str, Any]:
    """The keys of version 1 by section; none of a task that is not in it."""
    text = (Path(__file__).parent.parent / "schemas" / _VERSION).read_text("utf-8")
    return dict(yaml.safe_load(text).get(task, {}))


@cache
def _known(task: str) -> Task | None:
    """The task of a name; None of one that is not known here."""
    try:
        return task_named(task)
    except UnknownNameError:
        return None


def key_tree(schema: type[BaseModel]) -> dict[str, Any]:
    """The keys of a schema by section, as a version's file has them."""
    sections = {name: _section(field.annotation) for name, field in schema.model_fields.items()}
    return {name: key_tree(each) if each else None for name, each in sections.items()}
