"""Which sources of chance a training has, and how one of them is set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..data.synthetic_recipes import SYNTHETIC_RECIPES
from ..errors import HsiSuiteError
from ..models.network_file import shown_name
from ..seeding import STREAMS, SeedStreams, derive_seed
from .task import Config
from .tasks import task_named

if TYPE_CHECKING:
    from torch import nn


def with_base_seed(config: Config, seed: int, *, new_data: bool) -> Config:
    """The same training with every stream drawn from another base seed.

    Args:
        config: of the training.
        seed: the base seed.
        new_data: whether a synthetic scene is made from it as well.
    """
    changed = config.model_copy(update={"seeds": config.seeds.model_copy(update={"base": seed})})
    return _with_scene(changed, seed) if new_data and generated(config) else changed


def with_source(config: Config, source: str, seed: int) -> Config:
    """The same training with one source of chance as a base seed would have it.

    Args:
        config: of the training; all else stays.
        source: as in the batch's key `vary`.
        seed: the base seed that the source is taken from.
    """
    if source == "data" and generated(config):
        return _with_scene(config, seed)
    stream = "noise" if source == "data" else source
    seeds = config.seeds.model_copy(update={stream: SeedStreams(seed).seed(stream)})
    return config.model_copy(update={"seeds": seeds})


def fixed(config: Config, source: str) -> str | None:
    """The key of a configuration that already fixes a source of chance; None where none does."""
    if source == "data" and generated(config):
        return None if config.data.seed is None else "data.seed"
    stream = "noise" if source == "data" else source
    if stream in STREAMS and getattr(config.seeds, stream) is not None:
        return f"seeds.{stream}"
    return None


def absent(config: Config, source: str) -> str | None:
    """Why a training has no such source of chance; None where it has, or nobody knows."""
    return task_named(config.task).absent_source(config, source)


def absent_dropout(config: Config, build: Callable[[], nn.Module]) -> str | None:
    """Why a network has no dropout; None where it has, or cannot be built without the data.

    Args:
        config: of the training, with the section `model`.
        build: makes a network like the one to be trained.
    """
    from ..models.dropout import dropout_layers
    from ..models.registry import is_model

    if not is_model(config.model.name):
        return None
    try:
        network = build()
    except HsiSuiteError:
        # Whatever does not fit is reported by the run itself, which knows the data.
        return None
    return None if dropout_layers(network) else f"{shown_name(config.model.name)} has no dropout"


def generated(config: Config) -> bool:
    """Whether the data are a synthetic scene with a seed of its own."""
    data: Any = config.data
    return hasattr(data, "seed") and getattr(data, "dataset", None) in SYNTHETIC_RECIPES


def _with_scene(config: Config, seed: int) -> Config:
    data: Any = config.data
    changed = data.model_copy(update={"seed": derive_seed(seed, "data")})
    return config.model_copy(update={"data": changed})
