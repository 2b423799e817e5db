"""Which shipped configuration a model begins from."""

from __future__ import annotations

from ...config import config_names
from ...errors import ConfigError
from ...models.known_names import CLASSIC_NETWORKS, is_known, known_classifiers
from ...registry import did_you_mean, listed
from ...schemas.choosing import AUTO

_TASK_FOLDER = "classification"


def shipped_for(dataset: str | None, model: str) -> str:
    """The name of the most special shipped configuration of a model for a data set.

    Args:
        dataset: a registered one; None for files.
        model: a registered model.

    Raises:
        ConfigError: there is no such model.
    """
    names = config_names()
    special, general = f"{_TASK_FOLDER}/{model}_{dataset}", f"{_TASK_FOLDER}/{model}"
    if special in names:
        return special
    if general in names:
        return general
    if model in CLASSIC_NETWORKS:
        return f"{_TASK_FOLDER}/classic"
    own = f"{_TASK_FOLDER}/own_network"
    if is_known(model):
        return own
    known = known_classifiers()
    hint = did_you_mean(model, known, "`hsi models list` describes them")
    raise ConfigError("--model", f"unknown model {model!r}", listed([*known, AUTO]), hint)
