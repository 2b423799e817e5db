"""`python -m benchmarks.compiled_training`: whether torch's compiler makes a dense step faster.

HybridSN at the size of Indian Pines, a step of 256 pixels by the whole scene with Adam: processor
time of one thread, the ways in turns, least and median of several rounds. What the compiler itself
takes, in processes of its own too, is paid with the first step. A C++ compiler has to be there.
RESULTS.md says what came out.
"""

from __future__ import annotations

import argparse
import copy
import os
import shutil
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from hsi_suite.backbones import volume_stack
from hsi_suite.engine.allocation import keep_large_blocks
from hsi_suite.engine.dense import pixel_logits, runs_dense, scene_features
from hsi_suite.engine.precision import forward_in
from hsi_suite.models.hybridsn import HybridSN
from hsi_suite.schemas.training import Precision

from .scene_case import SceneCase, evenly, scene_case
from .workload import Workload

_CPU = torch.device("cpu")
Logits = Callable[[nn.Module, Tensor, Tensor], Tensor]


class ByLayers(HybridSN):
    """Its layers one by one, as the compiler can see them."""

    def features(self, cubes: Tensor) -> Tensor:
        """See `HybridSN`."""
        volume = self.spectral_spatial(cubes.unsqueeze(1))
        features: Tensor = self.spatial(volume.flatten(1, 2))
        return features


class ByStack(HybridSN):
    """The layout of our own, which the compiler leaves as it is, and what comes after it."""

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def features(self, cubes: Tensor) -> Tensor:
        """See `HybridSN`."""
        return volume_stack.stack_features(cubes, self.spectral_spatial, self.spatial)


def scene_logits(network: nn.Module, padded: Tensor, pixels: Tensor) -> Tensor:
    """Logits of some pixels by the whole scene."""
    assert runs_dense(network, training=True)
    return pixel_logits(network, scene_features(network, padded), pixels)


class Step:
    """Training steps of one way, always on the same pixels.

    Args:
        case: scene and initial network.
        kind: what computes features.
        logits: of a network, the padded scene and pixels.
        precision: fp32 or bf16.
    """

    def __init__(
        self, case: SceneCase, kind: type[HybridSN], logits: Logits, precision: Precision
    ) -> None:
        self._network = copy.deepcopy(case.classifier.network)
        assert isinstance(self._network, HybridSN)
        self._network.__class__ = kind
        self._network.train()
        self._logits, self._precision = logits, precision
        reach = (self._network.window - 1) // 2
        reduced = torch.from_numpy(case.reduced().astype(np.float32)).permute(2, 0, 1)
        self._padded = nn.functional.pad(reduced, (reach,) * 4).contiguous()
        self._pixels = torch.from_numpy(evenly(case.prepared.split.train, 256))
        self._classes = torch.as_tensor(case.prepared.classes)[self._pixels]
        self._optimizer = torch.optim.Adam(self._network.parameters())

    def __call__(self) -> Tensor:
        """A step; the gradients it went by, one after the other."""
        with forward_in(self._precision, _CPU):
            logits = self._logits(self._network, self._padded, self._pixels)
        loss = nn.functional.cross_entropy(logits.float(), self._classes)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        found = [
            each.grad.flatten() for each in self._network.parameters() if each.grad is not None
        ]
        return torch.cat(found)


def main() -> None:
    """Print what each way takes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiled_training")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        parser.exit(2, f"a C++ compiler: {compiler} is not there; install one, or name it by CXX\n")
    torch.set_num_threads(1)
    keep_large_blocks()
    # Without dropout, as compiled code draws other random numbers and gradients are compared.
    case = scene_case(Workload(threads=1, dropout=0.0))
    ways = {
        "as it is": Step(case, HybridSN, scene_logits, options.precision),
        "layers": Step(case, ByLayers, scene_logits, options.precision),
        "layers, compiled": Step(case, ByLayers, torch.compile(scene_logits), options.precision),
        "ours, the rest compiled": Step(
            case, ByStack, torch.compile(scene_logits), options.precision
        ),
    }
    usual = ways["as it is"]()
    for name, way in list(ways.items())[1:]:
        before = _processor_seconds()
        away = float((way() - usual).norm() / usual.norm())
        print(
            f"{name}: first step {_processor_seconds() - before:.1f} s, gradients {away:.1e} away"
        )
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            started = time.process_time()
            way()
            seconds[name].append(time.process_time() - started)
    for name, taken in seconds.items():
        print(f"{name}: least {min(taken):.3f}, median {statistics.median(taken):.3f} s")


def _processor_seconds() -> float:
    """Of this process and those it waited for."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main()
