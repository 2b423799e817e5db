"""`python -m benchmarks.drawn_pictures`: what denoisers make of JPEG of drawings.

Drawings of the kinds that `jpeg_denoiser` learns from (`hsi_suite/data/drawings`), of other seeds;
squares of 8 × 8 pixels, each a block of JPEG, of any colours; and kinds that it does not learn from
(`held_out_drawings`). Written with half the resolution of colour (4:2:0), restored, rounded to 8
bits as files are. A line gives the mean PSNR of the JPEG and, for every network, the mean gain and
the least of a picture. `--save FOLDER` leaves the pictures as PNG files, for `hsi evaluate --data`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from hsi_suite.data.artefacts import eight_bits, through_jpeg
from hsi_suite.data.drawings import KINDS, draw_kind
from hsi_suite.metrics.restoration import peak_signal_noise_ratio
from hsi_suite.tasks.denoising.denoiser import Denoiser
from hsi_suite.tasks.denoising.evaluation import picture_batch, picture_of, restored
from hsi_suite.tasks.denoising.weights import load_weights

from .held_out_drawings import HELD_OUT

SIDE = 256
# No training has this seed: those of patches are hashes of a run's.
_SEED = 20
# A drawing that comes out exactly counts as this.
_HIGHEST = 60.0
_LEVELS = np.float32(255)

Pixels = NDArray[np.uint8]


def pictures(count: int, seed: int = _SEED) -> dict[str, list[Pixels]]:
    """Some of every kind, by its name."""
    makers = {name: partial(draw_kind, name) for name in KINDS} | {"squares of 8": _squares}
    made = makers | {f"held out: {name}": maker for name, maker in HELD_OUT.items()}
    return {
        name: [
            np.asarray(maker(SIDE, np.random.default_rng([seed, number, index])))
            for index in range(count)
        ]
        for number, (name, maker) in enumerate(made.items())
    }


def _squares(side: int, generator: np.random.Generator) -> Pixels:
    colours = generator.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    return colours.repeat(8, 0).repeat(8, 1)


def ratio(true: Pixels, shown: NDArray[np.float32]) -> float:
    """PSNR in dB of what a file of 8 bits would hold, at most 60."""
    pair = true / _LEVELS, eight_bits(shown) / _LEVELS
    if np.array_equal(*pair):
        return _HIGHEST
    return min(peak_signal_noise_ratio(*pair), _HIGHEST)


def gains(
    denoisers: Mapping[str, Denoiser], drawn: Sequence[Pixels], quality: int
) -> tuple[float, dict[str, NDArray[np.float64]]]:
    """The mean PSNR of the JPEGs, and what each network adds to that of each picture."""
    before = []
    added: dict[str, list[float]] = {name: [] for name in denoisers}
    for picture in drawn:
        spoilt = through_jpeg(picture / _LEVELS, quality, subsampling=True)
        before.append(ratio(picture, spoilt))
        for name, denoiser in denoisers.items():
            shown = picture_of(restored(denoiser, picture_batch([spoilt]), 0.0))
            added[name].append(ratio(picture, shown) - before[-1])
    return float(np.mean(before)), {name: np.array(values) for name, values in added.items()}


def show(
    denoisers: Mapping[str, Denoiser], kinds: Mapping[str, list[Pixels]], quality: int
) -> None:
    """Print the table of one quality."""
    print(
        f"\nquality {quality:<20} {'JPEG':>7}" + "".join(f"{name[-23:]:>24}" for name in denoisers)
    )
    rows = []
    for kind, drawn in kinds.items():
        before, added = gains(denoisers, drawn, quality)
        rows.append([before, *(values.mean() for values in added.values())])
        cells = "".join(f"{v.mean():+16.2f} ({v.min():+5.2f})" for v in added.values())
        print(f"{kind:28} {before:7.2f}{cells}", flush=True)
    held = [kind.startswith("held out") for kind in kinds]
    for name, chosen in (("mean, of other seeds", ~np.array(held)), ("mean, held out", held)):
        before, *means = np.mean(np.array(rows)[np.array(chosen)], 0)
        print(f"{name:28} {before:7.2f}" + "".join(f"{mean:+16.2f}{'':8}" for mean in means))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.drawn_pictures", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--weights", nargs="+", default=["jpeg_denoiser"], help="names or runs")
    parser.add_argument("--quality", type=int, nargs="+", default=[30, 75, 90])
    parser.add_argument("--count", type=int, default=8, help="pictures of each kind")
    parser.add_argument("--save", type=Path, help="a folder for the pictures; nothing is scored")
    options = parser.parse_args()
    torch.set_num_threads(1)
    kinds = pictures(options.count)
    if options.save is not None:
        options.save.mkdir(parents=True, exist_ok=True)
        for kind, drawn in kinds.items():
            for index, picture in enumerate(drawn):
                name = kind.replace("held out: ", "held_out_").replace(" ", "_")
                Image.fromarray(picture).save(options.save / f"{name}_{index}.png")
        return
    denoisers = {name: load_weights(name, torch.device("cpu")) for name in options.weights}
    for quality in options.quality:
        show(denoisers, kinds, quality)


if __name__ == "__main__":
    main()
