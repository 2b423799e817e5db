"""What an epoch and a map cost as the sizes grow, and whether `auto` chooses the faster way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn

from hsi_suite.data.patches import scene_sampler
from hsi_suite.tasks.scenes.task import window_logits

from .group import Group, Say, Table, Timing, Work, job_table
from .interleaving import Side, interleave
from .load import watched
from .measuring import stopwatch
from .scene_case import evenly, scaled, scene_case
from .workload import Shape, Workload

_TRAINING = (
    Side("patch", "classification:suite_training", settings=("train.strategy=patch",)),
    Side("dense", "classification:suite_training", settings=("train.strategy=dense",)),
)
_MAP = (Side("map, patch", "sweeps:window_map"), Side("map, dense", "classification:suite_map"))

# Training at the size of Indian Pines is varied in one direction after the other.
_BASE = Shape(lines=145, samples=145, classes=16, labelled=10_249)
#: The scenes on which `auto` has to be right: shape, components and window.
SCENES = {
    "Indian Pines": (_BASE, 30, 25),
    "Pavia University": (Shape(610, 340, 9, 42_776), 15, 25),
    "Salinas": (Shape(512, 217, 16, 54_129), 15, 25),
    "Jasper Ridge": (Shape(100, 100, 4, 10_000, train=0.1), 15, 11),
}
_TOLERANCE = 1.1
_SWEEP_ROUNDS, _CHOICE_ROUNDS = 3, 5

Changed = tuple[str, Workload]


def _areas(workload: Workload) -> list[Changed]:
    # The labelled pixels stay as many, so that every epoch has the same batches.
    sides = (110, 145, 290, 435)
    shapes = {side: replace(_BASE, lines=side, samples=side) for side in sides}
    return [(f"{s} × {s}", replace(workload, shape=shape)) for s, shape in shapes.items()]


def _components(workload: Workload) -> list[Changed]:
    return [(str(n), replace(workload, shape=_BASE, components=n)) for n in (15, 30, 60)]


def _windows(workload: Workload) -> list[Changed]:
    return [(str(n), replace(workload, shape=_BASE, window=n)) for n in (11, 15, 19, 25)]


def _classes(workload: Workload) -> list[Changed]:
    shapes = {count: replace(_BASE, classes=count) for count in (2, 16, 64)}
    return [(str(count), replace(workload, shape=shape)) for count, shape in shapes.items()]


def _batch_sizes(workload: Workload) -> list[Changed]:
    return [(str(n), replace(workload, shape=_BASE, batch_size=n)) for n in (64, 256, 1024)]


VARIED: dict[str, Callable[[Workload], list[Changed]]] = {
    "scene": _areas,
    "components": _components,
    "window": _windows,
    "classes": _classes,
    "batch size": _batch_sizes,
}


def sweep(what: str, workload: Workload, say: Say) -> Table:
    """Seconds of an epoch and of a map at several sizes, each way."""
    rows = []
    workload = replace(workload, rounds=min(workload.rounds, _SWEEP_ROUNDS), steps=1)
    with watched() as load:
        for name, changed in VARIED[what](workload):
            say(f"{what} {name}")
            found = interleave((*_TRAINING, *_MAP), changed, say)
            rows.append([name, *_seconds(found[:2]), _choice(found), *_seconds(found[2:])])
    return {
        "title": f"Cost against the {what}",
        "note": "Random numbers in a scene of the size of Indian Pines (145 × 145 pixels, 10,249 "
        f"labelled, 16 classes, {workload.components} components, window {workload.window}, "
        f"batch {workload.batch_size}) where nothing else is said. Seconds, min / median / max "
        f"over {workload.rounds} rounds or fewer; the epoch is scaled from one step, the map by "
        f"patches from {workload.map_pixels} pixels.",
        "head": [what, "epoch, patch", "epoch, dense", "auto", "map, patch", "map, dense"],
        "rows": rows,
        "load": load,
    }


def choices(workload: Workload, say: Say) -> Table:
    """Seconds of a training step by each way on four shapes of scenes, and what `auto` takes."""
    rows = []
    workload = replace(workload, rounds=min(workload.rounds, _CHOICE_ROUNDS), steps=1)
    with watched() as load:
        for name, (shape, components, window) in SCENES.items():
            say(f"auto: {name}")
            changed = replace(workload, shape=shape, components=components, window=window)
            found = interleave(_TRAINING, changed, say)
            scene = f"{name}, {components} components, window {window}"
            rows.append([scene, *_judged(found, workload.steps)])
    return {
        "title": f"Does `auto` choose the faster way? A step at batch {workload.batch_size}",
        "note": "Random numbers in scenes of these sizes. The ratio is taken inside a round. "
        f"`auto` is right where its way's median is at most {_TOLERANCE:g} times the other's.",
        "head": ["", "patch, s", "dense, s", "patch / dense", "auto", "right"],
        "rows": rows,
        "load": load,
    }


def window_map(workload: Workload, settings: Sequence[str]) -> Work:
    """A map by hsi_suite's own windows, on some of the pixels."""
    case = scene_case(workload, settings)
    network = case.classifier.network
    assert isinstance(network, nn.Module)
    network.eval()
    reduced = case.prepared.reduction.apply(case.prepared.scene.cube)
    sampler = scene_sampler(reduced, workload.window, torch.device(case.config.device))

    def work(*, brief: bool) -> Timing:
        count = 64 if brief else workload.map_pixels
        pixels = torch.from_numpy(evenly(np.arange(case.pixels), count))
        with case.computing(), stopwatch(workload.device) as watch:
            window_logits(network, sampler, pixels, case.config.evaluation.batch_size)
        operations = case.operations(len(pixels), 1, dense=False)
        return scaled(watch.seconds, len(pixels), case.pixels, operations)

    return work


def _judged(found: list[dict[str, Any]], steps: int) -> list[Any]:
    """The cells of a row of `choices`."""
    patch, dense = ([reply["timed"] / steps for reply in side["rounds"]] for side in found)
    chosen = _choice(found)
    taken, other = (patch, dense) if chosen == "patch" else (dense, patch)
    right = median(taken) <= _TOLERANCE * median(other)
    ratios = [by_patch / by_dense for by_patch, by_dense in zip(patch, dense, strict=True)]
    return [patch, dense, ratios, chosen, "yes" if right else "**no**"]


def _choice(found: list[dict[str, Any]]) -> str:
    return str(found[0]["rounds"][0]["figures"]["auto"])


def _seconds(sides: list[dict[str, Any]]) -> list[list[float]]:
    return [[reply["seconds"] for reply in side["rounds"]] for side in sides]


GROUP = Group(
    title="Costs",
    parts=(choices, *(partial(sweep, what) for what in VARIED)),
    jobs=job_table(window_map),
    full_only=True,
    memory=8e9,
)
