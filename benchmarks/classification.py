"""Classification: a training epoch and the map of a scene, ours against the usual way.

The reduction of the spectra is the same on both sides; only hsi_suite's map counts it, because
there it is part of the call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hsi_suite.engine.allocation import keep_large_blocks
from hsi_suite.engine.observer import Observer
from hsi_suite.tasks.scenes.fitting import fit, plan

from . import usual_classification
from .group import Group, Say, Table, Timing, Work, job_table
from .interleaving import Side, compare
from .measuring import stopwatch
from .scene_case import SceneCase, evenly, scaled, scene_case
from .workload import Workload

TRAINING = (
    Side("usual way", "classification:usual_training", usual=True),
    Side("hsi_suite, patch", "classification:suite_training", settings=("train.strategy=patch",)),
    Side("hsi_suite, dense", "classification:suite_training", settings=("train.strategy=dense",)),
    Side(
        "hsi_suite, dense, bf16",
        "classification:suite_training",
        settings=("train.strategy=dense", "train.precision=bf16"),
        precision="bfloat16",
    ),
)
MAP = (
    Side("pixel by pixel", "classification:usual_pixel_map", usual=True),
    Side("in batches", "classification:usual_batch_map", usual=True),
    Side("hsi_suite", "classification:suite_map"),
    Side(
        "hsi_suite, bf16",
        "classification:suite_map",
        settings=("evaluation.precision=bf16",),
        precision="bfloat16",
    ),
)


def compare_training(workload: Workload, say: Say) -> Table:
    """Seconds of a training epoch and peak memory, each side."""
    return compare(
        f"Training, seconds per epoch at batch {workload.batch_size}",
        "The usual way holds all windows in float64 and trains through a DataLoader; `patch` "
        "gathers the windows of each batch; `dense` puts the whole scene through once a step. "
        "hsi_suite keeps large blocks of memory for the next step, as `hsi train` does. Preparing "
        "is not timed; peak memory has it.",
        TRAINING,
        ("seconds", "timed", "ratios", "memory", "rate"),
        workload,
        say,
    )


def compare_maps(workload: Workload, say: Say) -> Table:
    """Seconds of the map of a whole scene and peak memory, each side."""
    return compare(
        "Map of the whole scene, seconds",
        "The usual ways: one forward pass for each pixel, and windows stacked to batches of "
        f"{workload.batch_size}. Only hsi_suite's time holds the reduction of the spectra. The "
        "network has its initial weights, with which many pixels have two classes nearly equal.",
        MAP,
        ("seconds", "timed", "ratios", "memory", "rate", "agreement"),
        workload,
        say,
    )


def usual_network(case: SceneCase) -> usual_classification.PlainHybridSN:
    """The plain network with the weights of hsi_suite's, on their device."""
    config, own = case.config, case.classifier.network
    assert isinstance(own, nn.Module)
    network = usual_classification.PlainHybridSN(
        config.reduction.components,
        len(case.prepared.split.classes),
        config.model.window,
        config.model.options["dropout"],
    )
    with torch.no_grad():
        for mine, theirs in zip(network.parameters(), own.parameters(), strict=True):
            mine.copy_(theirs)
    return network.to(config.device)


def usual_training(workload: Workload, settings: Sequence[str]) -> Work:
    """All windows in float64, a `Dataset` and a `DataLoader`."""
    case = scene_case(workload, settings)
    labels, train = case.prepared.labels, case.prepared.split.train
    windows, classes = usual_classification.all_windows(case.reduced(), labels, workload.window)
    chosen = np.isin(np.flatnonzero(labels), train)
    batches = usual_classification.loader(windows[chosen], classes[chosen], workload.batch_size)
    network = usual_network(case)

    def work(*, brief: bool) -> Timing:
        steps = 1 if brief else workload.steps
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
        with stopwatch(workload.device) as watch:
            usual_classification.train(network, islice(batches, steps), optimizer, workload.device)
        pixels = min(steps * workload.batch_size, len(train))
        operations = 3 * case.operations(pixels, steps, dense=False)
        return scaled(watch.seconds, pixels, len(train), operations)

    return work


