"""A classification's test scores, computed once more from what its run has saved."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...config import validate
from ...data.readers import SceneFile
from ...data.scene import Scene
from ...data.splits import Split, load_split
from ...engine.devices import computing
from ...engine.observer import Observer
from ...errors import ConfigError, RunError
from ...metrics.classification import scores
from ...metrics.confusion import Confusion
from ...metrics.measures import same_scores
from ...models.network_file import shown_name
from ...runs.folder import METRICS, SPLIT, SPLIT_ENDING, Run, fold_files
from ...runs.machine import available_threads, on_device
from ...schemas.classification import ClassificationConfig
from .classifier import Classifier
from .ensemble import finished_classifiers
from .evaluation import dropout_spread
from .fitting import reduced_scene
from .judging import judge_test, pooled
from .preparation import Prepared, class_indices
from .scene_loading import close_scene, load_prepared_scene
from .splitting import scene_audit
from .training_memory import MemoryLimit


def evaluate_classification(
    run: Run,
    observer: Observer,
    device: str | None = None,
    memory_limit: float | None = None,
    dropout_at_test: bool = False,
) -> dict[str, Any]:
    """A run's test scores, computed again from its saved model and split.

    Args:
        run: a finished run.
        observer: reports progress.
        device: auto, cpu, cuda or cuda:N in the place of the run's own.
        memory_limit: bytes within which a scene of the user's own is read, see `MemoryLimit`.
        dropout_at_test: also show what leaving dropout on would do.

    Returns:
        See `runs.evaluation.evaluate`.

    Raises:
        RunError: the run is unfinished or damaged.
        ChecksumError: the data are not those of the run.
    """
    config = on_device(validate(ClassificationConfig, run.config, run.path), device)
    threads = config.threads or available_threads()
    where = torch.device(config.device)
    with computing(where, threads, config.deterministic), ExitStack() as stack:
        classifiers = finished_classifiers(run.path, where, threads)
        if dropout_at_test:
            _check_dropout(classifiers, config)
        scene, denoising = load_prepared_scene(config, observer, MemoryLimit.of(memory_limit))
        stack.callback(close_scene, scene)
        check_data(run, scene)
        assert scene.labels is not None
        splits, truth, predicted, judgements, spread = [], [], [], [], None
        for classifier, file in zip(classifiers, split_files(run), strict=True):
            split = load_split(file)
            check_split(file, split, scene.labels, classifier)
            splits.append(split)
            prepared = Prepared(
                scene=scene,
                labels=scene.labels,
                split=split,
                leakage=scene_audit([split], scene, config.model.reach),
                reduction=classifier.reduction,
                classes=class_indices(scene.labels, split.classes),
                denoising=denoising,
            )
            reduced = reduced_scene(classifier, prepared)
            judgements.append(judge_test(classifier, reduced, prepared, config, observer))
            truth.append(scene.labels.reshape(-1)[split.test])
            predicted.append(classifier.labels_of(judgements[-1].classes))
            if dropout_at_test:
                spread = dropout_spread(classifier, reduced, prepared, config)
            del reduced
        stored = run.metrics.get("test")
        if not isinstance(stored, dict):
            raise RunError(run.path / METRICS, "holds no test scores", "a run's metrics")
        judged = pooled(judgements)
        found = _scores(splits, scene.class_names, truth, predicted) | judged.scores
        result: dict[str, Any] = {
            "run": str(run.path),
            "test": found,
            "stored": stored,
            "equal": same_scores(found, stored),
            "device": config.device,
            "probabilities": judged.facts,
        }
        return result if spread is None else {**result, "dropout_at_test": spread}


def _check_dropout(classifiers: Sequence[Classifier], config: ClassificationConfig) -> None:
    if len(classifiers) > 1:
        found = f"a run of {len(classifiers)} folds"
        raise ConfigError("--dropout-at-test", found, "a run of one model, as of --split disjoint")
    if not classifiers[0].has_dropout:
        found = f"{shown_name(config.model.name)} has no dropout layers"
        raise ConfigError("--dropout-at-test", found, "a network with dropout")


def split_files(run: Run) -> list[Path]:
    """The file that the run's split is kept in, or those of its spatial folds."""
    return fold_files(run, SPLIT_ENDING) or [run.path / SPLIT]


def _scores(
    splits: Sequence[Split],
    class_names: Sequence[str],
    truth: Sequence[NDArray[np.integer]],
    predicted: Sequence[NDArray[np.integer]],
) -> dict[str, Any]:
    """Scores of labels against true ones, over all classes that are learnt."""
    labels = splits[0].classes
    if len(splits) > 1:
        labels = tuple(sorted({label for split in splits for label in split.classes}))
    table = np.full(max(labels) + 1, -1, np.int64)
    table[list(labels)] = np.arange(len(labels))
    counts = Confusion.of(
        table[np.concatenate(truth)], table[np.concatenate(predicted)], len(labels)
    )
    return scores(counts).to_dict([class_names[label - 1] for label in labels])


def check_data(run: Run, scene: Scene | SceneFile) -> None:
    """Refuse a scene whose files are not those that a run was trained on.

    Raises:
        RunError: one has changed.
    """
    then = run.environment.get("data") or {}
    if any(then.get(name) != digest for name, digest in scene.checksums.items()):
        raise RunError(
            run.path,
            "the data have changed since this run was trained",
            "the same files",
            "`hsi data verify` checks registered data sets",
        )


def check_split(
    file: Path, split: Split, labels: NDArray[np.integer], classifier: Classifier
) -> None:
    """Refuse a split that is not of these labels, or of another model.

    Args:
        file: that it was read from.
        split: the split.
        labels: lines × samples, of the scene.
        classifier: whose split it should be.

    Raises:
        RunError: it is not.
    """
    pixels = np.concatenate([split.train, split.validation, split.test])
    fits = (
        split.shape == labels.shape
        and len(split.test) > 0
        and len(np.unique(pixels)) == len(pixels)
        and (pixels >= 0).all()
        and (pixels < labels.size).all()
        and set(np.unique(labels.reshape(-1)[pixels]).tolist()) <= set(split.classes)
        and list(split.classes) == list(classifier.header.labels)
    )
    if not fits:
        raise RunError(file, "is not a split of this scene", "the run's own split")
