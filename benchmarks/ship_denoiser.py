"""`python -m benchmarks.ship_denoiser RUN FILE`: a run's denoiser with numbers of half the size.

How weights come into `hsi_suite/weights` where single precision would be large. Numbers are
rounded to float16 (relative error at most 2⁻¹¹, where they are not tiny) and computed with in
single precision all the same. What that costs is for `hsi evaluate` to say, on the run and on the
file.

`--from WEIGHTS --share S` goes the share S of the way from what the run began from to the run: what
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


def go_share(network: nn.Module, start: nn.Module, share: float) -> None:
    """Take a network, in place, back to a share of the way from another of the same kind to it.

    Raises:
        SystemExit: the other has other numbers.
    """
    numbers, begun = network.state_dict(), start.state_dict()
    shapes = [{name: value.shape for name, value in of.items()} for of in (numbers, begun)]
    if shapes[0] != shapes[1]:
        raise SystemExit("--from: a network of another kind than the run's")
    rest = 1 - share
    network.load_state_dict(
        {name: share * numbers[name] + rest * begun[name].float() for name in numbers}
    )


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text}, expected a number above 0 and at most 1")
    return value


def main() -> None:
    """Write the file and print the largest rounding error."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ship_denoiser", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("run", type=Path, help="folder of a finished training of a denoiser")
    parser.add_argument("file", type=Path, help="what to write: NAME.safetensors")
    parser.add_argument("--from", dest="start", metavar="WEIGHTS", help="what the run began from")
    parser.add_argument("--share", type=_share, help="of the way from there to the run")
    arguments = parser.parse_args()
    if (arguments.start is None) != (arguments.share is None):
        parser.error("--from and --share: one without the other, expected both or neither")
    denoiser = load_denoiser(arguments.run / MODEL, _CPU)
    if arguments.start is not None:
        go_share(denoiser.network, load_weights(arguments.start, _CPU).network, arguments.share)
    worst = 0.0
    for value in denoiser.network.state_dict().values():
        worst = max(worst, float((value - value.half()).abs().max() / value.abs().max()))
    denoiser.network.half()
    denoiser.save(arguments.file)
    size = arguments.file.stat().st_size
    print(f"{arguments.file}: {size:,} bytes; rounding of at most {worst:.1e} of a layer's largest")


if __name__ == "__main__":
    main()
