"""`python -m benchmarks.ship_denoiser RUN FILE`: a run's denoiser with numbers of half the size.

How weights come into `hsi_suite/weights` where single precision would be large. Numbers are
rounded to float16 (relative error at most 2⁻¹¹, where they are not tiny) and computed with in
single precision all the same. What that costs is for `hsi evaluate` to say, on the run and on the
file.

`--half-way-from WEIGHTS` takes the mean of the run's numbers and of those that it began from: what
a further training has learnt newly stays in good part, and what it has forgotten comes back
(Wortsman et al., CVPR 2022).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import nn

from hsi_suite.runs.folder import MODEL
from hsi_suite.tasks.denoising.denoiser import load_denoiser
from hsi_suite.tasks.denoising.weights import load_weights

_CPU = torch.device("cpu")


def go_half_way(network: nn.Module, start: nn.Module) -> None:
    """Replace a network's numbers, in place, by the mean of them and another's of the same kind.

    Raises:
        SystemExit: the other has other numbers.
    """
    numbers, begun = network.state_dict(), start.state_dict()
    shapes = [{name: value.shape for name, value in of.items()} for of in (numbers, begun)]
    if shapes[0] != shapes[1]:
        raise SystemExit("--half-way-from: a network of another kind than the run's")
    network.load_state_dict({name: (numbers[name] + begun[name].float()) / 2 for name in numbers})


def main() -> None:
    """Write the file and print the largest rounding error."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ship_denoiser", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("run", type=Path, help="folder of a finished training of a denoiser")
    parser.add_argument("file", type=Path, help="what to write: NAME.safetensors")
    parser.add_argument("--half-way-from", metavar="WEIGHTS", help="what the run began from")
    arguments = parser.parse_args()
    denoiser = load_denoiser(arguments.run / MODEL, _CPU)
    if arguments.half_way_from is not None:
        go_half_way(denoiser.network, load_weights(arguments.half_way_from, _CPU).network)
    worst = 0.0
    for value in denoiser.network.state_dict().values():
        worst = max(worst, float((value - value.half()).abs().max() / value.abs().max()))
    denoiser.network.half()
    denoiser.save(arguments.file)
    size = arguments.file.stat().st_size
    print(f"{arguments.file}: {size:,} bytes; rounding of at most {worst:.1e} of a layer's largest")


if __name__ == "__main__":
    main()
