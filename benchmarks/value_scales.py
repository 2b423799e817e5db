"""`python -m benchmarks.value_scales IMAGE`: an image denoised on scales that do not begin at 0.

Adds noise of σ 10 of 255 to 160 × 160 pixels of a grey image, brings it to other scales, and
denoises it with the default weights and σ auto: as it is, and shifted as `hsi denoise` does where
its values stand on a pedestal or below 0. PSNR is told on the image's own scale.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsi_suite.data.images import read_image
from hsi_suite.data.photographs import Photograph
from hsi_suite.engine.tiles import Tiling
from hsi_suite.tasks.denoising.denoiser import Denoiser
from hsi_suite.tasks.denoising.image_restoration import Restoration, restore
from hsi_suite.tasks.denoising.photographs.noise_estimation import estimate_image_noise
from hsi_suite.tasks.denoising.photographs.white_level import white_level
from hsi_suite.tasks.denoising.weights import load_weights

_SIGMA, _CUT = 10 / 255, np.s_[40:200, 40:200]
# Least and largest value of each scale.
_SCALES = [(0, 1), (0, 2000), (-0.5, 0.5), (-1, 1), (-1000, 1000), (9000, 11_000), (30_000, 30_500)]

Values = NDArray[Any]


def denoised(denoiser: Denoiser, values: Values, white: float, black: float) -> Values:
    """Values denoised as `hsi denoise` does, above a black."""
    seen = values - np.float32(black)
    sigmas = estimate_image_noise(seen, white, denoiser).sigmas
    whole = Tiling(None, 0, 1)
    clean = restore(denoiser, seen, white, sigmas, whole, Restoration(), dtype=np.dtype(np.float32))
    return clean + np.float32(black)


def main() -> None:
    """Print a line for each scale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    clean = read_image(parser.parse_args().image, "grey")[_CUT] / 255
    noisy = clean + np.random.default_rng(0).normal(0, _SIGMA, clean.shape)
    denoiser = load_weights(None, torch.device("cpu"))
    print("scale                as it is  as hsi denoise does it")
    for least, most in _SCALES:
        values = (noisy * (most - least) + least).astype(np.float32)
        level = white_level(Photograph(values), None)
        ratios = []
        unshifted = level.value if level.known else level.value + level.black
        for white, black in ((unshifted, 0.0), (level.value, level.black)):
            result = denoised(denoiser, values, white, black)
            error = (result - least) / (most - least) - clean
            ratios.append(-10 * np.log10(np.mean(error**2)))
        print(f"{least:7,} to {most:7,}  {ratios[0]:8.2f}  {ratios[1]:8.2f}", flush=True)


if __name__ == "__main__":
    main()
