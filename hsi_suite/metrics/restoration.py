"""How near a restored image or cube comes to the clean one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage import metrics

from ..errors import ShapeError

Values = NDArray[np.floating]


def peak_signal_noise_ratio(clean: Values, restored: Values, data_range: float = 1.0) -> float:
    """10 log₁₀(data_range² / mean squared error), in dB; infinite for equal arrays.

    Args:
        clean: of any shape.
        restored: of the same shape.
        data_range: the largest possible value less the smallest.

    Raises:
        ShapeError: the shapes differ.
    """
    _same_shape(clean, restored)
    with np.errstate(divide="ignore"):
        ratio = metrics.peak_signal_noise_ratio(clean, restored, data_range=data_range)  # type: ignore[no-untyped-call]
    return float(ratio)


def peak_signal_noise_ratio_blocked(
    clean: Values, restored: Values, data_range: float = 1.0, block: int = 8
) -> float:
    """PSNR-B: the PSNR with what is left of block edges counted as error, in dB.

    Yim and Bovik, TIP 2011, section III. The mean squared step between neighbouring pixels of the
    restored image on both sides of a block's edge (D_B), less that between all other
    neighbours (D_B^C), is weighed by log2(block) / log2(the shorter side) and added to the mean
    squared error, where it is positive. The clean image does not enter it: edges of the scene that
    lie on the grid count too.

    Args:
        clean: lines × samples, more than one block each way.
        restored: of the same shape, with the grid at its first pixel.
        data_range: the largest possible value less the smallest.
        block: side of the blocks.

    Raises:
        ShapeError: the shapes differ, or there are not two blocks each way.
    """
    _same_shape(clean, restored)
    if restored.ndim != 2 or min(restored.shape) <= block:
        raise ShapeError("image", f"shape {restored.shape}", f"grey, above {block} × {block}")
    values = restored.astype(np.float64)
    error = float(np.mean((clean.astype(np.float64) - values) ** 2))
    at_edges: list[NDArray[np.float64]] = []
    elsewhere: list[NDArray[np.float64]] = []
    for axis in (0, 1):
        steps = np.moveaxis(np.diff(values, axis=axis) ** 2, axis, 0)
        is_edge = np.arange(1, len(steps) + 1) % block == 0
        at_edges.append(steps[is_edge].ravel())
        elsewhere.append(steps[~is_edge].ravel())
    excess = np.concatenate(at_edges).mean() - np.concatenate(elsewhere).mean()
    if excess > 0:
        error += float(excess) * np.log2(block) / np.log2(min(values.shape))
    return float("inf") if error == 0 else float(10 * np.log10(data_range**2 / error))


def structural_similarity(clean: Values, restored: Values, data_range: float = 1.0) -> float:
    """Mean structural similarity, at most 1.

    Wang et al., TIP 2004, with the Gaussian window of 11×11, σ 1.5 and population covariances
    of the paper; colour channels are averaged.

    Args:
        clean: lines × samples or lines × samples × channels, at least 11×11.
        restored: of the same shape.
        data_range: the largest possible value less the smallest.

    Raises:
        ShapeError: the shapes differ, or the image is smaller than the window.
    """
    _same_shape(clean, restored)
    if clean.ndim not in (2, 3) or min(clean.shape[:2]) < 11:
        raise ShapeError("image", f"shape {clean.shape}", "an image of at least 11×11")
    value = metrics.structural_similarity(  # type: ignore[no-untyped-call]
        clean,
        restored,
        data_range=data_range,
        channel_axis=2 if clean.ndim == 3 else None,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(value)


def mean_peak_signal_noise_ratio(clean: Values, restored: Values, data_range: float = 1.0) -> float:
    """Mean over the bands of `peak_signal_noise_ratio` (MPSNR), in dB.

    Args:
        clean: lines × samples × bands.
        restored: of the same shape.
        data_range: of all bands alike.

    Raises:
        ShapeError: the shapes differ, or they are no cubes.
    """
    _same_cube(clean, restored)
    bands = range(clean.shape[2])
    ratios = [peak_signal_noise_ratio(clean[..., b], restored[..., b], data_range) for b in bands]
    return float(np.mean(ratios))


def mean_structural_similarity(clean: Values, restored: Values, data_range: float = 1.0) -> float:
    """Mean over the bands of `structural_similarity` (MSSIM).

    Args:
        clean: lines × samples × bands.
        restored: of the same shape.
        data_range: of all bands alike.

    Raises:
        ShapeError: the shapes differ, or they are no cubes of at least 11×11 pixels.
    """
    _same_cube(clean, restored)
    return structural_similarity(clean, restored, data_range)


def spectral_angle(clean: Values, restored: Values) -> float:
    """Mean over the pixels of the angle between the two spectra (SAM), in degrees.

    Kruse et al., Remote Sensing of Environment 1993. A pixel whose spectrum is zero in one of
    the two has no angle and is left out.

    Args:
        clean: lines × samples × bands.
        restored: of the same shape.

    Returns:
        0 to 180; NaN when no pixel has an angle.

    Raises:
        ShapeError: the shapes differ, or they are no cubes.
    """
    _same_cube(clean, restored)
    first, second = (
        cube.reshape(-1, cube.shape[2]).astype(np.float64) for cube in (clean, restored)
    )
    lengths = [np.linalg.norm(spectra, axis=1) for spectra in (first, second)]
    counted = (lengths[0] > 0) & (lengths[1] > 0)
    if not counted.any():
        return float("nan")
    units = [
        spectra[counted] / length[counted, None]
        for spectra, length in zip((first, second), lengths, strict=True)
    ]
    # The arc cosine loses half the digits of small angles; this form (Kahan) loses none.
    apart = np.linalg.norm(units[0] - units[1], axis=1)
    together = np.linalg.norm(units[0] + units[1], axis=1)
    return float(np.degrees(2 * np.arctan2(apart, together)).mean())


def _same_shape(clean: Values, restored: Values) -> None:
    if clean.shape != restored.shape:
        raise ShapeError("restored", f"shape {restored.shape}", f"the clean one's, {clean.shape}")


def _same_cube(clean: Values, restored: Values) -> None:
    _same_shape(clean, restored)
    if clean.ndim != 3:
        raise ShapeError("cube", f"shape {clean.shape}", "lines × samples × bands")