def suite_training(workload: Workload, settings: Sequence[str]) -> Work:
    """`hsi train`'s own path, on as many training pixels as the steps need."""
    keep_large_blocks()
    case = scene_case(workload, settings)
    train = case.prepared.split.train
    automatic = case.config.model_copy(
        update={"train": case.config.train.model_copy(update={"strategy": "auto"})}
    )
    choice = plan(case.classifier, automatic, case.prepared).strategy

    def work(*, brief: bool) -> Timing:
        steps = 1 if brief else workload.steps
        part = evenly(train, steps * workload.batch_size)
        prepared = replace(case.prepared, split=replace(case.prepared.split, train=part))
        with case.computing():
            training = fit(case.classifier, case.config, prepared, None, Observer())
        dense = plan(case.classifier, case.config, prepared).strategy == "dense"
        operations = 3 * case.operations(len(part), steps, dense=dense)
        timing = scaled(training.seconds[0], len(part), len(train), operations)
        return replace(timing, figures={"auto": choice})

    return work


def usual_pixel_map(workload: Workload, settings: Sequence[str]) -> Work:
    """The map of the recipe: one pixel at a time."""
    case = scene_case(workload, settings)
    scene, network = case.reduced(), usual_network(case)

    def classify(pixels: NDArray[np.int64]) -> NDArray[np.int64]:
        return usual_classification.map_by_pixels(
            network, scene, workload.window, pixels, workload.device
        )

    return _map_of_part(case, classify, 8, workload.loop_pixels)


def usual_batch_map(workload: Workload, settings: Sequence[str]) -> Work:
    """Windows stacked to batches."""
    case = scene_case(workload, settings)
    scene, network = case.reduced(), usual_network(case)

    def classify(pixels: NDArray[np.int64]) -> NDArray[np.int64]:
        return usual_classification.map_by_batches(
            network, scene, workload.window, pixels, workload.batch_size, workload.device
        )

    return _map_of_part(case, classify, workload.batch_size, workload.map_pixels)


def _map_of_part(
    case: SceneCase,
    classify: Callable[[NDArray[np.int64]], NDArray[np.int64]],
    warming: int,
    timed: int,
) -> Work:
    """The work of classifying evenly spread pixels."""
    values = np.array(case.prepared.split.classes)

    def work(*, brief: bool) -> Timing:
        pixels = evenly(np.arange(case.pixels), warming if brief else timed)
        with stopwatch(case.config.device) as watch:
            found = classify(pixels)
        labels = np.full(case.pixels, -1)
        labels[pixels] = values[found]
        operations = case.operations(len(pixels), 1, dense=False)
        return scaled(watch.seconds, len(pixels), case.pixels, operations, labels)

    return work


def suite_map(workload: Workload, settings: Sequence[str]) -> Work:
    """`hsi predict`'s own path: from the cube to the labels of the whole scene, nothing scaled."""
    keep_large_blocks()
    case = scene_case(workload, settings)
    scene, evaluation = case.prepared.scene, case.config.evaluation

    def work(*, brief: bool) -> Timing:
        with case.computing(), stopwatch(workload.device) as watch:
            probabilities = case.classifier.probabilities(
                scene.cube,
                scene.valid,
                batch_size=evaluation.batch_size,
                precision=evaluation.precision,
            )
            labels = case.classifier.label_map(probabilities).astype(np.int64).ravel()
        operations = case.operations(case.pixels, 1, dense=True)
        return scaled(watch.seconds, case.pixels, case.pixels, operations, labels)

    return work


GROUP = Group(
    title="Classification",
    parts=(compare_training, compare_maps),
    jobs=job_table(usual_training, suite_training, usual_pixel_map, usual_batch_map, suite_map),
    # The usual way's windows and their copies.
    memory=6e9,
)
