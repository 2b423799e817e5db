"""`python -m benchmarks.camera_pictures`: PSNR on real camera pictures, and the cost of telling σ.

Reads the pairs NAME_real.JPG and NAME_mean.JPG (the mean of many shots of a scene) of PolyU (Xu et
al., arXiv 1804.02603) in `HSI_DATA_DIR`/denoising/PolyU_cameras. `--cost` times instead how long
telling the noise of a grey picture of a megapixel takes, as a share of denoising it, in turns.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from hsi_suite.data.photograph_pairs import PhotographPair, pairs_in
from hsi_suite.data.photographs import read_photograph
from hsi_suite.engine.tiles import Tiling
from hsi_suite.errors import InputFileError
from hsi_suite.tasks.denoising.denoiser import Denoiser
from hsi_suite.tasks.denoising.image_restoration import (
    Restoration,
    image_noise,
    known_noise,
    restore,
)
from hsi_suite.tasks.denoising.image_scores import image_scores
from hsi_suite.tasks.denoising.photographs.noise_estimation import estimate_image_noise
from hsi_suite.tasks.denoising.weights import load_weights

_FIXED, _WHITE = 10, 255
_MEGAPIXEL = 1024

Picture = NDArray[np.uint8]


def clean_with(denoiser: Denoiser, picture: Picture, sigmas: tuple[float, ...]) -> Picture:
    """A picture denoised as `hsi denoise` does, for σ of each plane on the scale 0 to 1."""
    whole = Tiling(None, 0, 1)
    return restore(
        denoiser, picture, _WHITE, sigmas, whole, Restoration(), dtype=np.dtype(np.uint8)
    )


def show_scores(pairs: Sequence[PhotographPair]) -> None:
    """Print a line for each pair, and the means."""
    denoiser = load_weights(None, torch.device("cpu"))
    print(f"{'':36} {'σ est.':>6} {'noisy':>7} {'est.':>7} {'σ 10':>7}")
    rows = []
    for pair in pairs:
        picture, truth = read_photograph(pair.noisy).values, read_photograph(pair.clean).values
        estimated = estimate_image_noise(picture, _WHITE, denoiser).sigmas
        fixed = known_noise(_FIXED / _WHITE, denoiser, picture)
        results = [picture, *(clean_with(denoiser, picture, each) for each in (estimated, fixed))]
        scores = [
            image_scores(truth, result, _WHITE)["peak_signal_noise_ratio"] for result in results
        ]
        rows.append(scores)
        row = " ".join(f"{score:7.2f}" for score in scores)
        print(f"{pair.name:36} {_WHITE * image_noise(estimated):6.1f} {row}", flush=True)
    row = " ".join(f"{score:7.2f}" for score in np.mean(rows, 0))
    print(f"{f'mean of {len(rows)}':36} {'':6} {row}")


def show_cost(rounds: int) -> None:
    """Print the time of telling the noise over that of denoising, for smooth pictures.

    A clean one, and one with noise of σ 20 in it.
    """
    denoiser = load_weights(None, torch.device("cpu"))
    rng = np.random.default_rng(0)
    fields = rng.standard_normal((_MEGAPIXEL, _MEGAPIXEL))
    smooth = ndimage.gaussian_filter(fields, 12)
    clean = 40 + 175 * (smooth - smooth.min()) / np.ptp(smooth)
    for name, sigma in (("clean", 0), ("σ 20", 20)):
        noisy = clean + rng.normal(0, sigma, clean.shape) if sigma else clean
        picture = np.rint(noisy).clip(0, 255).astype(np.uint8)
        shares = []
        for _ in range(rounds):
            start = time.perf_counter()
            estimated = estimate_image_noise(picture, _WHITE, denoiser).sigmas
            middle = time.perf_counter()
            clean_with(denoiser, picture, estimated)
            shares.append((middle - start) / (time.perf_counter() - middle))
        shown = " / ".join(f"{share:.2f}" for share in np.quantile(shares, [0, 0.5, 1]))
        print(f"{name}: telling takes {shown} of the time of denoising (min / median / max)")


def main() -> None:
    """Print one of the two tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.camera_pictures", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--cost", action="store_true", help="time it instead")
    parser.add_argument("--rounds", type=int, default=3, help="of the timing")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.cost:
        show_cost(options.rounds)
        return
    folder = Path(os.environ.get("HSI_DATA_DIR", ".")) / "denoising" / "PolyU_cameras"
    try:
        pairs = pairs_in(folder)
    except InputFileError as error:
        sys.exit(f"{error}; set HSI_DATA_DIR to the folder of your data")
    show_scores(pairs)


if __name__ == "__main__":
    main()
