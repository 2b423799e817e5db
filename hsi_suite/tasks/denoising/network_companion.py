"""A network for white noise beside one for cameras or JPEG: their mean is nearer than either.

The first has learnt what simulated cameras and JPEG do, and takes structure of its own for it and
leaves noise of its own; the second knows photographs, and is told how much noise there may be by
what the first takes away. They are wrong in different places (figures:
`docs/explanations/photographs.md`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...engine.tiles import Tiling
from ...weights import CAMERA_WEIGHTS, COLOUR_WEIGHTS, DEFAULT_WEIGHTS, JPEG_WEIGHTS
from .denoiser import Denoiser
from .image_restoration import Companion, Pixels, as_plane, known_noise, restore
from .image_samples import spread_regions
from .restoration_settings import Restoration

# Of the second network in the mean, by the first.
_SHARES = {CAMERA_WEIGHTS: 0.5, JPEG_WEIGHTS: 0.2}
# σ on the scale 0 to 255 that the second is told: so much, and so much more for each level that the
# first changes; a share of that of grey pictures, which lack the stronger noise of colour. None is
# delicate: 10 and 1.7, or 0 and 4, come within 0.07 dB.
_LEAST, _FOR_EACH, _GREY = 6.0, 2.5, 0.6
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
    changed = _LEVELS * _change(load(weights), seen, white)
    sigma = min(share * (_LEAST + _FOR_EACH * changed), _MOST) / _LEVELS
    return Companion(name, second, known_noise(sigma, second, seen), _SHARES[weights])


def _change(denoiser: Denoiser, image: Pixels, white: float) -> float:
    """The standard deviation of what a network changes, on the scale 0 to 1, from samples."""
    total = squares = count = 0.0
    whole = Tiling(None, 0, denoiser.network.multiple)
    for region in spread_regions(image.shape[:2], _SIDE, _SAMPLES):
        noisy = np.ascontiguousarray(image[region], dtype=np.float32)
        clean = restore(denoiser, noisy, white, (0.0,), whole, Restoration(), dtype=noisy.dtype)
        change = (clean - noisy).astype(np.float64) / white
        total, squares = total + change.sum(), squares + np.square(change).sum()
        count += change.size
    return float(np.sqrt(max(squares / count - (total / count) ** 2, 0.0)))
