"""`python -m benchmarks.stack_neighbours FOLDER`: what neighbouring pages of a stack bring.

Cuts scenes of 128 × 128 pixels out of the grey images of a folder, still and moving, adds noise,
and denoises the middle one of five pages by itself and with its neighbours (`hsi denoise --stack
pages` and `--stack joint`, with the default weights and the right σ).
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from hsi_suite.data.images import read_image
from hsi_suite.data.photographs import Photograph
from hsi_suite.engine.tiles import Tiling
from hsi_suite.tasks.denoising.denoiser import Denoiser
from hsi_suite.tasks.denoising.image_restoration import Restoration, known_noise, restore
from hsi_suite.tasks.denoising.photographs.network_choice import Choice
from hsi_suite.tasks.denoising.photographs.noise_estimation import EstimatedNoise
from hsi_suite.tasks.denoising.photographs.seen_page import SeenPage, joint_values
from hsi_suite.tasks.denoising.photographs.white_level import WhiteLevel
from hsi_suite.tasks.denoising.weights import load_weights

_SIDE, _PAGES, _MIDDLE, _AT = 128, 5, 2, 60
_FLOATS = np.dtype(np.float32)

Scene = NDArray[Any]


def scenes(image: Scene) -> dict[str, list[Scene]]:
    """Five pages of each kind of movement, lines × samples from 0 to 1."""
    cut = np.s_[_AT : _AT + _SIDE, _AT : _AT + _SIDE]
    passing = []
    for t in range(_PAGES):
        page = image[cut].copy()
        page[34:94, 20 + 6 * t : 80 + 6 * t] = image[:60, :60]
        passing.append(page)
    return {
        "still": [image[cut]] * _PAGES,
        "0.3 pixels a page": [_moved(image, 0.3 * t)[cut] for t in range(_PAGES)],
        "1 pixel a page": [image[t:, t:][cut] for t in range(_PAGES)],
        "10 pixels a page": [image[10 * t :, 10 * t :][cut] for t in range(_PAGES)],
        "an object, 6 pixels a page": passing,
    }


def _moved(image: Scene, by: float) -> Scene:
    return np.asarray(ndimage.shift(image, (-by, -by), order=3, mode="reflect"))


def ratios(denoiser: Denoiser, pages: list[Scene], sigma: float, seed: int) -> tuple[float, float]:
    """PSNR of the middle page by itself and with its neighbours."""
    generator = np.random.default_rng(seed)
    sigmas = known_noise(sigma, denoiser, pages[0])
    network = partial(
        restore, denoiser, white=1.0, tiling=Tiling(None, 0, 1), how=Restoration(), dtype=_FLOATS
    )
    window = []
    for page in pages:
        noisy = (page + generator.normal(0, sigma, page.shape)).astype(np.float32)
        choice = Choice(denoiser, noise=EstimatedNoise(sigmas, ()))
        seen = SeenPage(
            Photograph(noisy), None, noisy, noisy, WhiteLevel(1.0), choice, Tiling(None, 0, 1), 1
        )
        window.append((seen, network(image=noisy, sigmas=sigmas)))
    joint = joint_values(
        window, _MIDDLE, lambda values, left, _: network(image=values, sigmas=left)
    )
    clean = pages[_MIDDLE]
    both = (_ratio(window[_MIDDLE][1], clean), _ratio(joint, clean))
    return both


def _ratio(values: Scene, clean: Scene) -> float:
    return float(-10 * np.log10(np.mean((np.clip(values, 0, 1) - clean) ** 2)))


def main() -> None:
    """Print a row for each kind of movement and σ: means over the images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=10, help="how many, spread over the folder")
    given = parser.parse_args()
    paths = sorted(path for path in given.folder.iterdir() if path.suffix in (".png", ".jpg"))
    paths = paths[:: max(1, len(paths) // given.images)][: given.images]
    denoiser = load_weights(None, torch.device("cpu"))
    print(f"{len(paths)} images; dB: alone, with neighbours, mean gain (least gain)")
    images = [read_image(path, "grey") / 255 for path in paths]
    for kind in scenes(images[0]):
        for sigma in (10, 25, 50):
            found = np.array(
                [ratios(denoiser, scenes(image)[kind], sigma / 255, k)
                 for k, image in enumerate(images)]
            )  # fmt: skip
            gains = found[:, 1] - found[:, 0]
            alone, joint = found.mean(0)
            print(
                f"{kind:28} σ {sigma:2}  {alone:.2f}  {joint:.2f}  {gains.mean():+.2f} "
                f"({gains.min():+.2f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
