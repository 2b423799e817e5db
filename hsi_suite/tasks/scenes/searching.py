"""The search for settings of a classical model: on which folds, and what it found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ...data.spatial_folds import pixel_folds
from ...engine.observer import Observer
from ...errors import ConfigError, SplitError
from ...models.classical import CLASSICAL
from ...models.spectrum_classifier import Fold, SpectrumClassifier
from ...schemas.classification import ClassificationConfig
from .preparation import Prepared

_FOLDS = 3
Search = dict[str, Any]


def check_search(config: ClassificationConfig) -> None:
    """Refuse spatial folds for a search that nobody makes.

    Raises:
        ConfigError: neither the model nor a baseline searches.
    """
    names = [config.model.name, *config.evaluation.baselines]
    searching = [name for name in names if name in CLASSICAL and CLASSICAL[name].SEARCHES]
    if config.train.search != "random" and not searching:
        raise ConfigError(
            "train.search",
            f"{config.train.search} with {' and '.join(names)}, which search nothing",
            "svm or gaussian, as model or baseline",
            "leave it out",
        )


def search_folds(
    config: ClassificationConfig, prepared: Prepared, observer: Observer
) -> Sequence[Fold] | None:
    """The spatial folds of the training pixels on which settings are searched; None: random ones.

    They keep the guard of the split, or as much of it as leaves folds: the training side is often
    too small for all of it. What is kept is said.
    """
    if config.train.search == "random":
        return None
    train, wanted = prepared.split.train, prepared.split.guard
    for guard in dict.fromkeys((wanted, wanted // 2, wanted // 4, 0)):
        try:
            found = pixel_folds(
                train,
                prepared.classes[train],
                prepared.split.shape,
                folds=_FOLDS,
                guard=guard,
                generator=config.streams.numpy("init", "search"),
            )
        except SplitError:
            continue
        if guard < wanted:
            observer.message(
                f"search: the training pixels leave no folds {wanted} pixels apart; these are "
                f"{guard} apart"
            )
        return found
    observer.message("search: the training pixels cannot be divided by place; folds are random")
    return None


def search_of(model: object) -> Search | None:
    """What the search of a fitted model found, for metrics.json; None where it made none."""
    if not isinstance(model, SpectrumClassifier) or model.searched is None:
        return None
    return {**asdict(model.searched), "settings": dict(model.settings)}


def mean_search(found: Iterable[Search | None]) -> Search | None:
    """The searches of all folds of a cross-validation as one, with the settings of each."""
    searches = [each for each in found if each is not None]
    if not searches:
        return None
    score = sum(each["score"] for each in searches) / len(searches)
    kinds = {each["folds"] for each in searches}
    return {
        "folds": kinds.pop() if len(kinds) == 1 else "spatial, or random where there are none",
        "number": searches[0]["number"],
        "score": score,
        "settings": [each["settings"] for each in searches],
    }


def searches_of(own: Search | None, baselines: Mapping[str, Search]) -> dict[str, Any]:
    """What metrics.json holds of all searches of a run."""
    found: dict[str, Any] = {} if own is None else {"model": own}
    return found | ({"baselines": dict(baselines)} if baselines else {})
