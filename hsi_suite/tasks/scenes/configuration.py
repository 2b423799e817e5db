"""What a user names (data, model, keys) as a full configuration.

It is made without torch, unless something is said of a network that the network alone knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...config import Tree, load_tree, merge, validate
from ...data.catalogue import check_dataset_name
from ...errors import ConfigError
from ...models.known_names import CLASSICAL_MODELS
from ...registry import listed
from ...runs.machine import on_this_machine
from ...schemas.classification import GUARDED, ClassificationConfig, SplitConfig
from ..shared.known_scene import require_scene
from ..shared.model_options import configured
from ..shared.named_options import (
    SCENE_OPTIONS,
    forget_files,
    named_keys,
    put,
    refuse_file_options,
)
from .candidates import with_candidates
from .config_sources import shipped_for
from .known_sizes import refuse_sizes
from .scene_choice import absolute, resolve_scenes, with_roles, with_scene_list

_DEFAULT_MODEL = "hybridsn"


# What a user may name directly: option of `hsi train`, or keyword of `hsi_suite.train`, and the
# key of the configuration that it sets.
_OPTIONS = SCENE_OPTIONS | {
    "split": ("split", "kind"),
    "split_file": ("split", "file"),
    "test_scenes": ("split", "test_scenes"),
    "validation_scenes": ("split", "validation_scenes"),
    "scenes": ("data", "scenes"),
    "resample": ("data", "resample"),
    "epochs": ("train", "epochs"),
    "seed": ("seeds", "base"),
    "baselines": ("evaluation", "baselines"),
    "device": ("device",),
    "threads": ("threads",),
}
_SOURCES = ("dataset", "scene", "scenes")


def classification_config(
    *,
    config: str | None = None,
    dataset: str | None = None,
    model: str | None = None,
    tree: Mapping[str, Any] | None = None,
    settings: Sequence[str] = (),
    **options: Any,
) -> ClassificationConfig:
    """The configuration of a classification run.

    The most special shipped configuration for the model and the data set is the base, unless one
    is named; then come the data set, the model and the options, then `tree`, then the settings.

    Args:
        config: name or path of a configuration.
        dataset: a registered data set.
        model: a registered model.
        tree: further keys of the configuration.
        settings: "a.b=c" texts, as of `--set`.
        options: scene and labels (each a file, or a list of them; or a folder or a table of
            scenes), scenes (entries of `data.scenes`), test_scenes, validation_scenes (lists of
            names), resample, scene_variable, axes, shape (a list), labels_variable,
            class_names, unlabelled, warp_labels, labels_field, labels_layer, labels_buffer,
            labels_crs, all_touched, nodata, bands, drop_water, allow_unverified, split,
            split_file, epochs, seed, baselines (a list), device, threads; None leaves a key alone.

    Raises:
        ConfigError: a key or value is wrong, or nothing says what to train on; epochs of a model
            that is fitted at once.
    """
    if dataset is not None:
        check_dataset_name(dataset)
    refuse_file_options(dataset, options)
    options = dict(with_scene_list(options))
    source = config or shipped_for(dataset, model or _DEFAULT_MODEL)
    named = merge(_named(dataset, model, options), tree or {})
    given = configured(load_tree(source), named, settings, _DEFAULT_MODEL, ClassificationConfig)
    data = given.get("data") or {}
    if isinstance(data, Mapping) and not any(data.get(key) for key in _SOURCES):
        raise ConfigError(
            "hsi train",
            "nothing to train on",
            "--dataset NAME, or --scene FILE with --labels FILE",
            "`hsi data list` shows the data sets",
        )
    if isinstance(data, Mapping) and isinstance(data.get("scene"), str) and not data.get("labels"):
        raise ConfigError(
            "hsi train",
            f"{data['scene']} without labels",
            "a label map of the scene, or labels that were drawn",
            "name their file with --labels; several scenes, or a table of them, as a list in "
            "data.scenes",
        )
    made = validate(ClassificationConfig, given, source)
    if options.get("epochs") is not None and made.auto is None:
        _refuse_epochs(made.model.name)
    _by_names(made)
    return made


def _refuse_epochs(model: str) -> None:
    if model in CLASSICAL_MODELS:
        raise ConfigError("epochs", f"given with {model}, which has none", "a network")


def _named(dataset: str | None, model: str | None, options: Mapping[str, Any]) -> Tree:
    tree = named_keys(options, _OPTIONS, "unknown option")
    if options.get("split_file") is not None and options.get("split") is None:
        put(tree, ("split", "kind"), "file")
    held = any(options.get(key) for key in ("test_scenes", "validation_scenes"))
    if held and options.get("split") is None:
        put(tree, ("split", "kind"), "scenes")
    if any({**options, "dataset": dataset}.get(key) for key in _SOURCES):
        # Naming one source replaces the one in the configuration.
        put(tree, ("data", "dataset"), dataset)
        put(tree, ("data", "scene"), options.get("scene"))
        put(tree, ("data", "scenes"), options.get("scenes") or [])
        if options.get("scenes"):
            put(tree, ("data", "labels"), None)
        if dataset is not None:
            forget_files(tree)
    if model is not None:
        put(tree, ("model", "name"), model)
    return tree


def resolve(config: ClassificationConfig) -> ClassificationConfig:
    """The configuration with everything filled in that depends on the machine or on other keys.

    Raises:
        DeviceError: the device is not there.
        ConfigError: the guard is narrower than windows reach, or a candidate of `auto` is
            none.
    """
    named = _by_names(config)
    return named.model_copy(update=on_this_machine(named))


def _by_names(config: ClassificationConfig) -> ClassificationConfig:
    """The configuration with what its names come to: candidates, scenes and split.

    Raises:
        HsiSuiteError: see `resolve`, or what `require_scene` and `refuse_sizes` refuse.
    """
    if config.auto is not None:
        config = with_candidates(config)
    data = resolve_scenes(config)
    split = with_roles(config.split, data)
    split = _resolve_split(split, config.model.reach // 2, config.auto is not None)
    refuse_sizes(config, require_scene(config.data))
    return config.model_copy(update={"split": split, "data": data})


def _resolve_split(split: SplitConfig, radius: int, chosen: bool) -> SplitConfig:
    guarded = split.kind in GUARDED
    guard = split.guard
    if guard is not None and not guarded:
        found = f"{guard} with split.kind={split.kind}"
        raise ConfigError("split.guard", found, f"split.kind of {listed(GUARDED)}")
    if guarded and guard is not None and guard < radius:
        raise ConfigError(
            "split.guard",
            f"{guard}",
            f"at least {radius}, as far as the window reaches",
            "leave it out to take what fits window and scene"
            + (", or name candidates with smaller windows" if chosen else ""),
        )
    usual = {"scenes": "train", **dict.fromkeys(GUARDED, "drop")}
    rare = split.rare_classes or usual.get(split.kind, "error")
    return split.model_copy(
        update={
            # Without one it follows from the labels, which are not read yet.
            "guard": guard if guarded else None,
            "rare_classes": rare,
            **absolute(split, ("file",)),
        }
    )
