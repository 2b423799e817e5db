"""A run's test figures, computed once more from what it has saved."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..config import validate
from ..data.leakage import audit
from ..data.readers import SceneFile
from ..data.scene import Scene
from ..data.splits import Split, load_split
from ..engine.devices import computing
from ..engine.observer import Observer
from ..errors import ConfigError, RunError
from ..runs.folder import SPLIT, Run, open_run
from ..runs.machine import available_threads, on_device
from ..schemas.classification import ClassificationConfig
from ..tasks.denoising.scores import evaluate_denoiser
from ..tasks.images.evaluation import evaluate_images
from ..tasks.retrieval.evaluation import evaluate_retrieval
from ..tasks.scenes.ensemble import finished_classifier
from ..tasks.scenes.evaluation import dropout_spread, part_scores, part_wanted
from ..tasks.scenes.fitting import reduced_scene
from ..tasks.scenes.preparation import Prepared, class_indices, close_scene, load_prepared_scene
from ..tasks.scenes.training_memory import MemoryLimit
from ..tasks.shared.unverified import told_unverified


def evaluate(
    run: str | Path,
    *,
    dropout_at_test: bool = False,
    memory_limit: float | None = None,
    device: str | None = None,
    observer: Observer | None = None,
) -> dict[str, Any]:
    """A run's test figures, computed again from its saved model and split.

    Of a denoiser those of its validation images.

    Args:
        run: folder of a finished run.
        dropout_at_test: also show what leaving dropout on would do.
        memory_limit: bytes within which a scene of the user's own is read, see `MemoryLimit`.
        device: auto, cpu, cuda or cuda:N in the place of the one that the run was made with.
        observer: hears of the progress.

    Returns:
        "run", "unverified" (files that nobody vouches for, if any), "test" (the figures), "stored"
        (as metrics.json has them), "equal", "moved" (the run's device and this one, where they
        differ; else None), and "dropout_at_test" where asked for.

    Raises:
        RunError: the run is unfinished or damaged.
        ChecksumError: the data are not those of the run.
    """
    observer = observer or Observer()
    opened = open_run(run)
    unverified = told_unverified([run], observer)
    result = _evaluate(opened, dropout_at_test, memory_limit, device, observer)
    own, here = opened.config.get("device"), result.pop("device")
    marked = {"unverified": list(unverified)} if unverified else {}
    return result | marked | {"moved": None if own == here else [own, here]}


def _evaluate(
    opened: Run,
    dropout_at_test: bool,
    memory_limit: float | None,
    device: str | None,
    observer: Observer,
) -> dict[str, Any]:
    if opened.config.get("task") == "denoising":
        if dropout_at_test:
            raise ConfigError("--dropout-at-test", "a denoiser has no dropout", "a classifier")
        return evaluate_denoiser(opened, observer, device)
    if opened.config.get("task") == "image_classification":
        if dropout_at_test:
            raise ConfigError("--dropout-at-test", "a run on images", "a classifier of scenes")
        return evaluate_images(opened, observer, device)
    if opened.config.get("task") == "retrieval":
        if dropout_at_test:
            raise ConfigError("--dropout-at-test", "a run of retrieval", "a classifier of scenes")
        return evaluate_retrieval(opened, observer, device)
    config = on_device(validate(ClassificationConfig, opened.config, opened.path), device)
    threads = config.threads or available_threads()
    where = torch.device(config.device)
    with computing(where, threads, config.deterministic), ExitStack() as stack:
        classifier = finished_classifier(opened.path, where, threads)
        if dropout_at_test and not classifier.has_dropout:
            found = f"{config.model.name} has no dropout layers"
            raise ConfigError("--dropout-at-test", found, "a network with dropout")
        scene, denoising = load_prepared_scene(config, observer, MemoryLimit.of(memory_limit))
        stack.callback(close_scene, scene)
        _check_data(opened, scene)
        assert scene.labels is not None
        split = load_split(opened.path / SPLIT)
        _check_split(opened, split, scene.labels)
        prepared = Prepared(
            scene=scene,
            labels=scene.labels,
            split=split,
            leakage=audit(split, window=config.model.window),
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
        figures = part_scores(prepared, split.test, classes.reshape(-1)[split.test])
        stored = opened.metrics.get("test")
        if not isinstance(stored, dict):
            raise RunError(opened.path / "metrics.json", "holds no test figures", "a run's metrics")
        result: dict[str, Any] = {
            "run": str(opened.path),
            "test": figures,
            "stored": stored,
            "equal": figures == stored,
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
