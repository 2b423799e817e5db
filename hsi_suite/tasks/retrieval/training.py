"""`hsi train` for cross-modal retrieval: pairs, a common space, baselines, what is written."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ...config import load_tree, validate
from ...data.splits import save_split
from ...engine.devices import computing
from ...engine.distributed import ALONE, Team
from ...engine.observer import Observer
from ...engine.trainer import Trainer
from ...errors import ConfigError
from ...reports.content import unverified_text
from ...runs.folder import CHECKPOINT, CONFIG, MODEL, SPLIT, Run, open_run
from ...runs.life import carry_out
from ...runs.machine import on_device, on_this_machine
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


def train(
    config: RetrievalConfig,
    output: str | Path = "runs",
    observer: Observer | None = None,
    folder: Path | None = None,
    team: Team = ALONE,
    begun_on: str | None = None,
) -> Run:
    """Train and evaluate one common space; return its run.

    A finished run of the same identity is returned as it is; an unfinished one is continued.

    Args:
        config: see `retrieval_config`.
        output: where run folders are made.
        observer: hears of the progress.
        folder: the run's folder itself, when it is continued.
        team: of one process: the losses compare the pairs of a batch, which cannot be shared out.
        begun_on: see `carry_out`.

    Raises:
        HsiSuiteError: of any kind, before anything is written where that is possible.
        Stopped: a stop was asked for; the run can be continued.
    """
    if team.size > 1:
        raise ConfigError(
            "torchrun", f"{team.size} processes", "one: the losses compare the pairs of a batch"
        )
    observer = observer or Observer()
    config = resolve(config)
    with computing(torch.device(config.device), config.threads or 1, config.deterministic):
        prepared = prepare_pairs(config, observer)
        check_cutoffs(config, prepared)
        retriever = new_retriever(config, prepared)
        task = pair_task(config, prepared)
        kind = "random" if prepared.split is None else prepared.split.kind
        return carry_out(
            config,
            names=(prepared.name, f"{config.model.name}-{'-'.join(prepared.names)}", kind),
            checksums=prepared.parts.checksums,
            output=Path(output),
            folder=folder,
            observer=observer,
            work=lambda run, log: _work(run, config, prepared, retriever, task, log),
            team=team,
            assist=lambda run: None,
            begun_on=begun_on,
        )


def resume(
    path: str | Path,
    observer: Observer | None = None,
    team: Team = ALONE,
    device: str | None = None,
) -> Run:
    """Continue the run in a folder from its own configuration, perhaps on another device.

    Raises:
        RunError: it is no run folder, or its data have changed.
    """
    run = open_run(path)
    config = validate(RetrievalConfig, run.config, run.path / CONFIG)
    return train(
        on_device(config, device),
        observer=observer,
        folder=run.path,
        team=team,
        begun_on=config.device,
    )


def _work(
    run: Run,
    config: RetrievalConfig,
    prepared: PreparedPairs,
    retriever: Retriever,
    task: PairRetrieval,
    observer: Observer,
) -> None:
    started = time.monotonic()
    parts = prepared.parts
    observer.message(
        f"training {config.model.name} on {prepared.name}: {len(parts.train):,} training and "
        f"{len(parts.test):,} test pairs of {' and '.join(prepared.names)}, "
        f"{config.train.epochs} epochs, seed {config.seeds.base}, on {config.device}"
    )
    if prepared.scene is not None and prepared.scene.unverified:
        observer.message(unverified_text(prepared.scene.unverified))
    if prepared.split is not None:
        save_split(prepared.split, run.path / SPLIT)
    device = torch.device(config.device)
    training = Trainer(
        retriever.network,
        task,
        config.train,
        task.seeds,
        device,
        run.path / CHECKPOINT,
        observer,
        identity=run.identity,
    ).fit()
    chosen, choices = choose_similarity(retriever, prepared.parts.validation, config)
    chosen.save(run.path / MODEL)
    seconds = time.monotonic() - started
    # Results come from the file that a search will read, not from what is in memory.
    saved = load_retriever(run.path / MODEL, device)
    write_retrieval_results(run, config, prepared, saved, training, choices, seconds, observer)
    (run.path / CHECKPOINT).unlink(missing_ok=True)
