"""The candidates of `--model auto`: from their names to configurations that can be trained.

Torch and scikit-learn are left out, so that a command refuses at once what is no candidate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...config import Section, Tree, config_names, load_tree, merge, validate
from ...errors import ConfigError
from ...models.known_names import CLASSICAL_MODELS, is_known, known_classifiers
from ...models.network_file import is_network_file
from ...registry import did_you_mean, listed
from ...schemas.choosing import AUTO, Candidate
from ...schemas.classification import (
    ClassificationConfig,
    ClassificationTrainingConfig,
    ModelConfig,
    ReductionConfig,
)
from ..shared.model_options import configured
from .config_sources import shipped_for

_KEY = "auto.candidates"
_SECTIONS: Mapping[str, type[Section]] = {
    "model": ModelConfig,
    "reduction": ReductionConfig,
    "train": ClassificationTrainingConfig,
}


def with_candidates(config: ClassificationConfig) -> ClassificationConfig:
    """A configuration whose candidates are there with their keys, not by name alone.

    Its window becomes the farthest reach among them, so that split and audit have room for each.

    Raises:
        ConfigError: a candidate is none, a window is asked for beside them, or an epoch is selected
            on validation pixels, which folds do not have.
    """
    if config.auto is None:
        return config
    named = [
        _named(each, config.data.dataset) if isinstance(each, str) else each
        for each in config.auto.candidates
    ]
    # What every candidate takes over; of one alone it is said where that one is tried.
    refuse_selecting(config.train)
    largest = max(_section("model", each.keys, each.name).reach for each in named)
    if config.model.window not in (1, largest):
        raise ConfigError(
            "model.window",
            f"{config.model.window} with --model {AUTO}",
            "a window of each candidate's own",
            f"name it there, as in {_KEY}=[lda, wide_svm model.window={config.model.window}]",
        )
    return config.model_copy(
        update={
            "auto": config.auto.model_copy(update={"candidates": named}),
            "model": config.model.model_copy(update={"window": largest}),
        }
    )


def refuse_selecting(train: ClassificationTrainingConfig) -> None:
    """Refuse what a fold cannot train.

    Raises:
        ConfigError: an epoch is selected on validation pixels, which folds do not have.
    """
    if train.selection == "best" or train.early_stopping is not None:
        raise ConfigError(
            "train.selection, train.early_stopping",
            "a model that its validation pixels choose",
            "a model of the last epoch: folds of the training pixels have no validation part",
        )


def candidate_configs(config: ClassificationConfig) -> dict[str, ClassificationConfig]:
    """The configuration of each candidate as a run of its own, by name.

    Keys of `train` that are set beside the candidates hold for all; spatial folds of a search for
    those alone that search.

    Args:
        config: with candidates that `with_candidates` filled in.

    Raises:
        ConfigError: keys of one do not go with those of the run.
    """
    from ...models.classical import CLASSICAL

    assert config.auto is not None
    own = config.model_dump(mode="json", exclude={"auto", "model", "reduction", "train"})
    own["evaluation"]["baselines"] = []
    shared = config.train.model_dump(mode="json", exclude_defaults=True)
    found = {}
    for each in config.auto.candidates:
        assert isinstance(each, Candidate)
        model = each.keys["model"]["name"]
        train = dict(shared)
        if model not in CLASSICAL_MODELS or not CLASSICAL[model].SEARCHES:
            train.pop("search", None)
        tree = merge(each.keys, {"train": train})
        where = f"{_KEY}: {each.name}"
        found[each.name] = validate(ClassificationConfig, {**own, **tree}, where)
    return found


def _named(name: str, dataset: str | None) -> Candidate:
    """A candidate with its keys."""
    where, (source, *settings) = f"{_KEY}: {name}", name.split()
    for setting in settings:
        if setting.split(".")[0] not in _SECTIONS:
            raise ConfigError(
                where, repr(setting), f"a key of {listed(tuple(_SECTIONS))}, as in model.window=5"
            )
    tree = configured(_tree(where, source, dataset), {}, settings, AUTO, ClassificationConfig)
    keys: Tree = {}
    for section in _SECTIONS:
        found = _section(section, tree, where)
        keys[section] = found.model_dump(mode="json", exclude_defaults=True)
    model = _section("model", tree, where)
    if model.name == AUTO or not is_known(model.name):
        raise _unknown(where, model.name)
    keys["model"] |= {"name": model.name, "window": model.window}
    return Candidate(name=name, keys=keys)


def _tree(where: str, source: str, dataset: str | None) -> Tree:
    if is_network_file(source):
        raise ConfigError(
            where,
            "a network in a file",
            "configurations of registered models",
            "train it by itself",
        )
    if source in config_names() or source.endswith((".yaml", ".yml")):
        return load_tree(source)
    try:
        return load_tree(shipped_for(dataset, source))
    except ConfigError as error:
        raise _unknown(where, source) from error


def _unknown(where: str, name: str) -> ConfigError:
    names = [each.removeprefix("classification/") for each in config_names()]
    known = dict.fromkeys([*known_classifiers(), *names])
    hint = did_you_mean(name, list(known), "`hsi models list` describes them")
    return ConfigError(where, f"unknown candidate {name!r}", "a model or configuration", hint)


def _section(name: str, tree: Mapping[str, Any], where: str) -> Any:
    return validate(_SECTIONS[name], tree.get(name) or {}, f"{where}: {name}")
