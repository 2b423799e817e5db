"""`python -m benchmarks.lossy_formats FOLDER`: what `hsi denoise` makes of WebP, AVIF and HEIC.

Photographs that no network learns from, written by Pillow and pillow-heif: clean ones (of BSDS500,
and of FOLDER's pairs, at half their size, which leaves no JPEG), noisy ones of FOLDER's pairs, and
clean ones with white noise. A line gives, for one format and quality, the PSNR of the file against
the clean photograph, the coarsest and finest quantiser, the mean gain and the least of what
`hsi denoise` does by itself and of `jpeg_denoiser`, and what was chosen. `--half` takes every other
photograph: the quantisers from which on `jpeg_denoiser` is taken were chosen on the first.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from hsi_suite.data.artefacts import eight_bits
from hsi_suite.data.camera import resize
from hsi_suite.data.images import load_images
from hsi_suite.data.photograph_pairs import pairs_in
from hsi_suite.data.photographs import Photograph, read_photograph
from hsi_suite.engine.tiles import Tiling
from hsi_suite.errors import HsiSuiteError
from hsi_suite.metrics.restoration import peak_signal_noise_ratio
from hsi_suite.tasks.denoising.configuration import denoising_config
from hsi_suite.tasks.denoising.image_restoration import restore
from hsi_suite.tasks.denoising.photographs.network_choice import Choice, Networks
from hsi_suite.tasks.denoising.preparation import validation_images
from hsi_suite.tasks.denoising.restoration_settings import Restoration
from hsi_suite.weights import JPEG_WEIGHTS

QUALITIES = {"WebP": (40, 60, 75, 80, 90), "AVIF": (30, 50, 55, 65, 80), "HEIC": (30, 40, 50, 65)}
_NOISE = (5.0, 15.0)
# The corner of a noisy photograph that is looked at, to save time.
_SIDE = 256
_WHITE = 255.0
_PILLOW = {"WebP": "WEBP", "AVIF": "AVIF", "HEIC": "HEIF"}

Levels = NDArray[np.uint8]
Pair = tuple[Levels, Levels]


@dataclass(frozen=True)
class Row:
    """Of one file: its quantiser, its PSNR in dB, what two ways add to it, and what was chosen."""

    index: int
    before: float
    chosen: float
    network: float
    name: str


def pairs_of(folder: str, half: slice) -> dict[str, list[Pair]]:
    """Clean photographs and the same as they are written, by the name of their set."""
    images = load_images("bsds500", "rgb")
    held = validation_images(denoising_config(config="denoising/camera_denoiser"), images)
    photographs = [_halved(image) for image in held.images[half]]
    pairs = pairs_in(folder)[half]
    scenes = [_halved(read_photograph(pair.clean).values) for pair in pairs]
    corners = [
        (_corner(read_photograph(pair.clean).values), _corner(read_photograph(pair.noisy).values))
        for pair in pairs
    ]
    sets = {
        "clean, BSDS500": [(each, each) for each in photographs],
        "clean, pairs": [(each, each) for each in scenes],
        "noisy, pairs": corners,
    }
    for sigma in _NOISE:
        sets[f"white, σ {sigma:g}"] = [
            (each, _noisy(each, sigma, index)) for index, each in enumerate(photographs)
        ]
    return sets


def _halved(image: Levels) -> Levels:
    picture = image.astype(np.float32) / np.float32(_WHITE)
    lines, samples = image.shape[:2]
    return eight_bits(resize(picture, (lines // 2, samples // 2)).clip(0, 1))


def _corner(image: Levels) -> Levels:
    first = [(size - min(size, _SIDE)) // 2 for size in image.shape[:2]]
    return image[first[0] : first[0] + _SIDE, first[1] : first[1] + _SIDE]


def _noisy(image: Levels, sigma: float, seed: int) -> Levels:
    noise = np.random.default_rng(seed).standard_normal(image.shape, np.float32)
    values = image.astype(np.float32) + np.float32(sigma) * noise
    return eight_bits(values / np.float32(_WHITE))


def let_write_heic(otherwise: str = "") -> None:
    """Let Pillow write HEIC; ends the program where it cannot."""
    try:
        import pillow_heif
    except ImportError:
        sys.exit(f"HEIC is written by pillow-heif: pip install pillow-heif{otherwise}")
    pillow_heif.register_heif_opener()


def written(image: Levels, kind: str, quality: int, folder: Path) -> Photograph:
    """A picture from a file of a format and quality."""
    path = folder / f"picture.{kind.lower()}"
    # AVIF's encoder writes other files with other numbers of threads.
    only = {"max_threads": 1} if kind == "AVIF" else {}
    Image.fromarray(image).save(path, _PILLOW[kind], quality=quality, **only)
    return read_photograph(path)


def row(networks: Networks, known: Networks, pair: Pair, file: Photograph) -> Row:
    """What is made of a file."""
    clean, values = pair[0], file.values
    assert file.coding is not None
    choice = networks.choose(values, _WHITE, coding=file.coding)
    before = ratio(clean, values)
    network = ratio(clean, denoised(known.choose(values, _WHITE), values)) - before
    chosen = ratio(clean, denoised(choice, values)) - before
    name = "left" if choice.denoiser is None else choice.words.rpartition(": ")[2]
    return Row(file.coding.index, before, chosen, network, name)


def denoised(choice: Choice, values: Levels) -> Levels:
    """What `hsi denoise` writes of a picture, by its choice."""
    if choice.denoiser is None:
        return values
    whole = Tiling(None, 0, choice.denoiser.network.multiple)
    clean: Levels = restore(
        choice.denoiser, values, _WHITE, choice.noise.sigmas, whole, Restoration(),
        dtype=values.dtype, companion=choice.companion,
    )  # fmt: skip
    choice.unclipped(values, clean, _WHITE)
    return choice.held(values, clean, _WHITE)


def ratio(true: Levels, shown: Levels) -> float:
    """The PSNR of a picture, in dB."""
    return peak_signal_noise_ratio(true / _WHITE, shown / _WHITE)


def lines(sets: dict[str, list[Pair]], kinds: list[str]) -> Iterator[str]:
    """The lines of the table."""
    cpu = torch.device("cpu")
    networks, known = Networks(None, "auto", cpu), Networks(JPEG_WEIGHTS, "auto", cpu)
    with tempfile.TemporaryDirectory() as folder:
        for name, pairs in sets.items():
            for kind in kinds:
                for quality in QUALITIES[kind]:
                    files = (written(pair[1], kind, quality, Path(folder)) for pair in pairs)
                    rows = [
                        row(networks, known, pair, file)
                        for pair, file in zip(pairs, files, strict=True)
                    ]
                    yield f"{name:15} {kind} {quality:3} {_text(rows)}"


def _text(rows: list[Row]) -> str:
    index = [each.index for each in rows]
    cells = [f"{max(index):3}–{min(index):<3}", f"{np.mean([each.before for each in rows]):6.2f}"]
    for gains in ([each.chosen for each in rows], [each.network for each in rows]):
        cells.append(f"{np.mean(gains):+6.2f} ({min(gains):+.2f})")
    counted = Counter(each.name for each in rows)
    return "  ".join([*cells, ", ".join(f"{name} {count}" for name, count in counted.items())])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lossy_formats", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("folder", help="of pairs of photographs in colour, as PolyU has them")
    parser.add_argument("--half", choices=["first", "second"], help="every other photograph")
    parser.add_argument("--formats", nargs="+", choices=list(QUALITIES), default=list(QUALITIES))
    options = parser.parse_args()
    half = {None: slice(None), "first": slice(0, None, 2), "second": slice(1, None, 2)}
    torch.set_num_threads(1)
    try:
        if "HEIC" in options.formats:
            let_write_heic("; or --formats WebP AVIF")
        for line in lines(pairs_of(options.folder, half[options.half]), options.formats):
            print(line, flush=True)
    except HsiSuiteError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
