"""What the sides of a classification are given: scene, split, reduction, initial network."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hsi_suite.data.leakage import audit
from hsi_suite.data.reduction import Reduction
from hsi_suite.data.scene import Scene
from hsi_suite.data.splits import random_split
from hsi_suite.engine.devices import computing
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.task import WindowNetwork
from hsi_suite.schemas.classification import ClassificationConfig
from hsi_suite.tasks.scenes.classifier import Classifier
from hsi_suite.tasks.scenes.configuration import classification_config, resolve
from hsi_suite.tasks.scenes.fitting import untrained
from hsi_suite.tasks.scenes.preparation import Prepared, class_indices, prepare

from .group import Timing
from .measuring import on_meta, operations
from .workload import Shape, Workload


@dataclass(frozen=True)
class SceneCase:
    """What a workload comes to; equal on every side."""

    config: ClassificationConfig
    prepared: Prepared
    classifier: Classifier

    @property
    def pixels(self) -> int:
        """Of the scene."""
        return int(self.prepared.labels.size)

    def reduced(self) -> NDArray[np.float64]:
        """The reduced scene in float64, as the recipe's principal components are."""
        reduced = self.prepared.reduction.apply(self.prepared.scene.cube)
        doubled: NDArray[np.float64] = reduced.astype(np.float64)
        return doubled

    def operations(self, pixels: int, passes: int, *, dense: bool) -> float:
        """Floating-point operations of the network's forward passes.

        Args:
            pixels: that are classified.
            passes: through the whole scene, each pixel in one of them.
            dense: whether scenes go through the network, or the windows of the pixels.
        """
        window, features, scene = self._counts
        if not dense:
            return pixels * window
        return passes * scene + pixels * (window - features)

    @cached_property
    def _counts(self) -> tuple[float, float, float]:
        """Operations of a window, of its features, and of those of the scene."""
        assert isinstance(self.classifier.network, nn.Module)
        network, scene = on_meta(self.classifier.network), self.prepared.scene
        assert isinstance(network, WindowNetwork)
        depth, border = self.prepared.reduction.components, network.window - 1
        window = (1, depth, border + 1, border + 1)
        whole = (1, depth, scene.lines + border, scene.samples + border)
        return (
            operations(network, *window),
            operations(network.features, *window),
            operations(network.features, *whole),
        )

    def computing(self) -> AbstractContextManager[None]:
        """Threads and determinism as `hsi train` sets them."""
        device = torch.device(self.config.device)
        return computing(device, self.config.threads or 1, self.config.deterministic)


def scene_case(workload: Workload, settings: Sequence[str] = ()) -> SceneCase:
    """Scene, split, reduction and initial network of a workload."""
    named = classification_config(dataset=workload.dataset, settings=workload.settings(settings))
    config = resolve(named)
    if workload.shape is None:
        prepared = prepare(config, Observer())
    else:
        prepared = random_scene(workload.shape, workload.components, workload.window)
    return SceneCase(config, prepared, untrained(config, prepared))


def random_scene(shape: Shape, components: int, window: int) -> Prepared:
    """A scene of random components with random labels; every class has two pixels or more."""
    generator = np.random.default_rng(0)
    pixels = shape.lines * shape.samples
    labels = np.zeros((shape.lines, shape.samples), np.int64)
    labelled = generator.permutation(pixels)[: shape.labelled]
    labels.flat[labelled] = np.arange(shape.labelled) % shape.classes + 1
    cube = generator.standard_normal((*labels.shape, components), np.float32)
    names = tuple(f"class {number + 1}" for number in range(shape.classes))
    split = random_split(labels, train=shape.train, generator=generator)
    return Prepared(
        scene=Scene("random numbers", cube, labels, names, synthetic=True),
        labels=labels,
        split=split,
        leakage=audit(split, window=window),
        reduction=Reduction(np.zeros(components), np.eye(components), np.ones(components)),
        classes=class_indices(labels, split.classes),
    )


def evenly(pixels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """`count` of the pixels, evenly spread; all of them where there are no more."""
    count = min(count, len(pixels))
    return pixels[np.linspace(0, len(pixels) - 1, count).astype(np.int64)]


def scaled(
    seconds: float,
    pixels: int,
    whole: int,
    operations: float,
    output: NDArray[np.integer] | None = None,
) -> Timing:
    """A timing of some pixels, scaled to the whole."""
    return Timing(seconds * whole / pixels, seconds, pixels, whole, operations, output=output)
