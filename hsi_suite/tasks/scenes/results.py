"""What a finished classification run leaves in its folder."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...atomic import write_text
from ...data.scene_stack import StackedScene, parts_of
from ...engine.observer import Observer
from ...engine.trainer import Training
from ...models.description import multiply_adds
from ...models.network_file import shown_name
from ...reports.content import unverified_marks
from ...reports.drawing import save_png
from ...reports.figures import confusion_figure, has_curves, learning_curves_figure
from ...reports.fonts import figure_names
from ...runs.cost import CANDIDATE_SECONDS, measured_cost
from ...runs.folder import (
    AREAS,
    AREAS_TABLE,
    CONFUSION,
    CURVES,
    HISTORY,
    Run,
    csv_text,
)
from ...runs.pages import PageFacts, finish_run
from ...schemas.classification import ClassificationConfig
from .class_areas import run_areas, write_areas
from .classifier import labels_of
from .evaluation import part_scores, scene_rows
from .fold_training import FoldedOutcome, pooled_training
from .judging import Judgement
from .preparation import Prepared
from .scene_domain import unlike_scenes
from .scene_maps import write_maps


@dataclass(frozen=True)
class Costs:
    """Wall-clock seconds of a run's parts.

    Attributes:
        training_seconds: from the begin of its work to the saved model.
        epoch_seconds: of each epoch.
        stages: of what follows, by their keys in cost.json.
        candidate_seconds: of each candidate of `--model auto`.
    """

    training_seconds: float
    epoch_seconds: list[float]
    stages: Mapping[str, float]
    candidate_seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What training and evaluation brought.

    Attributes:
        parameters: trainable ones of the model; None where it has none.
        training: history and selected epoch.
        classes: index of each pixel's class, lines × samples; −1 where there is no data.
        baselines: predicted class indices of the test part, by baseline.
        judged: the classifier's probabilities on the test pixels.
        dropout: scores with dropout left on; None when not asked for.
        folds: of a spatial cross-validation what each fold brought.
        search: what searches for settings found, see `searches_of`.
        choices: of `--model auto` what was tried, of each fold; see `choosing.Choice`.
    """

    parameters: int | None
    training: Training
    classes: NDArray[np.int32]
    baselines: Mapping[str, NDArray[np.integer]]
    judged: Judgement
    dropout: dict[str, Any] | None = None
    folds: FoldedOutcome | None = None
    search: Mapping[str, Any] = field(default_factory=dict)
    choices: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of_folds(cls, folds: FoldedOutcome) -> Outcome:
        """That of all folds together: parameters of the largest model, the mean of the curves."""
        parameters = [number for number in folds.parameters if number is not None]
        return cls(
            max(parameters, default=None),
            pooled_training(folds.trainings),
            folds.classes,
            folds.baselines,
            folds.judged,
            folds=folds,
            search=folds.search,
            choices=folds.choices,
        )


def write_results(
    run: Run,
    config: ClassificationConfig,
    prepared: Prepared,
    outcome: Outcome,
    costs: Costs,
    observer: Observer,
) -> None:
    """Write everything; `metrics.json`, which marks the run as finished, comes last."""
    metrics = collect_metrics(config, prepared, outcome)
    history = outcome.training.history
    if history:
        write_text(run.path / HISTORY, csv_text(history))
    started = time.monotonic()
    labels = labels_of(outcome.classes, prepared.split.classes)
    write_maps(run, prepared, labels, metrics, observer)
    areas = run_areas(prepared.scene, labels, metrics)
    write_areas(areas, run.path / AREAS_TABLE, run.path / AREAS)
    names = figure_names(prepared.class_names, prepared.split.classes)
    confusion = confusion_figure(metrics["test"]["confusion_matrix"], names)
    save_png(confusion, run.path / CONFUSION)
    if has_curves(history):
        save_png(learning_curves_figure(history), run.path / CURVES)
    cost = measured_cost(
        costs.training_seconds,
        costs.epoch_seconds,
        **costs.stages,
        pictures_seconds=time.monotonic() - started,
    )
    if costs.candidate_seconds:
        cost[CANDIDATE_SECONDS] = dict(costs.candidate_seconds)
    finish_run(PageFacts(run, config, metrics, history, cost))


