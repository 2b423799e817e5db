"""One side of a comparison each: prepare once, then do the timed work as often as asked.

A job is a function of the workload and of further settings; it prepares and returns the work. The
work returns its `Timing`; asked to be brief, it does as little as warms everything up. The
reduction of the spectra is the same on both sides; only hsi_suite's map counts it, because there it
is part of the call.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

import numpy as np
import torch
from hsi_suite.pipelines.classifier import Classifier
from hsi_suite.pipelines.configuration import classification_config, resolve
from hsi_suite.pipelines.fitting import fit, plan, untrained
from hsi_suite.pipelines.preparation import Prepared, prepare
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from hsi_suite.engine.devices import computing
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.task import WindowNetwork
from hsi_suite.schemas.classification import ClassificationConfig

from . import usual_way
from .workload import Workload


@dataclass(frozen=True)
class Timing:
    """One round of one side.

    Attributes:
        seconds: scaled to the whole epoch or scene.
        timed: what was really timed, in seconds.
        pixels: pixels that were timed.
        whole: pixels of the whole epoch or scene.
        operations: floating-point operations of the network in what was timed; a backward pass is
            taken for two forward passes.
    """

    seconds: float
    timed: float
    pixels: int
    whole: int
    operations: float


class Work(Protocol):
    """The timed work of a side."""

    def __call__(self, *, brief: bool) -> Timing:
        """Do it once."""
        ...


Job = Callable[[Workload, Sequence[str]], Work]


@dataclass(frozen=True)
class Given:
    """What a workload comes to; equal on every side."""

    config: ClassificationConfig
    prepared: Prepared
    classifier: Classifier

    def reduced(self) -> NDArray[np.float64]:
        """The reduced scene in float64, as the recipe's principal components are."""
        reduced = self.prepared.reduction.apply(self.prepared.scene.cube)
        doubled: NDArray[np.float64] = reduced.astype(np.float64)
        return doubled

    def operations(self, pixels: int, passes: int, *, dense: bool) -> float:
        """Floating-point operations of the network's forward passes; nothing is computed.

        Args:
            pixels: that are classified.
            passes: through the whole scene, each pixel in one of them.
            dense: whether scenes go through the network, or the windows of the pixels.
        """
        network, scene = copy.deepcopy(self.classifier.network), self.prepared.scene
        assert isinstance(network, nn.Module) and isinstance(network, WindowNetwork)
        network.to("meta")
        depth, border = self.prepared.reduction.components, network.window - 1
        window = torch.empty(1, depth, border + 1, border + 1, device="meta")
        whole = torch.empty(1, depth, scene.lines + border, scene.samples + border, device="meta")
        by_window = _operations(network, window)
        if not dense:
            return pixels * by_window
        head = by_window - _operations(network.features, window)
        return passes * _operations(network.features, whole) + pixels * head

    def computing(self) -> AbstractContextManager[None]:
        """Threads and determinism as `hsi train` sets them."""
        return computing(torch.device("cpu"), self.config.threads or 1, self.config.deterministic)


def given(workload: Workload, settings: Sequence[str] = ()) -> Given:
    """Scene, split, reduction and initial network of a workload."""
    named = classification_config(dataset=workload.dataset, settings=workload.settings(settings))
    config = resolve(named)
    prepared = prepare(config, Observer())
    return Given(config, prepared, untrained(config, prepared))


def usual_network(case: Given) -> usual_way.PlainHybridSN:
    """The plain network with the weights of hsi_suite's."""
    config, trained = case.config, case.classifier.network
    assert isinstance(trained, nn.Module)
    network = usual_way.PlainHybridSN(
        config.reduction.components,
        len(case.prepared.split.classes),
        config.model.window,
        config.model.options["dropout"],
    )
    with torch.no_grad():
        for mine, theirs in zip(network.parameters(), trained.parameters(), strict=True):
            mine.copy_(theirs)
    return network


