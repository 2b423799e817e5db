"""What a finished classification run leaves in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...atomic import write_json, write_text
from ...data.writers import write_label_map, write_npy
from ...engine.observer import Observer
from ...engine.trainer import Training
from ...errors import FormatLimitError
from ...models.network_file import shown_name
from ...palette import class_colours
from ...reports.drawing import save_png
from ...reports.figures import confusion_figure, has_curves, learning_curves_figure
from ...reports.maps import SPLIT_PARTS, false_colour, map_figure
from ...runs.folder import (
    CONFUSION,
    COST,
    CURVES,
    HISTORY,
    LABEL_MAP,
    MAP_PICTURE,
    METRICS,
    Run,
    csv_text,
)
from ...runs.pages import PageFacts, measured_cost, write_page
from ...schemas.classification import ClassificationConfig
from .classifier import Classifier
from .evaluation import part_scores
from .page import run_title
from .preparation import Prepared


@dataclass(frozen=True)
class Costs:
    """Wall-clock seconds of a run's parts."""

    training_seconds: float
    epoch_seconds: list[float]
    map_seconds: float
    baseline_seconds: float


@dataclass(frozen=True)
class Outcome:
    """What training and evaluation brought.

    Attributes:
        classifier: as loaded from the run's model file.
        training: history and selected epoch.
        classes: index of each pixel's class, lines × samples; −1 where there is no data.
        baselines: predicted class indices of the test part, by baseline.
        dropout: scores with dropout left on; None when not asked for.
    """

    classifier: Classifier
    training: Training
    classes: NDArray[np.int32]
    baselines: dict[str, NDArray[np.integer]]
    dropout: dict[str, Any] | None


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
    cost = measured_cost(
        costs.training_seconds,
        costs.epoch_seconds,
        map_seconds=costs.map_seconds,
        baseline_seconds=costs.baseline_seconds,
    )
    write_json(run.path / COST, cost)
    _write_maps(run, prepared, outcome, metrics, observer)
    confusion = confusion_figure(metrics["test"]["confusion_matrix"], prepared.class_names)
    save_png(confusion, run.path / CONFUSION)
    if has_curves(history):
        save_png(learning_curves_figure(history), run.path / CURVES)
    write_page(run, PageFacts(run, config, metrics, history, cost))
    write_json(run.path / METRICS, metrics)


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
        "parameters": outcome.classifier.parameter_count,
        "epoch": outcome.training.epoch,
        **outcome.training.divergence,
        "classes": [
            {"label": label, "name": scene.class_names[label - 1]} for label in split.classes
        ],
        "train": part(split.train),
        "test": part(split.test),
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
        "invalid_pixels": 0 if scene.valid is None else int((~scene.valid).sum()),
        "explained_variance": float(prepared.reduction.explained.sum()),
    }
    if scene.selection is not None:
        metrics["bands"] = scene.selection.to_dict()
    if scene.label_features is not None:
        metrics["label_remarks"] = list(scene.label_remarks)
    if scene.unverified:
        metrics["unverified"] = list(scene.unverified)
    if prepared.denoising is not None:
        metrics["denoising"] = prepared.denoising.to_dict()
    if len(split.validation):
        metrics["validation"] = part(split.validation)
    if outcome.dropout is not None:
        metrics["dropout_at_test"] = outcome.dropout
    return metrics


def _write_maps(
    run: Run,
    prepared: Prepared,
    outcome: Outcome,
    metrics: dict[str, Any],
    observer: Observer,
) -> None:
    scene, split = prepared.scene, prepared.split
    labels = outcome.classifier.labels_of(outcome.classes)
    write_npy(run.path / LABEL_MAP, labels)
    colours = class_colours(len(scene.class_names))
    for suffix in (".hdr", ".tif"):
        try:
            write_label_map(
                run.path / f"map{suffix}",
                labels,
                scene.class_names,
                colours,
                georeference=scene.georeference,
                valid=scene.valid,
            )
        except FormatLimitError as error:
            # Not every format can hold every grid; the other map still does.
            observer.message(f"left out: {error}")
    parts = np.zeros(labels.size, np.uint8)
    for code, pixels in enumerate((split.train, split.validation, split.test), 1):
        parts[pixels] = code
    parts[(prepared.labels.ravel() > 0) & (parts == 0)] = len(SPLIT_PARTS) - 1
    figure = map_figure(
        labels,
        scene.labels,
        false_colour(prepared.spectra.layers(scene.false_colour), (0, 1, 2), scene.valid),
        scene.class_names,
        title=run_title(metrics),
        synthetic=scene.synthetic,
        valid=scene.valid,
        split_parts=parts.reshape(labels.shape),
    )
    save_png(figure, run.path / MAP_PICTURE)
