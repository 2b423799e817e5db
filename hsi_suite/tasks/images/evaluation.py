"""Scores of classifiers of images: of one, of a run once more, of several runs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...config import validate
from ...data.splits import Split, load_split
from ...engine.devices import computing
from ...engine.observer import Observer
from ...errors import RunError
from ...metrics.classification import scores
from ...metrics.confusion import Confusion
from ...metrics.measures import same_scores
from ...runs.folder import CONFIG, MODEL, SPLIT, Run, require_finished
from ...runs.machine import available_threads, on_device
from ...runs.tasks import require_task
from ...schemas.image_classification import ImageClassificationConfig
from ..shared.class_scores import overall_names
from .classifier import ImageClassifier, load_image_classifier, mean_probabilities
from .definition import IMAGE_CLASSIFICATION
from .preparation import WEIGHTS, PreparedImages, load_configured_images

_TOP = 5
_CLASSES_FOR_TOP = 10


def image_scores(
    classes: NDArray[np.int64], probabilities: NDArray[np.float32], class_names: Sequence[str]
) -> dict[str, Any]:
    """All scores of some images.

    Args:
        classes: true class index of each, N.
        probabilities: N × classes.
        class_names: the classes.

    Returns:
        As `ClassificationScores.to_dict`, with num_images in place of num_pixels, and
        top_5_accuracy where there are ten classes or more.
    """
    counts = Confusion.of(classes, probabilities.argmax(1), len(class_names))
    found = scores(counts).to_dict(class_names)
    found["num_images"] = found.pop("num_pixels")
    if len(class_names) >= _CLASSES_FOR_TOP:
        found[f"top_{_TOP}_accuracy"] = top_accuracy(classes, probabilities, _TOP)
    return found


def top_accuracy(
    classes: NDArray[np.int64], probabilities: NDArray[np.float32], number: int
) -> float:
    """Share of images whose class is among the most probable ones; ties count against it.

    Args:
        classes: true class index of each, N.
        probabilities: N × classes.
        number: how many classes may be named.
    """
    own = np.take_along_axis(probabilities, classes[:, None], 1)
    rank = (probabilities >= own).sum(1)
    return float((rank <= number).mean())


def evaluate_images(run: Run, observer: Observer, device: str | None = None) -> dict[str, Any]:
    """A run's test scores, computed again from its saved model and split.

    Returns:
        "run", "task", "test" (the scores), "stored" (as metrics.json has them), "equal" and
        "device", where they were computed.

    Raises:
        RunError: the run is unfinished or damaged, or its images have changed.
    """
    result = evaluate_images_together([run], observer, device)
    stored = run.metrics.get("test")
    if not isinstance(stored, dict):
        raise RunError(run.path / "metrics.json", "holds no test scores", "a run's metrics")
    return {
        "run": str(run.path),
        "task": "image_classification",
        "test": result["test"],
        "stored": stored,
        "equal": same_scores(result["test"], stored),
        "device": result["device"],
    }


def evaluate_images_together(
    runs: Sequence[Run], observer: Observer, device: str | None = None
) -> dict[str, Any]:
    """The test scores of several runs that answer together, by the mean of their probabilities.

    Args:
        runs: finished runs on the same images. Where their splits were drawn by other seeds, the
            images count that all of them tested: none of these was learnt from.
        observer: reports progress.
        device: auto, cpu, cuda or cuda:N in the place of each run's own.

    Returns:
        "runs", "test", the scores, "alone", those of each run on the same images, "left_out", how
        many images some runs tested and others did not, and "device", where they were computed.

    Raises:
        RunError: a run is unfinished or damaged, its images have changed, or the runs do not have
            the same images and classes, or no test image in common.
    """
    rows: list[NDArray[np.float32]] = []
    test, left_out = _tested_by_all(runs)
    first: tuple[Any, ...] | None = None
    for run in runs:
        config, prepared, classifier = _finished(run, observer, device)
        images = prepared.images
        truth = images.class_names, images.classes.tolist(), _checksums(run)
        if first is None:
            first = truth
        if first != truth:
            raise RunError(
                run.path,
                "has other images or classes than the first run",
                "the same images",
                "average runs of one data set",
            )
        with computing(torch.device(config.device), _threads(config), config.deterministic):
            rows.append(
                classifier.probabilities(
                    classifier.views(images),
                    test,
                    crops=config.evaluation.crops,
                    batch_size=config.evaluation.batch_size,
                    observer=observer,
                )
            )
    classes, names = images.classes[test], images.class_names
    alone = []
    for run, own in zip(runs, rows, strict=True):
        found = image_scores(classes, own, names)
        overall = {name: found[name] for name in overall_names(found)}
        alone.append({"run": str(run.path), **overall})
    return {
        "runs": [str(run.path) for run in runs],
        "test": image_scores(classes, mean_probabilities(rows), names),
        "alone": alone,
        "left_out": left_out,
        "device": config.device,
    }


def _tested_by_all(runs: Sequence[Run]) -> tuple[NDArray[np.int64], int]:
    """The images in the test parts of all runs, and how many are in those of some alone.

    Raises:
        RunError: there are none in all, or a run is unfinished or damaged.
    """
    parts = []
    for run in runs:
        require_finished(run)
        parts.append(load_split(run.path / SPLIT).test)
    if all(np.array_equal(part, parts[0]) for part in parts):
        return parts[0], 0
    common = reduce(np.intersect1d, parts)
    if not len(common):
        raise RunError(
            runs[-1].path,
            "has no test image in common with all the others",
            "runs that tested the same images",
            "average fewer runs, or set seeds.split alone where images are divided at random",
        )
    return common, len(np.unique(np.concatenate(parts))) - len(common)


def _finished(
    run: Run, observer: Observer, device: str | None
) -> tuple[ImageClassificationConfig, PreparedImages, ImageClassifier]:
    """A finished run's configuration, images and classifier."""
    require_task(run, IMAGE_CLASSIFICATION)
    require_finished(run)
    config = on_device(validate(ImageClassificationConfig, run.config, run.path / CONFIG), device)
    classifier = load_image_classifier(run.path / MODEL, torch.device(config.device))
    images = load_configured_images(config.data, observer)
    if _checksums(run) != dict(images.checksums):
        raise RunError(
            run.path,
            "the images have changed since this run was trained",
            "the same files",
            "`hsi data verify` checks registered data sets",
        )
    split = load_split(run.path / SPLIT)
    _check_split(run, split, len(images))
    return config, PreparedImages(images, split), classifier


def _checksums(run: Run) -> dict[str, Any]:
    """Those of the images that a run learnt from."""
    found = run.environment.get("data")
    known = found.items() if isinstance(found, Mapping) else ()
    return {name: value for name, value in known if name != WEIGHTS}


def _check_split(run: Run, split: Split, number: int) -> None:
    """Refuse a split that is not of these images."""
    parts = np.concatenate([split.train, split.validation, split.test])
    fits = (
        split.shape == (number, 1)
        and len(split.test) > 0
        and len(np.unique(parts)) == len(parts)
        and parts.min() >= 0
        and parts.max() < number
    )
    if not fits:
        raise RunError(run.path / SPLIT, "is not a split of these images", "the run's own split")


def _threads(config: ImageClassificationConfig) -> int:
    return config.threads or available_threads()