def usual_training(workload: Workload, settings: Sequence[str]) -> Work:
    """All windows in float64, a `Dataset` and a `DataLoader`."""
    case = given(workload, settings)
    labels, train = case.prepared.labels, case.prepared.split.train
    windows, classes = usual_way.all_windows(case.reduced(), labels, workload.window)
    chosen = np.isin(np.flatnonzero(labels), train)
    batches = usual_way.loader(windows[chosen], classes[chosen], workload.batch_size)
    network = usual_network(case)

    def work(*, brief: bool) -> Timing:
        steps = 1 if brief else workload.steps
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
        started = time.perf_counter()
        usual_way.train(network, islice(batches, steps), optimizer)
        seconds = time.perf_counter() - started
        pixels = min(steps * workload.batch_size, len(train))
        operations = 3 * case.operations(pixels, steps, dense=False)
        return _scaled(seconds, pixels, len(train), operations)

    return work


def suite_training(workload: Workload, settings: Sequence[str]) -> Work:
    """`hsi train`'s own path, on as many training pixels as the steps need."""
    case = given(workload, settings)
    train = case.prepared.split.train

    def work(*, brief: bool) -> Timing:
        steps = 1 if brief else workload.steps
        part = spread(train, steps * workload.batch_size)
        prepared = replace(case.prepared, split=replace(case.prepared.split, train=part))
        with case.computing():
            training = fit(case.classifier, case.config, prepared, None, Observer())
        dense = plan(case.classifier, case.config, prepared).strategy == "dense"
        operations = 3 * case.operations(len(part), steps, dense=dense)
        return _scaled(training.seconds[0], len(part), len(train), operations)

    return work


def usual_pixel_map(workload: Workload, settings: Sequence[str]) -> Work:
    """The map of the recipe: one pixel at a time."""
    case = given(workload, settings)
    scene, network = case.reduced(), usual_network(case)

    def work(*, brief: bool) -> Timing:
        pixels = spread(_scene_pixels(case), 8 if brief else workload.loop_pixels)
        started = time.perf_counter()
        usual_way.map_by_pixels(network, scene, workload.window, pixels)
        seconds = time.perf_counter() - started
        operations = case.operations(len(pixels), 1, dense=False)
        return _scaled(seconds, len(pixels), case.prepared.labels.size, operations)

    return work


def usual_batch_map(workload: Workload, settings: Sequence[str]) -> Work:
    """Windows stacked to batches."""
    case = given(workload, settings)
    scene, network = case.reduced(), usual_network(case)

    def work(*, brief: bool) -> Timing:
        batch_size = workload.batch_size
        pixels = spread(_scene_pixels(case), batch_size if brief else workload.map_pixels)
        started = time.perf_counter()
        usual_way.map_by_batches(network, scene, workload.window, pixels, batch_size)
        seconds = time.perf_counter() - started
        operations = case.operations(len(pixels), 1, dense=False)
        return _scaled(seconds, len(pixels), case.prepared.labels.size, operations)

    return work


def suite_map(workload: Workload, settings: Sequence[str]) -> Work:
    """`hsi predict`'s own path: from the cube to the labels of the whole scene, nothing scaled."""
    case = given(workload, settings)
    scene, evaluation = case.prepared.scene, case.config.evaluation

    def work(*, brief: bool) -> Timing:
        started = time.perf_counter()
        with case.computing():
            probabilities = case.classifier.probabilities(
                scene.cube,
                scene.valid,
                batch_size=evaluation.batch_size,
                precision=evaluation.precision,
            )
            case.classifier.label_map(probabilities)
        seconds, pixels = time.perf_counter() - started, case.prepared.labels.size
        return _scaled(seconds, pixels, pixels, case.operations(pixels, 1, dense=True))

    return work


JOBS: dict[str, Job] = {
    job.__name__: job
    for job in (usual_training, suite_training, usual_pixel_map, usual_batch_map, suite_map)
}


def _operations(function: Callable[[Tensor], Tensor], x: Tensor) -> float:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        function(x)
    return float(counter.get_total_flops())


def spread(pixels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """`count` of the pixels, evenly spread; all of them where there are no more."""
    count = min(count, len(pixels))
    return pixels[np.linspace(0, len(pixels) - 1, count).astype(np.int64)]


def _scene_pixels(case: Given) -> NDArray[np.int64]:
    return np.arange(case.prepared.labels.size)


def _scaled(seconds: float, pixels: int, whole: int, operations: float) -> Timing:
    return Timing(seconds * whole / pixels, seconds, pixels, whole, operations)
