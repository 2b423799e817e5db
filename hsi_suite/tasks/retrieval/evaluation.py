"""A retrieval run's test scores, computed once more from what it has saved."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ...config import validate
from ...data.splits import Split, load_split
from ...engine.devices import computing
from ...engine.observer import Observer
from ...errors import RunError
from ...metrics.measures import same_scores
from ...runs.folder import CONFIG, METRICS, MODEL, SPLIT, Run, require_finished
from ...runs.machine import available_threads, on_device
from ...schemas.retrieval import RetrievalConfig
from .choice import rankings
from .preparation import (
    PreparedPairs,
    load_pair_scene,
    pairs_of_split,
    prepare_pairs,
    reached_cutoffs,
)
from .retriever import Retriever, load_retriever
from .scoring import Arena, as_table


def test_arena(config: RetrievalConfig, prepared: PreparedPairs, retriever: Retriever) -> Arena:
    """The queries and galleries of the test part."""
    return Arena(
        prepared.parts.test,
        prepared.parts.galleries,
        retriever.header.directions,
        reached_cutoffs(config, prepared),
    )


def evaluate_retrieval(run: Run, observer: Observer, device: str | None = None) -> dict[str, Any]:
    """A run's test scores, computed again from its saved model and split.

    Returns:
        "run", "task", "test" (the scores), "stored" (as metrics.json has them), "equal" and
        "device", where they were computed.

    Raises:
        RunError: the run is unfinished or damaged, or its data have changed.
    """
    require_finished(run)
    stored = run.metrics.get("test")
    if not isinstance(stored, dict):
        raise RunError(run.path / METRICS, "holds no test scores", "a run's metrics")
    config = on_device(validate(RetrievalConfig, run.config, run.path / CONFIG), device)
    where = torch.device(config.device)
    with computing(where, config.threads or available_threads(), config.deterministic):
        retriever = load_retriever(run.path / MODEL, where)
        prepared = _prepared(run, config, observer)
        if retriever.header.names != prepared.names:
            raise RunError(run.path / MODEL, "is of another pair of modalities", "the run's own")
        arena = test_arena(config, prepared, retriever)
        found = as_table(arena.judge(rankings(retriever, arena)))
    return {
        "run": str(run.path),
        "task": "retrieval",
        "test": found,
        "stored": stored,
        "equal": same_scores(found, stored),
        "device": config.device,
    }


def _prepared(run: Run, config: RetrievalConfig, observer: Observer) -> PreparedPairs:
    if config.data.files is not None:
        prepared = prepare_pairs(config, observer)
        _check_data(run, prepared.parts.checksums)
        return prepared
    scene = load_pair_scene(config, observer)
    _check_data(run, scene.checksums)
    split = load_split(run.path / SPLIT)
    assert scene.labels is not None
    _check_split(run, split, scene.labels.shape, len(scene.class_names))
    return pairs_of_split(config, scene, split)


def _check_data(run: Run, checksums: Any) -> None:
    if run.environment.get("data") != dict(checksums):
        raise RunError(
            run.path,
            "the data have changed since this run was trained",
            "the same files",
            "`hsi data verify` checks registered data sets",
        )


def _check_split(run: Run, split: Split, shape: tuple[int, ...], classes: int) -> None:
    """Refuse a split that is not of this scene."""
    pixels = np.concatenate([split.train, split.validation, split.test])
    fits = (
        split.shape == shape
        and len(split.train) > 0
        and len(split.test) > 0
        and len(np.unique(pixels)) == len(pixels)
        and pixels.min() >= 0
        and pixels.max() < shape[0] * shape[1]
        and all(1 <= label <= classes for label in split.classes)
    )
    if not fits:
        raise RunError(run.path / SPLIT, "is not a split of this scene", "the run's own split")
