"""What a finished training for retrieval leaves in its folder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...atomic import write_text
from ...backbones.stages import STAGE_KEYS
from ...engine.observer import Observer
from ...engine.trainer import Training
from ...metrics.retrieval import RetrievalScores
from ...models.description import multiply_adds
from ...models.encoders import has_stages
from ...models.network_file import shown_name
from ...reports.content import unverified_marks
from ...reports.drawing import save_png
from ...reports.retrieval.figures import precision_recall_figure, projection_figure
from ...runs.cost import judged_cost
from ...runs.folder import HISTORY, Run, csv_text
from ...runs.pages import PageFacts, finish_run
from ...schemas.retrieval import RetrievalConfig
from .baselines import Baselines, run_baselines
from .choice import rankings
from .evaluation import test_arena
from .page import PROJECTION
from .preparation import PreparedPairs
from .retriever import Retriever, RetrieverHeader
from .scoring import Arena, Ranking, as_table, curve, validation_arena

PRECISION_RECALL = "precision_recall.png"
# More points than these of a modality only cover each other.
_POINTS = 800


@dataclass(frozen=True, eq=False)
class Found:
    """What a retriever reaches on the test part.

    Attributes:
        arena: the queries and galleries.
        ranked: how it ranks them, by direction.
        scores: what that is worth.
        baselines: what simpler methods reach.
    """

    arena: Arena
    ranked: dict[str, Ranking]
    scores: dict[str, RetrievalScores]
    baselines: Baselines


def write_retrieval_results(
    run: Run,
    config: RetrievalConfig,
    prepared: PreparedPairs,
    retriever: Retriever,
    training: Training,
    choices: Sequence[dict[str, Any]],
    seconds: float,
    observer: Observer,
) -> None:
    """Search, and write everything; `metrics.json`, which marks the run as finished, last."""
    started = time.monotonic()
    arena = test_arena(config, prepared, retriever)
    ranked = rankings(retriever, arena)
    baselines = run_baselines(config, prepared, arena, observer)
    found = Found(arena, ranked, arena.judge(ranked), baselines)
    metrics = _metrics(config, prepared, retriever, training, choices, found)
    evaluated = time.monotonic()
    write_text(run.path / HISTORY, csv_text(training.history))
    save_png(precision_recall_figure(metrics), run.path / PRECISION_RECALL)
    save_png(_projection(prepared, found), run.path / PROJECTION, dpi=200)
    cost = judged_cost(seconds, training, started, evaluated)
    finish_run(PageFacts(run, config, metrics, training.history, cost))


def _multiply_adds(retriever: Retriever, prepared: PreparedPairs) -> int | None:
    """Those of a pair: both encoders, the common space and the predicted labels."""
    header = retriever.header
    shapes = [modality.shape for modality in prepared.modalities]
    arguments = {
        "first_shape": shapes[0],
        "second_shape": shapes[1],
        "num_classes": len(header.class_names),
    }
    size = prod(shapes[0]) + prod(shapes[1])
    return multiply_adds(header.model, {**header.options, **arguments}, (size,))


def _encoder(header: RetrieverHeader, side: str) -> str:
    """An encoder's name, with what was said of its stages."""
    options = header.options
    own = (options.get("stages") or {}).get(side, {})
    said = {key: own.get(key, options.get(key)) for key in STAGE_KEYS}
    words = [f"{key} {value}" for key, value in said.items() if value is not None]
    name: str = options[f"{side}_encoder"]
    return f"{name} ({', '.join(words)})" if words and has_stages(name) else name


