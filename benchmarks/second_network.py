"""`python -m benchmarks.second_network FOLDER`: what shares a second network should have.

Beside `camera_denoiser` and `jpeg_denoiser` stands the network for white noise, told a σ by what
the first changes. A line gives, for one way to tell it and one share in the mean, the mean PSNR of
photographs of simulated cameras, with white noise, of FOLDER's noisy ones (pairs, as PolyU has
them) and of clean ones behind JPEG, in squares of 256 × 256 pixels, and what the worst of them
gains over the first alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from hsi_suite.data.artefacts import eight_bits, through_jpeg
from hsi_suite.data.camera import take_photograph
from hsi_suite.data.camera_range import CameraRange
from hsi_suite.data.images import load_images
from hsi_suite.data.noise import add_gaussian
from hsi_suite.data.photograph_pairs import pairs_in
from hsi_suite.data.photographs import read_photograph
from hsi_suite.engine.tiles import Tiling
from hsi_suite.errors import HsiSuiteError
from hsi_suite.metrics.restoration import peak_signal_noise_ratio
from hsi_suite.tasks.denoising.configuration import denoising_config
from hsi_suite.tasks.denoising.denoiser import Denoiser
from hsi_suite.tasks.denoising.image_restoration import known_noise, restore
from hsi_suite.tasks.denoising.photographs.network_companion import brightness_change
from hsi_suite.tasks.denoising.preparation import validation_images
from hsi_suite.tasks.denoising.restoration_settings import Restoration
from hsi_suite.tasks.denoising.weights import load_weights
from hsi_suite.weights import CAMERA_WEIGHTS, COLOUR_WEIGHTS, DEFAULT_WEIGHTS, JPEG_WEIGHTS

ISOS, QUALITIES = (400, 1600, 6400), (20, 50, 80, 90)
SIDE, _WHITE, _MOST = 256, 255.0, 55.0

Levels = NDArray[np.uint8]
Values = NDArray[np.float32]
Pair = tuple[Levels, Levels]


@dataclass(frozen=True)
class Way:
    """How the second network is told its σ of 255: so much, and so much for each level changed.

    With `alike` what is changed in brightness counts, so much more for each as neighbours are alike
    (`brightness_change`); without, what is changed of all colours.
    """

    second: str
    least: float
    each: float
    shares: tuple[float, ...]
    alike: float | None = None

    def sigma(self, change: Values) -> float:
        """The σ for a change, lines × samples × 3, on the scale 0 to 255."""
        if self.alike is None:
            return min(self.least + self.each * float(np.std(change)), _MOST)
        changed, shared = brightness_change([change])
        return min(self.least + (self.each + self.alike * shared) * changed, _MOST)

    def title(self, share: float) -> str:
        """What a line says of it."""
        alike = "" if self.alike is None else f" + {self.alike:g} alike"
        return f"{share:g} of {self.second}, {self.least:g} + {self.each:g}{alike}"


@dataclass(frozen=True)
class Table:
    """A first network, the sets that it is scored on, and the ways beside it."""

    first: str
    sets: dict[str, list[Pair]]
    ways: tuple[Way, ...]


_CAMERA_WAYS = (
    Way(COLOUR_WEIGHTS, 4, 1.5, (0.3, 0.5, 0.7), 4),
    Way(DEFAULT_WEIGHTS, 4, 1.5, (0.5,), 4),
    Way(COLOUR_WEIGHTS, 4, 1.5, (0.5,), 3),
    Way(COLOUR_WEIGHTS, 6, 2.5, (0.5,)),
    Way(COLOUR_WEIGHTS, 6, 1.2, (0.5,)),
)
_JPEG_WAYS = (
    Way(COLOUR_WEIGHTS, 4, 1.5, (0.1, 0.2, 0.5), 4),
    Way(COLOUR_WEIGHTS, 6, 2.5, (0.2,)),
)


def tables(folder: str, count: int) -> list[Table]:
    """Both networks' tables, of so many photographs of BSDS500 and of so many pairs."""
    images = load_images("bsds500", "rgb")
    held = validation_images(denoising_config(config="denoising/camera_denoiser"), images)
    clean = [_middle(image) for image in held.images[:count]]
    cameras = {
        f"ISO {iso}": [(each, _taken(each, iso, seed)) for seed, each in enumerate(clean)]
        for iso in ISOS
    }
    white = {
        "σ 15": [(each, _grainy(each, seed)) for seed, each in enumerate(clean)],
        "σ 15, JPEG 80": [
            (each, _jpeg(_grainy(each, seed), 80)) for seed, each in enumerate(clean)
        ],
    }
    pairs = [
        (_middle(read_photograph(pair.clean).values), _middle(read_photograph(pair.noisy).values))
        for pair in pairs_in(folder)[: 2 * count]
    ]
    files = {f"JPEG {quality}": [(each, _jpeg(each, quality)) for each in clean]
             for quality in QUALITIES}  # fmt: skip
    return [
        Table(CAMERA_WEIGHTS, cameras | white | {"pairs": pairs}, _CAMERA_WAYS),
        Table(JPEG_WEIGHTS, files | cameras, _JPEG_WAYS),
    ]


