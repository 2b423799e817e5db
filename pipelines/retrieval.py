"""Find one modality by another: the stages of the task, from a configuration to scores.

The page and the terminal's table are made by `tasks.retrieval.definition`, from what is written
here; a trained space is used by `hsi retrieve`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ..data.splits import save_split
from ..engine.distributed import Team
from ..engine.observer import Observer
from ..errors import ConfigError
from ..models.network_file import shown_name
from ..runs.folder import MODEL, SPLIT, Run
from ..runs.task import Job
from ..runs.training import fit, trainer
from ..schemas.retrieval import RetrievalConfig
from ..tasks.retrieval import configuration
from ..tasks.retrieval.choice import choose_similarity
from ..tasks.retrieval.evaluation import evaluate_retrieval
from ..tasks.retrieval.preparation import (
    PreparedPairs,
    cutoff_remarks,
    new_retriever,
    pair_task,
    prepare_pairs,
)
from ..tasks.retrieval.retriever import Retriever, load_retriever
from ..tasks.retrieval.task import PairRetrieval
from ..tasks.shared.opening import bands_left_out, epochs_text, opening
from ..tasks.shared.settled_bands import with_settled_bands


def resolve(config: RetrievalConfig) -> RetrievalConfig:
    """Everything filled in that depends on machine or other keys; see `Recipe`."""
    resolved = configuration.resolve(config)
    return resolved.model_copy(update={"data": with_settled_bands(resolved.data)})


@contextmanager
def prepare(
    config: RetrievalConfig, observer: Observer, team: Team, memory_limit: float | None
) -> Iterator[Job]:
    """Pairs in their parts, an untrained common space and the task of training it.

    Raises:
        ConfigError: several processes.
    """
    if team.size > 1:
        raise ConfigError(
            "torchrun", f"{team.size} processes", "one: the losses compare the pairs of a batch"
        )
    prepared = prepare_pairs(config, observer)
    retriever = new_retriever(config, prepared)
    task = pair_task(config, prepared)
    kind = "random" if prepared.split is None else prepared.split.kind
    yield Job(
        config,
        names=(prepared.name, f"{shown_name(config.model.name)}-{'-'.join(prepared.names)}", kind),
        checksums=prepared.parts.checksums,
        opening=_opening(config, prepared),
        work=lambda run, log: _work(run, config, prepared, retriever, task, log, team),
        assist=lambda run: None,
        trainer=lambda run, log: trainer(run, config, retriever.network, task, log),
    )


def _opening(config: RetrievalConfig, prepared: PreparedPairs) -> list[str]:
    train, test = len(prepared.parts.train), len(prepared.parts.test)
    parts = f"{train:,} training and {test:,} test pairs of {' and '.join(prepared.names)}"
    unverified = () if prepared.scene is None else prepared.scene.unverified
    lines = opening(config, prepared.name, parts, epochs_text(config.train.epochs), unverified)
    return [*lines, *bands_left_out(prepared.scene), *cutoff_remarks(config, prepared)]


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
    # Imported late: a training does without what draws, and without the baselines' libraries.
    from ..tasks.retrieval.results import write_retrieval_results

    write_retrieval_results(run, config, prepared, saved, training, choices, seconds, observer)


def evaluate(
    run: Run,
    observer: Observer,
    device: str | None,
    memory_limit: float | None,
    *,
    dropout_at_test: bool,
) -> dict[str, Any]:
    """The test scores once more, from the saved model and split; see `Recipe`."""
    return evaluate_retrieval(run, observer, device)
