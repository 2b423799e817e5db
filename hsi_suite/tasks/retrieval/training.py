"""`hsi train` for cross-modal retrieval: pairs, a common space, baselines, what is written."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ...config import load_tree, validate
from ...data.splits import save_split
from ...engine.distributed import Team
from ...engine.observer import Observer
from ...errors import ConfigError
from ...reports.content import unverified_text
from ...runs.folder import MODEL, SPLIT, Run
from ...runs.machine import on_this_machine
from ...runs.task import Job
from ...runs.training import fit
from ...schemas.retrieval import RetrievalConfig
from ..shared.model_options import configured
from ..shared.named_options import SCENE_OPTIONS, named_keys, replace_source
from .choice import choose_similarity
from .preparation import (
    PreparedPairs,
    check_cutoffs,
    new_retriever,
    pair_task,
    prepare_pairs,
)
from .results import write_retrieval_results
from .retriever import Retriever, load_retriever
from .task import PairRetrieval

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
            class_names, unlabelled, warp_labels, nodata, allow_unverified, split, model,
            baselines, epochs, seed, device,
            threads; None leaves a key alone.
        settings: "a.b=c" texts, as of `--set`.

    Raises:
        ConfigError: a key or value is wrong.
    """
    tree = named_keys(options, _OPTIONS, "no option of a retrieval's training")
    replace_source(tree, _SOURCES)
    given = configured(load_tree(config), tree, settings, _DEFAULT_MODEL)
    return validate(RetrievalConfig, given, config)


def resolve(config: RetrievalConfig) -> RetrievalConfig:
    """The configuration with everything filled in that depends on the machine or on other keys.

    Raises:
        DeviceError: the device is not there.
        ConfigError: the guard lets windows of two parts overlap.
    """
    data, split = config.data, config.split
    guard = data.window if split.guard is None else split.guard
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
            **on_this_machine(config),
            "data": data.model_copy(update=absolute),
            "split": split.model_copy(update={"guard": guard}),
        }
    )


@contextmanager
def prepared_job(
    config: RetrievalConfig, observer: Observer, team: Team, memory_limit: float | None
) -> Iterator[Job]:
    """Pairs in their parts, an untrained common space and the task of training it.

    Raises:
        ConfigError: several processes, or cut-offs beyond the gallery.
    """
    if team.size > 1:
        raise ConfigError(
            "torchrun", f"{team.size} processes", "one: the losses compare the pairs of a batch"
        )
    prepared = prepare_pairs(config, observer)
    check_cutoffs(config, prepared)
    retriever = new_retriever(config, prepared)
    task = pair_task(config, prepared)
    kind = "random" if prepared.split is None else prepared.split.kind
    yield Job(
        config,
        names=(prepared.name, f"{config.model.name}-{'-'.join(prepared.names)}", kind),
        checksums=prepared.parts.checksums,
        opening=_opening(config, prepared),
        work=lambda run, log: _work(run, config, prepared, retriever, task, log, team),
        assist=lambda run: None,
    )


def _opening(config: RetrievalConfig, prepared: PreparedPairs) -> list[str]:
    """What is about to be done, and what to know of the scene."""
    parts, scene = prepared.parts, prepared.scene
    what = (
        f"training {config.model.name} on {prepared.name}: {len(parts.train):,} training and "
        f"{len(parts.test):,} test pairs of {' and '.join(prepared.names)}, "
        f"{config.train.epochs} epochs, seed {config.seeds.base}, on {config.device}"
    )
    unverified = () if scene is None else scene.unverified
    return [what, *([unverified_text(unverified)] if unverified else [])]


def _work(
    run: Run,
    config: RetrievalConfig,
    prepared: PreparedPairs,
    retriever: Retriever,
    task: PairRetrieval,
    observer: Observer,
    team: Team,
) -> None:
    started = time.monotonic()
    if prepared.split is not None:
        save_split(prepared.split, run.path / SPLIT)
    training = fit(run, config, retriever.network, task, observer, team)
    chosen, choices = choose_similarity(retriever, prepared.parts.validation, config)
    chosen.save(run.path / MODEL)
    seconds = time.monotonic() - started
    # Results come from the file that a search will read, not from what is in memory.
    saved = load_retriever(run.path / MODEL, torch.device(config.device))
    write_retrieval_results(run, config, prepared, saved, training, choices, seconds, observer)