def _middle(image: Levels) -> Levels:
    # Where a block of JPEG begins, if the photograph does.
    first = [(size - min(size, SIDE)) // 16 * 8 for size in image.shape[:2]]
    return image[first[0] : first[0] + SIDE, first[1] : first[1] + SIDE]


def _taken(image: Levels, iso: float, seed: int) -> Levels:
    picture = image.astype(np.float32) / np.float32(_WHITE)
    camera = CameraRange().middle(iso)
    return eight_bits(take_photograph(picture, camera, np.random.default_rng(seed)))


def _grainy(image: Levels, seed: int) -> Levels:
    picture = image.astype(np.float32) / np.float32(_WHITE)
    return eight_bits(add_gaussian(picture, 15 / _WHITE, np.random.default_rng(seed)))


def _jpeg(image: Levels, quality: int) -> Levels:
    picture = image.astype(np.float32) / np.float32(_WHITE)
    return eight_bits(through_jpeg(picture, quality, subsampling=True))


def lines(table: Table) -> Iterator[str]:
    """The lines of a table: the first alone, then each way and share."""
    scored = {name: _scores(table, pairs) for name, pairs in table.sets.items()}
    yield f"{'':44}" + "".join(f"{name:>16}" for name in table.sets)
    alone = {name: rows[:, 0] for name, rows in scored.items()}
    yield f"{table.first:44}" + "".join(f"{rows.mean():16.2f}" for rows in alone.values())
    named = [(way, share) for way in table.ways for share in way.shares]
    for column, (way, share) in enumerate(named, 1):
        cells = []
        for name, rows in scored.items():
            least = (rows[:, column] - alone[name]).min()
            cells.append(f"{rows[:, column].mean():8.2f} ({least:+.2f})")
        yield f"{way.title(share):44}" + "".join(f"{cell:>16}" for cell in cells)


def _scores(table: Table, pairs: list[Pair]) -> NDArray[np.float64]:
    """PSNR in dB, pairs × (the first alone, then each way and share)."""
    return np.array([list(_scores_of(table, *pair)) for pair in pairs])


def _scores_of(table: Table, clean: Levels, noisy: Levels) -> Iterator[float]:
    given = noisy.astype(np.float32)
    first = _denoised(table.first, given, 0.0)
    yield _ratio(clean, first)
    for way in table.ways:
        second = _denoised(way.second, given, way.sigma(first - given))
        for share in way.shares:
            yield _ratio(clean, first + np.float32(share) * (second - first))


def _denoised(weights: str, image: Values, sigma: float) -> Values:
    """By a network told a σ of 255."""
    denoiser = _loaded(weights)
    whole = Tiling(None, 0, denoiser.network.multiple)
    sigmas = known_noise(sigma / _WHITE, denoiser, image)
    return restore(denoiser, image, _WHITE, sigmas, whole, Restoration(), dtype=image.dtype)


@lru_cache
def _loaded(weights: str) -> Denoiser:
    return load_weights(weights, torch.device("cpu"))


def _ratio(clean: Levels, shown: Values) -> float:
    return peak_signal_noise_ratio(clean / _WHITE, np.rint(shown).clip(0, _WHITE) / _WHITE)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.second_network", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("folder", help="of pairs of photographs in colour, as PolyU has them")
    parser.add_argument(
        "--count", type=int, default=12, help="photographs, and twice as many pairs at most"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        for table in tables(options.folder, options.count):
            for line in lines(table):
                print(line, flush=True)
    except HsiSuiteError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
