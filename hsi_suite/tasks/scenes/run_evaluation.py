"""A classification's test scores, computed once more from what its run has saved."""

from __future__ import annotations

from contextlib import ExitStack
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
from ...metrics.measures import same_scores
from ...models.network_file import shown_name
from ...runs.folder import METRICS, SPLIT, Run
from ...runs.machine import available_threads, on_device
from ...schemas.classification import ClassificationConfig
from .ensemble import finished_classifier
from .evaluation import dropout_spread, part_scores, part_wanted
from .fitting import reduced_scene
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
        classifier = finished_classifier(run.path, where, threads)
        if dropout_at_test and not classifier.has_dropout:
            found = f"{shown_name(config.model.name)} has no dropout layers"
            raise ConfigError("--dropout-at-test", found, "a network with dropout")
        scene, denoising = load_prepared_scene(config, observer, MemoryLimit.of(memory_limit))
        stack.callback(close_scene, scene)
        _check_data(run, scene)
        assert scene.labels is not None
        split = load_split(run.path / SPLIT)
        _check_split(run, split, scene.labels)
        prepared = Prepared(
            scene=scene,
            labels=scene.labels,
            split=split,
            leakage=scene_audit(split, scene, config.model.window),
            reduction=classifier.reduction,
            classes=class_indices(scene.labels, split.classes),
            denoising=denoising,
        )
        reduced = reduced_scene(classifier, prepared)
        classes = classifier.class_map(
            reduced,
            part_wanted(prepared, split.test),
            batch_size=config.evaluation.batch_size,
            precision=config.evaluation.precision,
            observer=observer,
        )
        scores = part_scores(prepared, split.test, classes.reshape(-1)[split.test])
        stored = run.metrics.get("test")
        if not isinstance(stored, dict):
            raise RunError(run.path / METRICS, "holds no test scores", "a run's metrics")
        result: dict[str, Any] = {
            "run": str(run.path),
            "test": scores,
            "stored": stored,
            "equal": same_scores(scores, stored),
            "device": config.device,
        }
        if dropout_at_test:
            result["dropout_at_test"] = dropout_spread(classifier, reduced, prepared, config)
    return result


def _check_data(run: Run, scene: Scene | SceneFile) -> None:
    then = run.environment.get("data") or {}
    if any(then.get(name) != digest for name, digest in scene.checksums.items()):
        raise RunError(
            run.path,
            "the data have changed since this run was trained",
            "the same files",
            "`hsi data verify` checks registered data sets",
        )


def _check_split(run: Run, split: Split, labels: NDArray[np.integer]) -> None:
    """Refuse a split that is not of these labels."""
    pixels = np.concatenate([split.train, split.validation, split.test])
    fits = (
        split.shape == labels.shape
        and len(split.test) > 0
        and len(np.unique(pixels)) == len(pixels)
        and (pixels >= 0).all()
        and (pixels < labels.size).all()
        and set(np.unique(labels.reshape(-1)[pixels]).tolist()) <= set(split.classes)
    )
    if not fits:
        raise RunError(run.path / SPLIT, "is not a split of this scene", "the run's own split")
