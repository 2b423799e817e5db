"""The configuration of a training for retrieval: options, machine, paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...config import load_tree, validate
from ...data.modalities import check_scene_kind
from ...data.pairs import pair_names
from ...data.reduction import check_components
from ...data.scene import check_window
from ...data.splits import check_guard
from ...errors import ConfigError
from ...runs.machine import on_this_machine
from ...schemas.retrieval import PairDataConfig, RetrievalConfig
from ..shared.known_scene import refuse_keys_of_files, require_scene
from ..shared.model_options import configured
from ..shared.named_options import (
    SCENE_OPTIONS,
    forget_files,
    named_keys,
    refuse_file_options,
    replace_source,
)

_DEFAULT_MODEL = "dscmr"
# What a user may name directly, and the key of the configuration that it sets.
_OPTIONS = {
    "dataset": ("data", "dataset"),
    **SCENE_OPTIONS,
    "split": ("split", "kind"),
    "model": ("model", "name"),
    "baselines": ("evaluation", "baselines"),
    "epochs": ("train", "epochs"),
    "seed": ("seeds", "base"),
    "device": ("device",),
    "threads": ("threads",),
}
_SOURCES = ("dataset", "scene", "files")
_PATHS = ("scene", "labels", "class_names", "files")


def retrieval_config(
    *,
    config: str,
    options: Mapping[str, Any] | None = None,
    settings: Sequence[str] = (),
) -> RetrievalConfig:
    """The configuration of a training for retrieval: a named one, options, then settings.

    Args:
        config: name or path of a configuration.
        options: dataset, scene, labels, scene_variable, axes, shape, labels_variable,
            class_names, unlabelled, warp_labels, labels_field, labels_layer, labels_buffer,
            labels_crs, all_touched, nodata, bands, drop_water, allow_unverified, split, model,
            baselines, epochs, seed, device, threads; None leaves a key alone.
        settings: "a.b=c" texts, as of `--set`.

    Raises:
        ConfigError: a key or value is wrong.
    """
    refuse_file_options((options or {}).get("dataset"), options or {})
    tree = named_keys(options, _OPTIONS, "no option of a retrieval's training")
    replace_source(tree, _SOURCES)
    if (options or {}).get("dataset") is not None:
        forget_files(tree)
    given = configured(load_tree(config), tree, settings, _DEFAULT_MODEL, RetrievalConfig)
    found = validate(RetrievalConfig, given, config)
    _by_names(found)
    return found


def resolve(config: RetrievalConfig) -> RetrievalConfig:
    """The configuration with everything filled in that depends on the machine or on other keys.

    Raises:
        DeviceError: the device is not there.
        ConfigError: no such pair, or the guard lets windows of two parts overlap.
    """
    named = _by_names(config)
    return named.model_copy(update=on_this_machine(named))


def _by_names(config: RetrievalConfig) -> RetrievalConfig:
    """The configuration with what its names come to.

    Raises:
        ConfigError: see `resolve`.
    """
    names = pair_names(config.data.pair)
    for name in names if config.data.files is None else ():
        check_scene_kind(name)
    data, split = config.data, config.split
    shape = require_scene(data)
    if data.files is not None:
        refuse_keys_of_files(data, "data.files")
    guard = data.window if split.guard is None else split.guard
    if shape is not None:
        _require_sizes(names, data, shape)
        if split.kind == "disjoint":
            check_guard(guard, *shape[:2], "split.guard or data.window")
    if split.kind == "disjoint" and guard < data.window // 2:
        raise ConfigError(
            "split.guard",
            f"{guard}",
            f"at least the window's radius, {data.window // 2}",
            "leave it out to take the window",
        )
    given = {key: getattr(data, key) for key in _PATHS}
    absolute = {k: str(Path(path).absolute()) for k, path in given.items() if path is not None}
    return config.model_copy(
        update={
            "data": data.model_copy(update=absolute),
            "split": split.model_copy(update={"guard": guard}),
        }
    )


def _require_sizes(names: Sequence[str], data: PairDataConfig, shape: tuple[int, int, int]) -> None:
    """Refuse windows and components that a scene of a shape has no room for."""
    lines, samples, bands = shape
    if set(names) - {"spectrum"}:
        check_window("data.window", data.window, lines, samples)
    if {"pca", "hsi"} & set(names):
        check_components("data.components", data.components, bands)
