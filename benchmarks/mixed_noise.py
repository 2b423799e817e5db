"""`python -m benchmarks.mixed_noise`: denoising of cubes against the noise cases of the literature.

Three real scenes (of `HSI_DATA_DIR`), brought to the range 0 to 1 as a whole, get the noise of
`hsi_suite.data.noise_cases` and are denoised with the weights that ship: as by default, with
`repair`, and by mode "robust"; "local" and "robust_local" leave the non-local step out. "simple"
is what a few lines of NumPy and SciPy do.
`--cases random` is a case besides: 10 to 30 % of the values of a
third of the bands are drawn evenly from the range, so that none repeats. Rows that are in the
folder of `--keep` already are not computed again. `--clean` adds no noise but shows how much each
way changes a scene as it is.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from hsi_suite.atomic import write_text
from hsi_suite.data.catalogue import load_dataset
from hsi_suite.data.noise_cases import CASES, TYPICAL_SIGMA, WORDS, add_noise_case
from hsi_suite.restoration.planes import PlaneDenoiser
from hsi_suite.tasks.denoising.cubes.cube_denoising import denoise_cube
from hsi_suite.tasks.denoising.cubes.cube_scores import Scores, cube_scores
from hsi_suite.tasks.denoising.cubes.plane_denoising import grey_plane_denoiser
from hsi_suite.tasks.denoising.image_restoration import Restoration
from hsi_suite.tasks.denoising.weights import load_weights

SCENES = ("jasper_ridge", "indian_pines", "muufl_gulfport")
METHODS: dict[str, dict[str, Any]] = {
    "default": {},
    "repair": {"repair": True},
    "robust": {"mode": "robust"},
    "local": {"non_local": False},
    "robust_local": {"mode": "robust", "non_local": False},
}
_SIMPLE = "simple"
_SHOWN = (_SIMPLE, "default", "repair", "robust")
_COMPONENTS = 10
_RANDOM = (0.1, 0.3)

Cube = NDArray[np.float32]


def scene(name: str, side: int | None) -> Cube:
    """The first `side` lines and samples of a scene, from 0 to 1; None: all of it."""
    cube = load_dataset(name).cube[:side, :side].astype(np.float32)
    return np.asarray((cube - cube.min()) / (cube.max() - cube.min()), np.float32)


def noisy(clean: Cube, case: str, sigma: float, seed: int) -> Cube:
    """A cube with the noise of a case, or "random" impulses beside that of the first."""
    generator = np.random.default_rng([seed, [*CASES, "random"].index(case)])
    if case != "random":
        return add_noise_case(clean, case, sigma, generator)  # type: ignore[arg-type]
    cube = add_noise_case(clean, "case1", sigma, generator)
    bands = clean.shape[2]
    for band in generator.choice(bands, bands // 3, replace=False):
        struck = generator.random(clean.shape[:2]) < generator.uniform(*_RANDOM)
        cube[struck, band] = generator.random(int(struck.sum()), np.float32)
    return cube


def simple_way(cube: Cube) -> Cube:
    """The median of 3 × 3 pixels in each band, then its ten strongest principal components."""
    spectra = median_filter(cube, (3, 3, 1)).reshape(-1, cube.shape[2]).astype(np.float64)
    mean = spectra.mean(0)
    spectra -= mean
    _, directions = np.linalg.eigh(spectra.T @ spectra)
    kept = directions[:, -_COMPONENTS:]
    return np.asarray(spectra @ kept @ kept.T + mean, np.float32).reshape(cube.shape)


def row(clean: Cube, cube: Cube, seconds: float | None) -> dict[str, float | None]:
    """The scores of a cube."""
    scores: Scores = cube_scores(clean, cube, np.ones(clean.shape[:2], bool))
    return {**scores, "seconds": seconds}


def rows(
    clean: Cube, cube: Cube, denoiser: PlaneDenoiser, methods: list[str]
) -> dict[str, dict[str, float | None]]:
    """The scores of the noisy cube and of what each method makes of it."""
    found = {"noisy": row(clean, cube, None)}
    for method in methods:
        start = time.process_time()
        if method == _SIMPLE:
            result = simple_way(cube)
        else:
            result = denoise_cube(cube, denoiser, **METHODS[method]).cube
        found[method] = row(clean, result, time.process_time() - start)
    return found


def show(name: str, what: str, found: dict[str, dict[str, float | None]]) -> None:
    """Print rows of a Markdown table."""
    for method, scores in found.items():
        cells = [
            f"{scores[key]:{style}}" if scores[key] is not None else "–"
            for key, style in (
                ("mean_peak_signal_noise_ratio", ".2f"),
                ("mean_structural_similarity", ".4f"),
                ("spectral_angle", ".2f"),
                ("seconds", ".1f"),
            )
        ]
        print(f"| {name} | {what} | {method} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mixed_noise", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--scenes", nargs="+", choices=SCENES, default=SCENES)
    parser.add_argument("--cases", nargs="+", choices=[*CASES, "random"], default=CASES)
    parser.add_argument("--methods", nargs="+", choices=[_SIMPLE, *METHODS], default=_SHOWN)
    parser.add_argument("--sigma", type=float, default=255 * TYPICAL_SIGMA, help="mean, of 255")
    parser.add_argument("--side", type=int, help="crop the scenes to so many lines and samples")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where finished rows are kept")
    parser.add_argument("--clean", action="store_true", help="add no noise")
    options = parser.parse_args()
    torch.set_num_threads(1)
    weights = load_weights(None, torch.device("cpu"))
    denoiser = grey_plane_denoiser(weights, Restoration(), None, 2e9)
    print("| scene | case | method | MPSNR dB | MSSIM | SAM ° | CPU s |")
    print("|---|---|---|---|---|---|---|")
    for name in options.scenes:
        clean = scene(name, options.side)
        for case in ["clean"] if options.clean else options.cases:
            what = f"{case}_{options.sigma:g}_{options.side}_{options.seed}"
            kept = options.keep and options.keep / f"{name}_{what}.json"
            found = json.loads(kept.read_text()) if kept and kept.is_file() else {}
            missing = [method for method in options.methods if method not in found]
            if missing:
                cube = (
                    clean
                    if options.clean
                    else noisy(clean, case, options.sigma / 255, options.seed)
                )
                found |= rows(clean, cube, denoiser, missing)
            if kept and missing:
                kept.parent.mkdir(parents=True, exist_ok=True)
                write_text(kept, json.dumps(found, indent=1))
            shown = {key: found[key] for key in ("noisy", *options.methods)}
            show(name, WORDS.get(case, case), shown)


if __name__ == "__main__":
    main()
