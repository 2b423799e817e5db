"""`python -m benchmarks.growing_noise IMAGES`: white noise that grows with brightness, as photons'.

Photographs at half their size, which leaves no JPEG, get the noise of so many photons in white, and
that of an amplifier, in 8 bits. Each is denoised with σ estimated: as noise of one strength, and as
`hsi denoise` does, which makes noise even where it finds it growing. The last rows have noise of
one σ instead, which must not be taken for growing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from hsi_suite.data.images import read_image
from hsi_suite.engine.tiles import Tiling
from hsi_suite.tasks.denoising.image_restoration import Restoration, restore
from hsi_suite.tasks.denoising.photographs.network_choice import Networks

_WHITE = 255.0
# Photons in white, and σ of the amplifier of 255; no photons: noise of one σ.
_CASES = [(60, 0), (150, 0), (300, 0), (200, 8), (None, 10), (None, 25)]

Picture = NDArray[np.uint8]


def half(path: Path) -> Picture:
    """A photograph at half its size, of colour."""
    picture = Image.fromarray(read_image(path, "rgb").astype(np.uint8))
    return np.asarray(picture.resize((picture.width // 2, picture.height // 2), Image.BICUBIC))


def noisy(clean: Picture, photons: int | None, sigma: float, seed: int) -> Picture:
    """A photograph with noise."""
    generator = np.random.default_rng(seed)
    counted = clean if photons is None else generator.poisson(clean / _WHITE * photons) * (
        _WHITE / photons
    )  # fmt: skip
    values = counted + generator.normal(0, sigma, clean.shape)
    return np.rint(values).clip(0, _WHITE).astype(np.uint8)


def gain(clean: Picture, given: Picture, networks: Networks) -> tuple[float, bool]:
    """What denoising gains in dB, and whether noise was found to grow."""
    choice = networks.choose(given, _WHITE)
    assert choice.denoiser is not None
    whole, noise = Tiling(None, 0, choice.denoiser.network.multiple), choice.noise
    result = restore(
        choice.denoiser, given, _WHITE, noise.sigmas, whole, Restoration(),
        dtype=given.dtype, shot=noise.shot,
    )  # fmt: skip
    choice.unclipped(given, result, _WHITE)
    before, after = (np.mean((each - clean.astype(float)) ** 2) for each in (given, result))
    return float(10 * np.log10(before / after)), noise.shot is not None


def main() -> None:
    """Print a line for each kind of noise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path, nargs="+")
    parser.add_argument("--every", type=int, default=1, help="take each so manyth of them")
    arguments = parser.parse_args()
    pictures = [half(path) for path in arguments.images[:: arguments.every]]
    even, own = (Networks(None, "gaussian", torch.device("cpu"), even=e) for e in (True, False))
    print("photons, σ  found  as of one strength  as hsi denoise does it  least difference")
    for photons, sigma in _CASES:
        given = [noisy(clean, photons, sigma, seed) for seed, clean in enumerate(pictures)]
        pairs = list(zip(pictures, given, strict=True))
        before = np.array([gain(*pair, even)[0] for pair in pairs])
        after, found = zip(*(gain(*pair, own) for pair in pairs), strict=True)
        print(
            f"{photons or '-':>7}, {sigma:2} {sum(found):3} of {len(pairs)} {before.mean():12.2f} "
            f"{np.mean(after):20.2f} {np.min(np.array(after) - before):20.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