def collect_metrics(
    config: ClassificationConfig, prepared: Prepared, outcome: Outcome
) -> dict[str, Any]:
    """The run's deterministic scores, as metrics.json holds them."""
    scene, split = prepared.scene, prepared.split

    def names(by_label: Any) -> dict[str, Any]:
        return {scene.class_names[label - 1]: value for label, value in by_label.items()}

    def part(pixels: NDArray[np.integer]) -> dict[str, Any]:
        return part_scores(prepared, pixels, outcome.classes.reshape(-1)[pixels])

    metrics: dict[str, Any] = {
        "task": "classification",
        "dataset": scene.name,
        "synthetic": scene.synthetic,
        "model": shown_name(config.model.name),
        "window": config.model.window,
        "seed": config.seeds.base,
        "parameters": outcome.parameters,
        "multiply_adds": _multiply_adds(config, prepared),
        "epoch": outcome.training.epoch,
        **outcome.training.divergence,
        "classes": [
            {"label": label, "name": scene.class_names[label - 1]} for label in split.classes
        ],
        "train": part(split.train) if outcome.folds is None else outcome.folds.train_scores,
        "test": part(split.test) | outcome.judged.scores,
        "probabilities": outcome.judged.facts,
        "baselines": {
            name: part_scores(prepared, split.test, predicted)
            for name, predicted in outcome.baselines.items()
        },
        "split": {
            "kind": split.kind,
            "train": len(split.train),
            "validation": len(split.validation),
            "test": len(split.test),
            "guard": split.guard,
            "layout": split.layout,
            "dropped": names(split.dropped),
            "train_only": names(split.train_only),
            "lost": names(split.lost),
        },
        "leakage": prepared.leakage.to_dict(),
        "invalid_pixels": _without_data(prepared),
        "explained_variance": float(prepared.reduction.explained.sum()),
    }
    if config.model.filter > 1:
        metrics["filter"] = config.model.filter
    if isinstance(scene, StackedScene):
        metrics["scenes"] = scene_rows(prepared, outcome.classes)
        if unlike := unlike_scenes(prepared):
            metrics["scenes_unlike"] = unlike
    if scene.selection is not None:
        metrics["bands"] = scene.selection.to_dict()
    if scene.label_features is not None:
        metrics["label_remarks"] = list(scene.label_remarks)
    metrics |= unverified_marks(scene.unverified)
    if prepared.denoising is not None:
        metrics["denoising"] = prepared.denoising.to_dict()
    if len(split.validation):
        metrics["validation"] = part(split.validation)
    if outcome.search:
        metrics["search"] = dict(outcome.search)
    if prepared.guards is not None:
        metrics["guard_curve"] = prepared.guards.to_dict()
    if outcome.folds is not None:
        metrics |= _fold_metrics(prepared, outcome.folds, metrics["split"])
    if outcome.choices:
        metrics["choices"] = list(outcome.choices)
        metrics["window"] = max(each["window"] for each in outcome.choices)
    if outcome.dropout is not None:
        metrics["dropout_at_test"] = outcome.dropout
    return metrics


def _multiply_adds(config: ClassificationConfig, prepared: Prepared) -> int | None:
    """Those of a window by itself; None of a model that is no network of this package."""
    model, channels = config.model, prepared.reduction.components
    arguments = {
        "in_channels": channels,
        "num_classes": len(prepared.split.classes),
        "window": model.window,
    }
    shape = (channels, model.window, model.window)
    return multiply_adds(model.name, {**model.options, **arguments}, shape)


def _fold_metrics(
    prepared: Prepared, folds: FoldedOutcome, split: Mapping[str, Any]
) -> dict[str, Any]:
    """What a cross-validation adds; its training and validation parts are those of a mean fold."""
    names = prepared.scene.class_names
    sizes = {
        part: round(sum(row[part] for row in folds.rows) / len(folds.rows))
        for part in ("train", "validation")
    }
    untested = {names[label - 1]: pixels for label, pixels in prepared.untested.items()}
    found: dict[str, Any] = {
        "split": {**split, **sizes, "folds": len(folds.rows), "untested": untested},
        "folds": list(folds.rows),
        "intervals": folds.intervals,
    }
    # A mean of the curves may hide that one of them diverged.
    diverged = [row["diverged"] for row in folds.rows if "diverged" in row]
    return found | ({"diverged": diverged[0]} if diverged else {})


def _without_data(prepared: Prepared) -> int:
    """Pixels that hold no data, gaps between scenes left out."""
    parts = parts_of(prepared.scene)
    if isinstance(prepared.scene, StackedScene):
        return sum(0 if part.valid is None else int((~part.valid).sum()) for part in parts)
    valid = prepared.scene.valid
    return 0 if valid is None else int((~valid).sum())