def _metrics(
    config: RetrievalConfig,
    prepared: PreparedPairs,
    retriever: Retriever,
    training: Training,
    choices: Sequence[dict[str, Any]],
    found: Found,
) -> dict[str, Any]:
    """The run's deterministic scores, as metrics.json holds them."""
    header, parts, baselines = retriever.header, prepared.parts, found.baselines
    metrics = {
        "task": "retrieval",
        "dataset": prepared.name,
        "synthetic": prepared.synthetic,
        "model": shown_name(config.model.name),
        "pair": list(header.names),
        "directions": list(header.directions),
        "encoders": [_encoder(header, side) for side in ("first", "second")],
        "window": config.data.window if prepared.split is not None else None,
        "loss": config.loss.model_dump(),
        "seed": config.seeds.base,
        "parameters": sum(p.numel() for p in retriever.network.parameters()),
        "multiply_adds": _multiply_adds(retriever, prepared),
        "embedding_size": retriever.embedding_size,
        "epoch": training.epoch,
        **training.divergence,
        "selection": config.train.selection,
        "label_share": header.label_share,
        "sharpness": header.sharpness,
        "choices": list(choices),
        "thresholds": dict(header.thresholds or {}),
        "multi_label": parts.multi_label,
        "classes": _classes(prepared),
        "split": _split(prepared),
        "leakage": None if prepared.leakage is None else prepared.leakage.to_dict(),
        "test": as_table(found.scores),
        "curves": {direction: curve(scores) for direction, scores in found.scores.items()},
        "baselines": baselines.scores,
        "baseline_settings": baselines.settings,
        "not_applicable": baselines.not_applicable,
    }
    if prepared.scene is not None:
        metrics |= unverified_marks(prepared.scene.unverified)
        if prepared.scene.selection is not None:
            metrics["bands"] = prepared.scene.selection.to_dict()
    if len(parts.validation):
        arena = validation_arena(parts.validation, header.directions)
        metrics["validation"] = as_table(arena.judge(rankings(retriever, arena)))
    return metrics


def _classes(prepared: PreparedPairs) -> list[dict[str, Any]]:
    parts = prepared.parts
    counts = {
        name: part.targets.sum(0, dtype=np.int64)
        for name, part in (
            ("train", parts.train),
            ("validation", parts.validation),
            ("test", parts.test),
        )
    }
    labels = None if prepared.split is None else prepared.split.classes
    return [
        {"label": place + 1 if labels is None else labels[place], "name": name}
        | {part: int(count[place]) for part, count in counts.items()}
        for place, name in enumerate(parts.class_names)
    ]


def _split(prepared: PreparedPairs) -> dict[str, Any]:
    parts, split, scene = prepared.parts, prepared.split, prepared.scene
    first, second = (0 if extra is None else len(extra) for extra in parts.extra)
    table = {
        "kind": "random" if split is None else split.kind,
        "train": len(parts.train),
        "validation": len(parts.validation),
        "test": len(parts.test),
        "extra_first": first,
        "extra_second": second,
    }
    if split is None or scene is None:
        return table

    def names(by_label: Any) -> dict[str, Any]:
        return {scene.class_names[label - 1]: value for label, value in by_label.items()}

    return table | {
        "guard": split.guard,
        "layout": split.layout,
        "dropped": names(split.dropped),
        "train_only": names(split.train_only),
        "lost": names(split.lost),
    }


def _projection(prepared: PreparedPairs, found: Found) -> Any:
    """The test's rows of both modalities in the plane in which they vary most."""
    there, back = (found.ranked[name] for name in found.arena.directions)
    queries = np.asarray(there.queries, np.float64), np.asarray(back.queries, np.float64)
    shown = np.linspace(0, len(queries[0]) - 1, min(_POINTS, len(queries[0]))).astype(int)
    rows = np.concatenate([part[shown] for part in queries])
    points, explained = plane(rows)
    classes = prepared.parts.test.targets[shown].argmax(1)
    return projection_figure(
        points.reshape(2, len(shown), 2),
        classes,
        prepared.parts.class_names,
        prepared.names,
        explained,
    )


def plane(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """N × dimensions rows on their first two principal components, with the shares of variance."""
    centred = rows - rows.mean(0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(1)])[:, None]
    shares = sizes**2 / max(float((sizes**2).sum()), np.finfo(float).tiny)
    return centred @ axes.T, (float(shares[0]), float(shares[1]))
