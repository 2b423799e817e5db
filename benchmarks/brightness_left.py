"""`python -m benchmarks.brightness_left FOLDER`: what noise is left in dark and in bright parts.

Reads pairs of photographs as `hsi evaluate --pairs` does, aligns each clean one to its noisy one,
and prints how far results are from it in flat parts, by the brightness of the clean one: noise of a
camera is stronger in bright parts, where as little of it should be left as in dark ones. Then the
same of photographs that a simulated camera has taken of the validation images of `camera_denoiser`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

import hsi_suite as hsi
from hsi_suite.data.pair_alignment import MARGIN, align
from hsi_suite.engine.observer import Observer
from hsi_suite.errors import HsiSuiteError
from hsi_suite.restoration.colour import LUMA
from hsi_suite.tasks.denoising.pair_scores import real_pairs, simulated_pairs
from hsi_suite.tasks.denoising.scores import evaluated_images

ISOS = (1600.0, 6400.0)
# Brightness of the clean photograph, 0 to 255, where the next column begins.
_STEPS = (32, 64, 96, 128, 160, 192)
# Of the pixels those with the least gradient of luma; what is smoother than this is no noise.
_FLAT, _SMOOTH = 0.2, 12

Pixels = NDArray[np.uint8]
Known = tuple[Pixels, NDArray[np.float64], int]
WAYS: dict[str, Callable[[Pixels], Pixels]] = {
    "noisy": lambda image: image,
    "default_denoiser, σ 10": lambda image: hsi.denoise(image, 10, weights="default_denoiser"),
    "hsi denoise --noise camera": lambda image: hsi.denoise(image, noise="camera", verbose=False),
    "hsi denoise": lambda image: hsi.denoise(image, verbose=False),
}


def squares(left: NDArray[np.float64], clean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of flat parts of each brightness: how many pixels, and squares of luma and of blue in sum.

    Args:
        left: a result less what was photographed, lines × samples × 3 on the scale 0 to 255.
        clean: what was photographed.
    """
    bright = clean @ np.array(LUMA)
    slope = ndimage.gaussian_gradient_magnitude(bright, 1.5)
    flat = slope <= np.quantile(slope, _FLAT)
    step = np.digitize(bright, _STEPS)[flat]
    sums = [np.bincount(step, minlength=len(_STEPS) + 1).astype(np.float64)]
    luma = left @ np.array(LUMA)
    for plane in (luma, left[..., 2] - luma):
        fine = (plane - ndimage.gaussian_filter(plane, _SMOOTH)) ** 2
        sums.append(np.bincount(step, fine[flat], minlength=len(_STEPS) + 1))
    return np.array(sums)


def real(folder: str) -> Iterator[Known]:
    """Noisy photographs, what they show, and how many pixels of the border that lacks.

    Raises:
        InputFileError: a pair is missing or of two scenes.
    """
    (group,) = real_pairs(folder)
    for read in group.pairs:
        pair = read()
        yield pair.noisy, align(pair.noisy, pair.clean).clean, MARGIN


def simulated(iso: float) -> Iterator[Known]:
    """The same of simulated photographs."""
    images = evaluated_images("denoising/camera_denoiser", "rgb", Observer())
    (group,) = simulated_pairs(images, [iso])
    for take in group.pairs:
        pair = take()
        yield pair.noisy, pair.clean.astype(np.float64), 0


def table(photographs: Iterable[Known]) -> Iterator[str]:
    """A line for each way: noise left of luma, and of blue less luma, by brightness."""
    sums = {name: np.zeros((3, len(_STEPS) + 1)) for name in WAYS}
    for noisy, clean, border in photographs:
        inner = slice(border, -border or None)
        for name, way in WAYS.items():
            sums[name] += squares(way(noisy)[inner, inner] - clean, clean)
    for name, (pixels, *planes) in sums.items():
        for plane, total in zip(("luma", "blue less luma"), planes, strict=True):
            with np.errstate(invalid="ignore"):
                left = np.sqrt(total / pixels)
            yield f"{name + ', ' + plane:44}" + "".join(f"{value:6.2f}" for value in left)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.brightness_left", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("folder", help="of pairs of photographs in colour")
    options = parser.parse_args()
    heads = "".join(f"{begin:>6}" for begin in ("0-", *(f"{step}-" for step in _STEPS)))
    try:
        for title, photographs in (
            (options.folder, real(options.folder)),
            *((f"simulated, ISO {iso:g}", simulated(iso)) for iso in ISOS),
        ):
            print(f"{title[-43:]:44}{heads}", flush=True)
            print("\n".join(table(photographs)), flush=True)
    except HsiSuiteError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
