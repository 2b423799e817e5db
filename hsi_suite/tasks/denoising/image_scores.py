"""PSNR and SSIM of images too large for the metrics to hold them several times."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...metrics.restoration import structural_similarity

# Lines of a strip, fewer where they are long: the structural similarity takes some 400 bytes for
# each pixel.
_STRIP, _STRIP_PIXELS = 512, 2**18
# Half the window of the structural similarity, which leaves out as much at each border.
_BORDER = 5


def image_scores(clean: NDArray[Any], restored: NDArray[Any], white: float) -> dict[str, float]:
    """The scores of one image, computed strip by strip to the same values.

    Args:
        clean: lines × samples (× 3).
        restored: of the same shape, any type.
        white: the value that counts as 1.

    Returns:
        peak_signal_noise_ratio in dB (infinite for equal images), and structural_similarity; NaN
        for images smaller than its window of 11 × 11.
    """
    squares = similarity = 0.0
    inner = len(clean) - 2 * _BORDER
    enough = min(clean.shape[:2]) > 2 * _BORDER
    step = min(_STRIP, max(2 * _BORDER, _STRIP_PIXELS // clean.shape[1]))
    for first in range(0, len(clean), step):
        last = min(first + step, len(clean))
        error = _scaled(clean[first:last], white) - _scaled(restored[first:last], white)
        squares += float(np.sum(np.square(error, dtype=np.float64)))
    for first in range(0, inner if enough else 0, step):
        last = min(first + step, inner)
        strip = slice(first, last + 2 * _BORDER)
        value = structural_similarity(_scaled(clean[strip], white), _scaled(restored[strip], white))
        similarity += value * (last - first)
    mean = squares / clean.size
    return {
        "peak_signal_noise_ratio": float(-10 * np.log10(mean)) if mean else float("inf"),
        "structural_similarity": similarity / inner if enough else float("nan"),
    }


def _scaled(values: NDArray[Any], white: float) -> NDArray[np.float32]:
    return np.asarray(values, np.float32) / np.float32(white)
