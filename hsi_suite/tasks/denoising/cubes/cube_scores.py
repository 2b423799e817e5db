"""How near a cube is to its clean original."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import InputFileError
from ....metrics.restoration import (
    peak_signal_noise_ratio,
    spectral_angle,
    structural_similarity,
)
from ....restoration.cube_lines import line_blocks

_SMALLEST_SSIM = 11
Scores = dict[str, float | None]


def cube_scores(
    clean: NDArray[np.floating], cube: NDArray[np.floating], valid: NDArray[np.bool_]
) -> Scores:
    """MPSNR (dB), MSSIM and mean spectral angle (degrees) of a cube.

    Values that are not finite in either cube are left out: of the PSNR their band goes without
    them, of the spectral angle their pixel, and for the SSIM, which needs whole images, they count
    as right. The peak of every band is the highest value of the whole clean cube, which is "peak".

    Args:
        clean: lines × samples × bands.
        cube: the same.
        valid: lines × samples, False where a pixel does not count.
    """
    usable = np.isfinite(clean) & np.isfinite(cube) & valid[..., None]
    bands = np.flatnonzero(usable.any((0, 1)))
    peak = float(clean[usable].max()) if bands.size else 0.0
    if peak <= 0:
        raise InputFileError("reference", "no value above 0 to compare with", "a clean cube")
    ratios = [
        peak_signal_noise_ratio(clean[mask, band], cube[mask, band], peak)
        for band in bands
        for mask in [usable[..., band]]
    ]
    whole = usable[..., bands].all(2)
    similarity = None
    if min(valid.shape) >= _SMALLEST_SSIM:
        similarities = []
        # Band by band, as copies of whole cubes in double precision take ten times their memory.
        for band in bands:
            first = np.where(np.isfinite(clean[..., band]), clean[..., band], 0)
            second = np.where(usable[..., band], cube[..., band], first)
            similarities.append(structural_similarity(first, second, peak))
        similarity = float(np.mean(similarities))
    angle = _mean_angle(clean, cube, whole, bands) if whole.any() else None
    return {
        "peak": peak,
        "mean_peak_signal_noise_ratio": float(np.mean(ratios)),
        "mean_structural_similarity": similarity,
        "spectral_angle": angle,
    }


def _mean_angle(
    clean: NDArray[np.floating],
    cube: NDArray[np.floating],
    whole: NDArray[np.bool_],
    bands: NDArray[np.intp],
) -> float:
    """`spectral_angle` over the whole spectra, block by block."""
    total, count = 0.0, 0
    for first, last in line_blocks((*whole.shape, len(bands))):
        mask = whole[first:last]
        pair = [values[first:last][mask][:, bands] for values in (clean, cube)]
        counted = pair[0].any(1) & pair[1].any(1)
        if counted.any():
            total += counted.sum() * spectral_angle(*(each[counted][:, None] for each in pair))
            count += int(counted.sum())
    return total / count if count else float("nan")


def floats_of(values: NDArray[Any], nodata: float | None) -> NDArray[np.floating]:
    """The values as floating point numbers, NaN where there is no data."""
    floats = values.astype(np.result_type(values, np.float32))
    if nodata is not None:
        with np.errstate(over="ignore"):
            floats[floats == np.asarray(nodata).astype(floats.dtype)] = np.nan
    return floats
