"""How near a cube is to its clean original."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputFileError
from ...metrics.restoration import (
    mean_structural_similarity,
    peak_signal_noise_ratio,
    spectral_angle,
)

_SMALLEST_SSIM = 11
Scores = dict[str, float | None]


def cube_scores(
    clean: NDArray[np.floating], cube: NDArray[np.floating], valid: NDArray[np.bool_]
) -> Scores:
    """MPSNR (dB), MSSIM and mean spectral angle (degrees) of a cube.

    Values that are not finite in either cube are left out: of the PSNR their band goes without
    them, of the spectral angle their pixel, and for the SSIM, which needs whole images, they count
    as right. The peak is the highest value of the clean cube.

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
        first = np.where(np.isfinite(clean), clean, 0)[..., bands]
        second = np.where(usable[..., bands], cube[..., bands], first)
        similarity = mean_structural_similarity(first, second, peak)
    angle = None
    if whole.any():
        spectra = (values[whole][:, None, bands] for values in (clean, cube))
        angle = spectral_angle(*spectra)
    return {
        "mean_peak_signal_noise_ratio": float(np.mean(ratios)),
        "mean_structural_similarity": similarity,
        "spectral_angle": angle,
    }


def floats_of(values: NDArray[Any], nodata: float | None) -> NDArray[np.floating]:
    """The values as floating point numbers, NaN where there is no data."""
    floats = values.astype(np.result_type(values, np.float32))
    if nodata is not None:
        with np.errstate(over="ignore"):
            floats[floats == np.asarray(nodata).astype(floats.dtype)] = np.nan
    return floats
