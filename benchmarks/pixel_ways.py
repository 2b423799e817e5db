"""Some pixels of a scene by windows, by the scene around them, and by the way that is chosen.

All three in turns in one process, so that the ratios stand whatever else the machine does. The
counterpart of `sweeps`, which is about trainings.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import Tensor

from hsi_suite.data.patches import WindowSampler
from hsi_suite.engine.allocation import keep_large_blocks
from hsi_suite.engine.dense import strip_logits
from hsi_suite.engine.observer import Observer
from hsi_suite.engine.pixel_ways import plan_parts
from hsi_suite.models.building import build_model
from hsi_suite.tasks.scenes.task import scene_logits, window_logits

from .group import Group, Say, Table
from .interleaving import ROOT, command_environment
from .load import watched
from .workload import Workload

#: Networks, components and windows: those of the papers, and smaller ones of the first.
NETWORKS = (
    ("hybridsn", 30, 25),
    ("hybridsn", 60, 25),
    ("hybridsn", 15, 15),
    ("hybridsn", 15, 9),
    ("hybridsn_se", 30, 25),
    ("hybridsn_inception", 30, 25),
    ("hybridsn_residual", 30, 25),
    ("hybridsn_separable", 30, 25),
    ("cnn2d", 10, 5),
    ("cnn3d", 200, 5),
    ("m3d_cnn", 200, 7),
    ("ssrn", 200, 7),
)
#: Scenes, and how many pixels of them are wanted: some anywhere, a square, all.
_SCENES: dict[tuple[int, int], Sequence[str]] = {
    (30, 30): ("1", "10", "30", "100", "300", "square", "all"),
    (145, 145): ("1", "10", "30", "100", "300", "1000", "square", "all"),
    (512, 217): ("10", "100", "1000", "square"),
}
_SQUARE = 12
# Windows and evaluation.batch_size as shipped; beyond so many pixels windows are scaled.
_BATCH, _TIMED = 512, 128
# A round is repeated until it has taken so long: small work is timed too coarsely else.
_LEAST_SECONDS = 0.05
# What counts as noise, and the seconds that a call may take for deciding.
_NOISE, _DECIDING = 1.1, 2e-3


@dataclass
class Case:
    """Some pixels of a scene and the three ways to their logits."""

    network: Any
    sampler: WindowSampler
    wanted: Tensor

    def ways(self) -> dict[str, tuple[Callable[[], object], float]]:
        """What to call, and what its time is multiplied by."""
        pixels = self.wanted.flatten().nonzero().squeeze(1)
        timed = pixels[torch.linspace(0, len(pixels) - 1, min(_TIMED, len(pixels))).long()]
        return {
            "windows": (self._windows(timed), len(pixels) / len(timed)),
            "scene": (lambda: list(strip_logits(self.network, self.planes, self.wanted)), 1.0),
            "chosen": (self._chosen, 1.0),
        }

    @property
    def planes(self) -> Tensor:
        """The padded scene."""
        return self.sampler.planes

    def _windows(self, pixels: Tensor) -> Callable[[], object]:
        return lambda: window_logits(self.network, self.sampler, pixels, _BATCH)

    def _chosen(self) -> object:
        return list(scene_logits(self.network, self.sampler, self.wanted, _BATCH, Observer()))


def wanted_pixels(shape: tuple[int, int], what: str) -> Tensor:
    """A mask: so many pixels at random, a square of some in the middle, or all."""
    lines, samples = shape
    wanted = torch.zeros(shape, dtype=torch.bool)
    if what == "all":
        return ~wanted
    if what == "square":
        first, left = (lines - _SQUARE) // 2, (samples - _SQUARE) // 2
        wanted[first : first + _SQUARE, left : left + _SQUARE] = True
        return wanted
    order = torch.randperm(lines * samples, generator=torch.Generator().manual_seed(0))
    wanted.view(-1)[order[: int(what)]] = True
    return wanted


def measure(index: int, workload: Workload) -> Iterator[dict[str, Any]]:
    """Processor seconds of each way of the cases of one network, a list of rounds each."""
    name, components, window = NETWORKS[index]
    generator = torch.Generator().manual_seed(0)
    network = build_model(
        name, in_channels=components, num_classes=16, window=window, options={}, generator=generator
    )
    network.eval()
    torch.set_num_threads(workload.threads)
    keep_large_blocks()
    for shape, asked in _SCENES.items():
        sampler = WindowSampler(torch.randn(components, *shape, generator=generator), window)
        for what in asked:
            case = Case(network, sampler, wanted_pixels(shape, what))
            with torch.inference_mode():
                seconds = _in_turns(case.ways(), workload.rounds)
                parts = plan_parts(network, sampler.planes, case.wanted)
            by_windows = {part.by_windows for part in parts}
            way = "both" if len(by_windows) > 1 else "windows" if by_windows.pop() else "scene"
            yield {"shape": shape, "what": what, "seconds": seconds, "way": way}


def _in_turns(
    ways: dict[str, tuple[Callable[[], object], float]], rounds: int
) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, (way, factor) in ways.items():
            started, calls = time.process_time(), 0
            while not calls or time.process_time() - started < _LEAST_SECONDS:
                way()
                calls += 1
            # The first time round is slower than all others.
            if number:
                found[name].append(factor * (time.process_time() - started) / calls)
    return found


def way_table(index: int, workload: Workload, say: Say) -> Table:
    """How much slower the other ways are, case by case, of one network."""
    name, components, window = NETWORKS[index]
    title = f"{name}, {components} components, window {window}"
    say(f"pixels of {title}")
    rows = []
    with watched() as load:
        for found in _measured(index, workload):
            least = {way: min(seconds) for way, seconds in found["seconds"].items()}
            ratio = median(_ratios(found["seconds"]))
            late = least["chosen"] - least["windows"] > _DECIDING and ratio * _NOISE < 1
            rows.append(
                [
                    "{} × {}".format(*found["shape"]),
                    found["what"],
                    *(f"{1e3 * least[way]:.1f}" for way in ("windows", "scene", "chosen")),
                    found["way"],
                    f"{ratio:.2f}" + (" **slower**" if late else ""),
                ]
            )
    return {
        "title": title,
        "note": "Processor time of all threads in ms, least of "
        f"{workload.rounds} rounds; the last column is the median over them of windows ÷ chosen, "
        f"marked where chosen takes {1e3 * _DECIDING:g} ms and {_NOISE - 1:.0%} more. "
        f"Windows of more than {_TIMED} pixels are scaled. Wanted pixels lie anywhere, in a square "
        f"of {_SQUARE} × {_SQUARE}, or are all.",
        "head": ["scene", "wanted", "windows", "scene", "chosen", "chosen is", "windows ÷ chosen"],
        "rows": rows,
        "load": load,
    }


def _ratios(seconds: dict[str, Sequence[float]]) -> list[float]:
    return [one / other for one, other in zip(seconds["windows"], seconds["chosen"], strict=True)]


def _measured(index: int, workload: Workload) -> Iterator[dict[str, Any]]:
    """`measure` in a process of its own, with the threads that are asked for."""
    command = [sys.executable, "-m", "benchmarks.pixel_ways", str(index), workload.to_json()]
    environment = command_environment(workload.threads)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as process:
        assert process.stdout is not None
        yield from map(json.loads, process.stdout)
    if process.returncode:
        raise RuntimeError(f"the process of {NETWORKS[index][0]} ended with {process.returncode}")


GROUP = Group(
    title="Pixels of a scene: the chosen way against both",
    parts=tuple(partial(way_table, index) for index in range(len(NETWORKS))),
    full_only=True,
    memory=4e9,
)


if __name__ == "__main__":
    for row in measure(int(sys.argv[1]), Workload.from_json(sys.argv[2])):
        print(json.dumps(row), flush=True)
