"""A network for white noise beside one for cameras or JPEG: their mean is nearer than either.

The first has learnt what simulated cameras and JPEG do, and takes structure of its own for it and
leaves noise of its own; the second knows photographs, and is told how much noise there may be by
what the first takes away. They are wrong in different places (figures:
`docs/explanations/camera_noise.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ....engine.tiles import Tiling
from ....weights import CAMERA_WEIGHTS, COLOUR_WEIGHTS, DEFAULT_WEIGHTS, JPEG_WEIGHTS
from ..denoiser import Denoiser
from ..image_restoration import Companion, Pixels, as_plane, known_noise, restore
from ..restoration_settings import Restoration
from .image_samples import spread_regions

# Of the second network in the mean, by the first.
_SHARES = {CAMERA_WEIGHTS: 0.5, JPEG_WEIGHTS: 0.2}
# σ on the scale 0 to 255 that the second is told: so much, and so much more for each level that the
# first changes in brightness, the more the more its change is shared by neighbours: white noise of
# σ leaves σ/√3 in the mean of three colours, while noise that a camera has smoothed is stronger
# than what is left of it. Of grey pictures it is no mean: a share of that. None is delicate.
_LEAST, _FOR_EACH, _SHARED, _GREY = 4.0, 1.5, 4.0, 0.6
_MOST = 55.0
_LEVELS = 255.0
# What the first changes is measured on so many pixels at most along lines and samples.
_SIDE, _SAMPLES = 128, 4


def companion_of(
    weights: str, image: Pixels, white: float, load: Callable[[str], Denoiser]
) -> Companion | None:
    """The network beside a shipped one, with the noise it is told of an image; None: there is none.

    Args:
        weights: name of the first.
        image: lines × samples (× 3).
        white: the value that is white.
        load: the network of a name.
    """
    if weights not in _SHARES:
        return None
    seen = as_plane(image)
    name, share = (DEFAULT_WEIGHTS, _GREY) if seen.ndim == 2 else (COLOUR_WEIGHTS, 1.0)
    second = load(name)
    changed, alike = _change(load(weights), seen, white)
    slope = _FOR_EACH + _SHARED * alike
    sigma = min(share * (_LEAST + slope * _LEVELS * changed), _MOST) / _LEVELS
    return Companion(name, second, known_noise(sigma, second, seen), _SHARES[weights])


def _change(denoiser: Denoiser, image: Pixels, white: float) -> tuple[float, float]:
    """What a network changes of samples of an image, on the scale 0 to 1."""
    parts = []
    whole = Tiling(None, 0, denoiser.network.multiple)
    for region in spread_regions(image.shape[:2], _SIDE, _SAMPLES):
        noisy = np.ascontiguousarray(image[region], dtype=np.float32)
        clean = restore(denoiser, noisy, white, (0.0,), whole, Restoration(), dtype=noisy.dtype)
        parts.append((clean - noisy) / np.float32(white))
    return brightness_change(parts)


def brightness_change(parts: Sequence[Pixels]) -> tuple[float, float]:
    """The standard deviation of changes in brightness, and how alike they are side by side.

    The latter is the mean correlation of neighbours along lines and along columns, 0 where they
    have none or differ.

    Args:
        parts: changes, lines × samples (× colours); brightness is the mean of colours.
    """
    bright = [part.astype(np.float64) for part in parts]
    bright = [part.mean(-1) if part.ndim == 3 else part for part in bright]
    centre = _mean(bright)
    bright = [part - centre for part in bright]
    variance = _mean([part**2 for part in bright])
    if not variance:
        return 0.0, 0.0
    lines = _mean([part[1:] * part[:-1] for part in bright])
    samples = _mean([part[:, 1:] * part[:, :-1] for part in bright])
    return float(np.sqrt(variance)), max((lines + samples) / (2 * variance), 0.0)


def _mean(parts: Sequence[NDArray[np.float64]]) -> float:
    """Of all their numbers; 0 of none."""
    count = sum(part.size for part in parts)
    return sum(float(part.sum()) for part in parts) / count if count else 0.0
