"""`python -m benchmarks.ship_denoiser RUN FILE`: a run's denoiser with numbers of half the size.

How weights come into `hsi_suite/weights` where single precision would be large. Numbers are
rounded to float16 (relative error at most 2⁻¹¹, where they are not tiny) and computed with in
single precision all the same. What that costs is for `hsi evaluate` to say, on the run and on the
file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from hsi_suite.runs.folder import MODEL
from hsi_suite.tasks.denoising.denoiser import load_denoiser


def main() -> None:
    """Write the file and print the largest rounding error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a finished training of a denoiser")
    parser.add_argument("file", type=Path, help="what to write: NAME.safetensors")
    arguments = parser.parse_args()
    denoiser = load_denoiser(arguments.run / MODEL, torch.device("cpu"))
    worst = 0.0
    for value in denoiser.network.state_dict().values():
        worst = max(worst, float((value - value.half()).abs().max() / value.abs().max()))
    denoiser.network.half()
    denoiser.save(arguments.file)
    size = arguments.file.stat().st_size
    print(f"{arguments.file}: {size:,} bytes; rounding of at most {worst:.1e} of a layer's largest")


if __name__ == "__main__":
    main()
