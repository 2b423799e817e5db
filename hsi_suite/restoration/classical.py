"""Classical denoisers of grey images that networks are measured against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.restoration import denoise_nl_means

Image = NDArray[np.float32]

# Daubechies' filter of four taps (1988, table 1), low pass and high pass.
_LOW = np.array([1 + 3**0.5, 3 + 3**0.5, 3 - 3**0.5, 1 - 3**0.5]) / (4 * 2**0.5)
_HIGH = _LOW[::-1] * np.array([1, -1, 1, -1])
_FILTERS = np.stack([_LOW, _HIGH])
_LEVELS = 4
# Chosen on the noisy photographs of Set12 at σ 25: the methods are to look their best.
_PATCH, _REACH, _SOFTNESS = 5, 9, 0.6


def non_local_means(noisy: Image, sigma: float) -> Image:
    """Each pixel becomes the mean of those whose surroundings look alike.

    Buades, Coll and Morel, CVPR 2005; patches of 5 × 5 within 9 pixels.

    Args:
        noisy: lines × samples.
        sigma: of the noise, in units of the image.
    """
    clean = denoise_nl_means(
        noisy, patch_size=_PATCH, patch_distance=_REACH, h=_SOFTNESS * sigma, sigma=sigma
    )
    return np.asarray(clean, np.float32)


def wavelet_shrinkage(noisy: Image, sigma: float) -> Image:
    """Soft thresholds of each sub-band, fitted to its signal: BayesShrink.

    Chang, Yu and Vetterli, TIP 2000, equations 8 to 12, on four levels of Daubechies' wavelet of
    two vanishing moments; the image is continued by its mirror image.

    Args:
        noisy: lines × samples, any size.
        sigma: of the noise, in units of the image.

    Returns:
        The denoised image, of the same size.
    """
    lines, samples = noisy.shape
    step = 2**_LEVELS
    pads = [(step, step + -size % step) for size in noisy.shape]
    smooth = np.pad(noisy.astype(np.float64), pads, "symmetric")
    details = []
    for _ in range(_LEVELS):
        bands = _analyse(_analyse(smooth, 0), 2)
        smooth = bands[0, :, 0]
        details.append(
            [_shrunk(bands[a, :, b], sigma) for a, b in ((0, 1), (1, 0), (1, 1))],
        )
    for across, along, diagonal in reversed(details):
        bands = np.stack([np.stack([smooth, across], 1), np.stack([along, diagonal], 1)])
        smooth = _synthesise(_synthesise(bands, 2), 0)
    return smooth[step : step + lines, step : step + samples].astype(np.float32)


def _shrunk(band: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    signal = max(float(np.mean(band**2)) - sigma**2, 0) ** 0.5
    threshold = sigma**2 / signal if signal > 0 else np.inf
    return np.sign(band) * np.maximum(np.abs(band) - threshold, 0)


def _analyse(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Low and high pass along an axis, at every second place, as a new axis of two before it."""
    rolled = [np.roll(values, -tap, axis) for tap in range(4)]
    even = np.stack([np.take(r, np.arange(0, r.shape[axis], 2), axis) for r in rolled])
    return np.moveaxis(np.tensordot(_FILTERS, even, 1), 0, axis)


def _synthesise(bands: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Inverse of `_analyse`: the filters are orthonormal, so it is the transpose."""
    taps = np.tensordot(_FILTERS.T, bands, ([1], [axis]))
    shape = list(taps.shape[1:])
    shape[axis] *= 2
    total = np.zeros(shape)
    for tap, values in enumerate(taps):
        spread = np.zeros(shape)
        spread[(slice(None),) * axis + (slice(0, None, 2),)] = values
        total += np.roll(spread, tap, axis)
    return total
