"""`python -m benchmarks.inference_trials`: what could make denoisers faster, and whether it does.

Processor time of one thread, the ways in turns, the least of several rounds. Two ideas are tried:
Winograd's transforms (Lavin and Gray, CVPR 2016, section 4.1) by torch's matrix products, and
`torch.compile` with frozen weights, for which a C++ compiler has to be there. RESULTS.md says what
came out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from hsi_suite.engine.allocation import keep_large_blocks
from hsi_suite.engine.precision import forward_in

from .denoising_case import suite_denoiser

_CPU = torch.device("cpu")
_CHANNELS = 64
# F(4 × 4, 3 × 3): of a tile's 6 × 6 values, of the kernel's 3 × 3, and back to 4 × 4 sums.
_GIVEN = [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
]
_KERNEL = [
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
]
_BACK = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]


class Winograd:
    """A 3×3 convolution, zero padded, of stride 1, over one image whose sides 4 divides.

    Args:
        weight: outputs × inputs × 3 × 3.
    """

    def __init__(self, weight: Tensor) -> None:
        given, kernel, back = (
            torch.tensor(each, dtype=torch.float64).to(weight) for each in (_GIVEN, _KERNEL, _BACK)
        )
        self._given, self._back = torch.kron(given, given), torch.kron(back, back)
        self._kernels = torch.kron(kernel, kernel) @ weight.permute(2, 3, 1, 0).reshape(9, -1)
        self._kernels = self._kernels.reshape(36, weight.shape[1], len(weight))

    def __call__(self, x: Tensor) -> Tensor:
        """(1, inputs, H, W), channels last, to (1, outputs, H, W)."""
        _, depth, lines, samples = x.shape
        padded = functional.pad(x[0].permute(1, 2, 0), (0, 0, 1, 1, 1, 1))
        tiles = padded.unfold(0, 6, 4).unfold(1, 6, 4).permute(3, 4, 0, 1, 2)
        given = (self._given @ tiles.reshape(36, -1)).reshape(36, -1, depth)
        sums = self._back @ torch.bmm(given, self._kernels).reshape(36, -1)
        sums = sums.reshape(4, 4, lines // 4, samples // 4, -1).permute(2, 0, 3, 1, 4)
        return sums.reshape(lines, samples, -1).permute(2, 0, 1)[None]


def main() -> None:
    """Print what each way takes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference_trials")
    parser.add_argument("--side", type=int, default=384, help="of the image, a multiple of 8")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_large_blocks()
    with torch.no_grad():
        _try_winograd(options.side, options.rounds)
        if shutil.which(os.environ.get("CXX", "g++")) is None:
            print("torch.compile: not tried, there is no C++ compiler (g++, or what CXX names)")
            return
        for weights in ("default", "dncnn"):
            _try_compiling(weights, options.side, options.rounds)


def _try_winograd(side: int, rounds: int) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, _CHANNELS, side, side, generator=generator)
    weight = torch.randn(_CHANNELS, _CHANNELS, 3, 3, generator=generator) / 24
    exact = functional.conv2d(x.double(), weight.double(), padding=1)
    for kind in (torch.float32, torch.bfloat16):
        image = x.to(kind).contiguous(memory_format=torch.channels_last)
        kernel = weight.to(kind)
        rows = image[0].permute(1, 2, 0).reshape(-1, _CHANNELS)
        square = kernel[:, :, 1, 1].contiguous()
        ways: dict[str, Callable[[], Tensor]] = {
            "convolution": partial(functional.conv2d, image, kernel, padding=1),
            "Winograd": partial(Winograd(kernel), image),
            "a ninth of it as a product": partial(torch.mm, rows, square),
        }
        seconds = _in_turns(ways, rounds)
        operations = 18 * _CHANNELS**2 * side**2
        print(f"3×3, {_CHANNELS} channels, {side} × {side}, {kind}:")
        for name in ("convolution", "Winograd"):
            error = float((ways[name]().double() - exact).abs().max())
            print(f"  {name}: {1e3 * seconds[name]:.1f} ms, largest error {error:.1e}")
        rates = operations / seconds["convolution"], operations / 9 / seconds[list(ways)[2]]
        print("  GFLOP/s of the convolution and a product: {:.0f}, {:.0f}".format(*_giga(rates)))


def _try_compiling(weights: str, side: int, rounds: int) -> None:
    # Part of torch that its documentation names for inference, but no public module.
    import torch._inductor.config

    torch._inductor.config.freezing = True
    network = suite_denoiser(weights, "cpu").network
    assert isinstance(network, nn.Module)
    channels = 1 + bool(network.takes_noise_map)
    x = torch.rand(1, channels, side, side).contiguous(memory_format=torch.channels_last)
    for precision in ("fp32", "bf16"):
        with forward_in(precision, _CPU):
            started = time.perf_counter()
            compiled = torch.compile(network)
            change = float((compiled(x).float() - network(x).float()).abs().max())
            waited = time.perf_counter() - started
            ways = {"as it is": lambda: network(x), "compiled": lambda c=compiled: c(x)}
            seconds = _in_turns(ways, rounds)
        print(
            f"{weights}, {side} × {side}, {precision}: "
            + ", ".join(f"{name} {1e3 * least:.0f} ms" for name, least in seconds.items())
            + f"; compiling took {waited:.0f} s, values differ by {change:.1e}"
        )


def _giga(rates: tuple[float, ...]) -> list[float]:
    return [rate / 1e9 for rate in rates]


def _in_turns(ways: dict[str, Callable[[], Tensor]], rounds: int) -> dict[str, float]:
    """The least processor seconds of each way."""
    least = {}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            started = time.process_time()
            way()
            taken = time.process_time() - started
            # The first time round is slower than all others.
            least[name] = min(taken, least.get(name, taken))
    return least


if __name__ == "__main__":
    main()
