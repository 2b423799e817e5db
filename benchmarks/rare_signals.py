"""`python -m benchmarks.rare_signals`: what cube denoising keeps of targets of few pixels.

Targets of 1 × 1 to 5 × 5 pixels, of so many σ at the peak of their spectrum, in a smooth made-up
scene with noise, through the denoiser that ships; the share of their mean that is left (1 is all).
`--false-alarms` counts instead what is taken for rare in cubes without any target; `--time` shows
how long the search takes, as a share of denoising (real scenes of `HSI_DATA_DIR`, in one run).
"""

from __future__ import annotations

import argparse
import itertools
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage, signal

from hsi_suite.data.catalogue import load_dataset
from hsi_suite.restoration.planes import PlaneDenoiser
from hsi_suite.tasks.denoising.cubes.cube_denoising import MODES, denoise_cube
from hsi_suite.tasks.denoising.cubes.plane_denoising import grey_plane_denoiser
from hsi_suite.tasks.denoising.cubes.rare_signals import RareSignals
from hsi_suite.tasks.denoising.image_restoration import Restoration
from hsi_suite.tasks.denoising.weights import load_weights

SIGMA = 0.02
SIDES, STRENGTHS = (1, 2, 3, 5), (6, 12, 20)
SCENES = ("jasper_ridge", "indian_pines", "muufl_gulfport")
_LINES, _BANDS = 64, 40
_CENTRES = np.arange(_BANDS)
#: Spectra of targets: one to three bands, and many.
SHAPES = {
    "line": np.exp(-(((_CENTRES - 25.3) / 1.5) ** 2)),
    "broad": np.exp(-(((_CENTRES - 20.0) / 9.0) ** 2)),
}

Cube = NDArray[np.float32]


def made_up_scene() -> Cube:
    """Three smooth maps of three smooth spectra, lines × samples × bands."""
    fields = np.random.default_rng(0).standard_normal((_LINES, _LINES, 3))
    maps = ndimage.gaussian_filter(fields, (4, 4, 0))
    maps = (maps - maps.min((0, 1))) / np.ptp(maps, (0, 1))
    centres = np.array([[0.2], [0.5], [0.8]])
    spectra = np.exp(-(((_CENTRES / _BANDS - centres) / 0.2) ** 2))
    return np.asarray(maps @ spectra, np.float32)


def with_noise(cube: Cube, seed: int) -> Cube:
    """A cube with noise of `SIGMA` in it."""
    noise = np.random.default_rng(seed).normal(0, SIGMA, cube.shape)
    return np.asarray(cube + noise, np.float32)


def show_kept(denoiser: PlaneDenoiser, seeds: int) -> None:
    """Print what is left of targets, mean over seeds, a row for each kind."""
    clean = made_up_scene()
    places = [(12, 12), (12, 45), (45, 12), (45, 45)]
    print(f"{'mode':9} {'spectrum':8} {'σ':>3} " + " ".join(f"{n} × {n}" for n in SIDES))
    for mode, (name, shape), strength in itertools.product(MODES, SHAPES.items(), STRENGTHS):
        kept = np.zeros((seeds, len(SIDES)))
        for seed in range(seeds):
            target = clean.copy()
            spots = [
                np.s_[line : line + side, sample : sample + side]
                for side, (line, sample) in zip(SIDES, np.roll(places, seed, 0), strict=True)
            ]
            for spot in spots:
                target[spot] += (strength * SIGMA * shape).astype(np.float32)
            noisy = with_noise(target, seed + 1)
            result = denoise_cube(noisy, denoiser, mode=mode).cube
            for column, spot in enumerate(spots):
                found = (result - clean)[spot] @ shape / (shape @ shape)
                kept[seed, column] = found.mean() / (strength * SIGMA)
        row = " ".join(f"{share:5.2f}" for share in kept.mean(0))
        print(f"{mode:9} {name:8} {strength:3} {row}", flush=True)


def show_false_alarms(cubes: int) -> None:
    """Print how many cubes of signal and noise alone have rare pixels, and how many pixels.

    Through a Wiener filter, as the shipped network would take an hour.
    """
    wiener = PlaneDenoiser(
        lambda image, sigma: np.asarray(
            signal.wiener(image.astype(float), 5, float(sigma[0, 0]) ** 2), np.float32
        )
    )
    clean = made_up_scene()
    for mode in MODES:
        rare = []
        for seed in range(cubes):
            noisy = with_noise(clean, seed)
            rare.append(denoise_cube(noisy, wiener, mode=mode).unexplained.rare_pixels)
        counts = np.array(rare)
        print(f"{mode}: {(counts > 0).sum()} of {cubes} cubes, {counts.sum()} pixels in all")


def show_time(denoiser: PlaneDenoiser) -> None:
    """Print counts of rare pixels in real scenes, and the search's share of the time."""
    spent = 0.0
    search = RareSignals.put_back

    def timed(self: RareSignals, observer: Any) -> Any:
        nonlocal spent
        start = time.perf_counter()
        result = search(self, observer)
        spent = time.perf_counter() - start
        return result

    RareSignals.put_back = timed  # type: ignore[method-assign]
    for name, mode in itertools.product(SCENES, MODES):
        cube = load_dataset(name).cube[:96, :96]
        start = time.perf_counter()
        result = denoise_cube(cube, denoiser, mode=mode)
        whole = time.perf_counter() - start
        rare = result.unexplained.rare_pixels / (cube.shape[0] * cube.shape[1])
        print(
            f"{name:15} {mode:9} {rare:6.2%} of the pixels rare; "
            f"searching takes {spent / (whole - spent):.2f} of the rest",
            flush=True,
        )


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rare_signals", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--false-alarms", type=int, metavar="CUBES", help="count these instead")
    parser.add_argument("--time", action="store_true", help="show this instead")
    parser.add_argument("--seeds", type=int, default=4, help="of each row")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.false_alarms is not None:
        show_false_alarms(options.false_alarms)
        return
    weights = load_weights(None, torch.device("cpu"))
    denoiser = grey_plane_denoiser(weights, Restoration(), None, 2e9)
    if options.time:
        show_time(denoiser)
    else:
        show_kept(denoiser, options.seeds)


if __name__ == "__main__":
    main()
