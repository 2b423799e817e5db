"""`python -m benchmarks.clipped_noise [FOLDER]`: what undoing that noise was clipped adds.

Photographs that no network learns from (20 of BSDS500, the clean ones of FOLDER's pairs at half
their size, their corners of 256 × 256 pixels) get white noise and are kept in 8 bits, which clips
it. A line gives for each σ the PSNR without noise taken off, what denoising gains without undoing
it, and what undoing it adds, mean and least, told σ and with σ found; and in how many it is undone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hsi_suite.data.camera import resize
from hsi_suite.data.images import load_images
from hsi_suite.data.photograph_pairs import pairs_in
from hsi_suite.data.photographs import read_photograph
from hsi_suite.engine.tiles import Tiling
from hsi_suite.errors import HsiSuiteError
from hsi_suite.tasks.denoising.configuration import denoising_config
from hsi_suite.tasks.denoising.image_restoration import restore
from hsi_suite.tasks.denoising.photographs.network_choice import Networks
from hsi_suite.tasks.denoising.preparation import validation_images
from hsi_suite.tasks.denoising.restoration_settings import Restoration

from .lossy_formats import ratio

SIGMAS = (5, 10, 15, 25, 35, 50)
_WHITE = 255.0
_SIDE = 256

Levels = NDArray[np.uint8]


def photographs(folder: str | None) -> list[Levels]:
    """Corners of clean photographs."""
    images = load_images("bsds500", "rgb")
    held = validation_images(denoising_config(config="denoising/camera_denoiser"), images)
    pictures = list(held.images)
    for pair in [] if folder is None else pairs_in(Path(folder)):
        whole = read_photograph(pair.clean).values.astype(np.float32) / np.float32(_WHITE)
        small = resize(whole, (whole.shape[0] // 2, whole.shape[1] // 2))
        pictures.append(np.rint(small * _WHITE).clip(0, _WHITE).astype(np.uint8))
    return [picture[:_SIDE, :_SIDE] for picture in pictures]


def gains(networks: Networks, clean: Levels, noisy: Levels, sigma: float | None) -> list[float]:
    """What denoising gains, what undoing adds, and whether it was undone."""
    choice = networks.choose(noisy, _WHITE, sigma=None if sigma is None else sigma / _WHITE)
    if choice.denoiser is None:
        return [0.0, 0.0, 0.0]
    whole = Tiling(None, 0, choice.denoiser.network.multiple)
    result: Levels = restore(
        choice.denoiser, noisy, _WHITE, choice.noise.sigmas, whole, Restoration(),
        dtype=noisy.dtype, companion=choice.companion, shot=choice.noise.shot,
    )  # fmt: skip
    before = ratio(clean, result)
    undone = choice.unclipped(noisy, result, _WHITE) is not choice
    return [before - ratio(clean, noisy), ratio(clean, result) - before, float(undone)]


def lines(pictures: list[Levels]) -> Iterator[str]:
    """The lines of the table."""
    networks = Networks(None, "auto", torch.device("cpu"))
    for sigma in SIGMAS:
        noisy = []
        for seed, clean in enumerate(pictures):
            values = clean + np.random.default_rng(seed).normal(0, sigma, clean.shape)
            noisy.append(np.rint(values).clip(0, _WHITE).astype(np.uint8))
        pairs = list(zip(pictures, noisy, strict=True))
        line = f"{sigma:3}  {np.mean([ratio(*pair) for pair in pairs]):6.2f}"
        for name, told in (("told", sigma), ("found", None)):
            found = np.array([gains(networks, *pair, told) for pair in pairs])
            mean, least = found.mean(0), found.min(0)
            line += (
                f"   {name} {mean[0]:6.2f}  {mean[1]:+.2f} ({least[1]:+.2f})"
                f" in {found[:, 2].sum():.0f} of {len(pairs)}"
            )
        yield line


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.clipped_noise", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("folder", nargs="?", help="of pairs of photographs, such as PolyU_cameras")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    try:
        for each in lines(photographs(arguments.folder)):
            print(each, flush=True)
    except HsiSuiteError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
