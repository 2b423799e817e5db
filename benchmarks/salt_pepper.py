"""`python -m benchmarks.salt_pepper`: what `hsi denoise` makes of salt and pepper in photographs.

The 20 photographs of BSDS500 that are set aside are struck in some of their values, alone and after
white noise. A line gives in how many it is found, the PSNR of the file, and what `hsi denoise` by
itself adds when it does not look for salt and pepper, and now, mean and least. The last lines count
what has none and is said to have some: all photographs of BSDS500, dithers, drawings, skies.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from hsi_suite.data.drawings import KINDS, draw_kind
from hsi_suite.data.images import load_images
from hsi_suite.data.noise import add_impulses
from hsi_suite.errors import HsiSuiteError
from hsi_suite.restoration.salt_pepper import find_impulses
from hsi_suite.tasks.denoising.configuration import denoising_config
from hsi_suite.tasks.denoising.photographs.network_choice import Networks
from hsi_suite.tasks.denoising.photographs.white_level import WhiteLevel
from hsi_suite.tasks.denoising.preparation import validation_images

from .held_out_drawings import HELD_OUT
from .lossy_formats import denoised, ratio

SHARES, SIGMAS = (0.01, 0.05, 0.1, 0.3), (0, 10, 25)
_WHITE = 255.0
_SIDE = 256
_EACH = 6

Levels = NDArray[np.uint8]


def struck(image: Levels, share: float, sigma: float, seed: int) -> Levels:
    """A photograph with white noise and then salt and pepper, in whole levels."""
    generator = np.random.default_rng(seed)
    noisy = image + generator.normal(0, sigma, image.shape)
    ends = add_impulses(np.rint(noisy).clip(0, _WHITE), share, generator, 0, _WHITE)
    return ends.astype(np.uint8)


def line(networks: Networks, images: list[Levels], share: float, sigma: float) -> str:
    """What is made of photographs that are struck."""
    found, before, gains = 0, [], []
    for seed, image in enumerate(images):
        clean = image[:_SIDE, :_SIDE]
        values = struck(clean, share, sigma, seed)
        filled, words = networks.filled(values, WhiteLevel(_WHITE), known=False)
        found += bool(words)
        before.append(ratio(clean, values))
        choices = (networks.choose(values, _WHITE), networks.choose(filled, _WHITE))
        if words:
            choices = (choices[0], replace(choices[1], shipped=False))
        results = map(denoised, choices, (values, filled))
        gains.append([ratio(clean, each) - before[-1] for each in results])
    mean, least = np.mean(gains, 0), np.min(gains, 0)
    ways = "  ".join(f"{mean[way]:+6.2f} ({least[way]:+.2f})" for way in (0, 1))
    name = f"{100 * share:3g} %, σ {sigma:2g}"
    return f"{name}  found {found:2} of {len(images)}  {np.mean(before):6.2f}  {ways}"


def without(images: list[Levels]) -> dict[str, list[Levels]]:
    """Pictures that have no salt and pepper, by what they are."""
    web = [Image.fromarray(image).convert("P", palette=Image.Palette.WEB) for image in images[::8]]
    drawn = [
        np.asarray(draw_kind(kind, _SIDE, np.random.default_rng(seed)))
        for kind in KINDS
        for seed in range(_EACH)
    ]
    other = [
        np.asarray(draw(_SIDE, np.random.default_rng(seed)))
        for draw in HELD_OUT.values()
        for seed in range(_EACH)
    ]
    skies = [sky(seed) for seed in range(20)]
    dithers = [np.asarray(each.convert("RGB")) for each in web]
    return {
        "photographs": images, "dithers": dithers, "drawings": drawn + other, "skies": skies,
    }  # fmt: skip


def sky(seed: int) -> Levels:
    """Specks of several brightnesses on dark noise."""
    generator = np.random.default_rng(seed)
    values = generator.normal(30, 4, (400, 400))
    places = generator.integers(0, 400, (3000, 2))
    values[places[:, 0], places[:, 1]] = generator.choice([120, 200, 255], len(places))
    return np.rint(values).clip(0, _WHITE).astype(np.uint8)


def lines() -> Iterator[str]:
    """The lines of the table."""
    images = load_images("bsds500", "rgb")
    held = validation_images(denoising_config(config="denoising/camera_denoiser"), images)
    networks = Networks(None, "auto", torch.device("cpu"))
    for share in SHARES:
        for sigma in SIGMAS:
            yield line(networks, list(held.images), share, sigma)
    for name, pictures in without(list(images.images)).items():
        wrong = sum(find_impulses(each, _WHITE) is not None for each in pictures)
        yield f"{name}: {wrong} of {len(pictures)} said to have some"


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(
        prog="python -m benchmarks.salt_pepper", description=(__doc__ or "").split("\n\n")[0]
    ).parse_args()
    torch.set_num_threads(1)
    try:
        for each in lines():
            print(each, flush=True)
    except HsiSuiteError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
