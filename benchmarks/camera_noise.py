"""`python -m benchmarks.camera_noise FOLDER`: noise of real photographs beside simulated noise.

Reads pairs of photographs as `hsi evaluate --pairs` does, aligns each clean one to its noisy one,
and prints how strong the noise is, how alike in neighbouring pixels of flat parts, and how much
stronger along edges; then the same of simulated cameras that take the clean photographs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hsi_suite.data.camera import take_pair
from hsi_suite.data.camera_range import CameraRange
from hsi_suite.data.pair_alignment import align
from hsi_suite.data.photograph_pairs import pairs_in
from hsi_suite.data.photographs import read_photograph
from hsi_suite.errors import HsiSuiteError, InputFileError
from hsi_suite.restoration.colour import LUMA

_WHITE = 255.0
_DRAWS = 2
_LAGS = (1, 2, 4, 8)
# Shares of the pixels by the gradient of luma (σ 1.5): flat parts below the first, edges above.
_FLAT, _EDGES = 0.5, 0.8
# What is smoother than this is no noise, but light that has changed.
_SMOOTH = 12
_BLUE = 0.564  # of blue less luma, as JPEG has it
Noise = NDArray[np.floating]


def figures(noise: Noise, clean: Noise) -> NDArray[np.float64]:
    """Noise of luma in flat parts, edges over flat parts, correlations; noise of blue, its own.

    Args:
        noise: lines × samples × 3 on the scale 0 to 255.
        clean: what was photographed.
    """
    slope = ndimage.gaussian_gradient_magnitude(clean @ np.array(LUMA), 1.5)
    flat, steep = (slope < np.quantile(slope, _FLAT)), (slope >= np.quantile(slope, _EDGES))
    luma = noise @ np.array(LUMA)
    planes = [luma, _BLUE * (noise[..., 2] - luma)]
    numbers: list[float] = []
    for plane in planes:
        fine = plane - ndimage.gaussian_filter(plane, _SMOOTH)
        spread = float(fine[flat].std())
        numbers += [spread, float(fine[steep].std()) / spread if spread else np.nan]
        numbers += [_correlation(fine, flat, lag) for lag in _LAGS]
    return np.array(numbers)


def _correlation(plane: Noise, flat: NDArray[np.bool_], lag: int) -> float:
    both = flat[:, :-lag] & flat[:, lag:]
    products = plane[:, :-lag] * plane[:, lag:]
    power = float((plane[flat] ** 2).mean())
    return float(products[both].mean()) / power if power else np.nan


def real(folder: str) -> Iterator[tuple[NDArray[np.float64], float, Noise]]:
    """Figures, shift in pixels and the aligned clean photograph of each pair.

    Raises:
        InputFileError: a pair is missing, grey, or of two scenes.
    """
    for pair in pairs_in(folder):
        noisy, clean = (read_photograph(path).values for path in (pair.noisy, pair.clean))
        if noisy.ndim != 3:
            raise InputFileError(pair.noisy, "is grey", "photographs in colour")
        try:
            found = align(noisy, clean)
        except ValueError as error:
            raise InputFileError(pair.clean, f"is not aligned: {error}", "one scene") from error
        noise = figures(found.noisy - found.clean, found.clean)
        yield noise, float(np.hypot(*found.shift)), found.clean


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.camera_noise", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("folder", help="of pairs of photographs in colour")
    options = parser.parse_args()
    try:
        show(options.folder)
    except HsiSuiteError as error:
        sys.exit(str(error))


def show(folder: str) -> None:
    """Print the table of a folder."""
    rows, simulated, shifts = [], [], []
    for index, (row, shift, clean) in enumerate(real(folder)):
        rows.append(row)
        shifts.append(shift)
        rng = np.random.default_rng(index)
        light = (clean / _WHITE).clip(0, 1).astype(np.float32)
        for _ in range(_DRAWS):
            taken, mean = take_pair(light, CameraRange().draw(rng), rng)
            simulated.append(figures(_WHITE * (taken - mean).astype(np.float64), clean))
    print(f"{len(rows)} pairs, shifted by {np.mean(shifts):.2f} pixels, {max(shifts):.2f} at most")
    heads = ["σ", "edges", *(f"lag {lag}" for lag in _LAGS)]
    titles = " ".join(f"{name:>7}" for name in heads)
    print(f"{'':33} {titles}  | blue: {titles}")
    for name, table in (("real", rows), ("simulated", simulated)):
        for words, values in (
            ("mean", np.nanmean(table, 0)),
            ("from, a tenth below", np.nanquantile(table, 0.1, 0)),
            ("to, a tenth above", np.nanquantile(table, 0.9, 0)),
        ):
            luma, blue = (_row(part) for part in np.split(values, 2))
            print(f"{name + ', ' + words:33} {luma}  |       {blue}")


def _row(values: NDArray[np.float64]) -> str:
    return " ".join(f"{value:7.2f}" for value in values)


if __name__ == "__main__":
    main()
