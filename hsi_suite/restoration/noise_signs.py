"""What an image's patches say about its noise, as numbers: how fine it is, and where it is weakest.

Noise is everywhere and the same in neighbouring patches; structure is not. So the quietest patches
of an image are measured: the finest detail (high frequencies of an 8 × 8 cosine transform), middle
and coarse detail, of luma and of colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .colour import LUMA
from .jpeg_traces import JpegTraces
from .noise_estimate import SMALLEST_IMAGE, flattest, patches_of

Image = NDArray[np.float32]
Energies = NDArray[np.float64]

_LUMA = np.array(LUMA, np.float32)
# Sums of the two frequencies of the cosine transform.
_ORDER = np.add.outer(np.arange(8), np.arange(8))
_FINE, _MIDDLE = _ORDER >= 10, (_ORDER >= 4) & (_ORDER <= 6)
_COARSE = (_ORDER >= 1) & (_ORDER <= 2)
_BANDS = (_FINE, _MIDDLE, _COARSE)
# Lines and samples that are looked at: the middle of a larger image.
_SIDE = 512
# Shares of the patches that are quieter, over all of them.
_QUIET = (0.02, 0.1, 0.3)
# Of the flattest patches: noise is in all of them, fine texture is not.
_QUIETER = 0.1
_ENOUGH = 500
_SMALL = 0.05


@dataclass(frozen=True)
class NoiseSigns:
    """Root mean squares on the scale 0 to 255.

    Attributes:
        fine: finest detail of luma that a tenth of the flattest patches keep below.
        middle: middle detail of luma, likewise.
        colour_fine: finest detail of the colour differences in the flattest patches; 0 of grey.
        colour_middle: their middle detail.
        brightness: noise of the brighter third of the flattest patches over that of the darker.
        quiet: of fine, middle and coarse detail of luma and of middle and coarse detail of colour
            what 2, 10 and 30 % of all patches keep below: 15 numbers.
        jpeg: the JPEG that the pixels were decoded from, where one was found.
    """

    fine: float
    middle: float
    colour_fine: float
    colour_middle: float
    brightness: float
    quiet: tuple[float, ...]
    jpeg: JpegTraces | None

    @property
    def luma_whiteness(self) -> float:
        """About 1 for white noise; far less where the finest detail is missing."""
        return self.fine / max(self.middle, _SMALL)

    @property
    def colour_whiteness(self) -> float:
        """The same of colour, in which photographs have little structure of their own."""
        return self.colour_fine / max(self.colour_middle, _SMALL)

    def numbers(self) -> NDArray[np.float64]:
        """All of them on logarithms; behind JPEG also its quality / 100."""
        levels = (self.fine, self.middle, self.colour_fine, self.colour_middle)
        logs = np.log(_SMALL + np.array([*levels, self.brightness, *self.quiet]))
        return logs if self.jpeg is None else np.append(logs, self.jpeg.quality / 100)


def noise_signs(image: Image, jpeg: JpegTraces | None) -> NoiseSigns:
    """The signs of an image's noise.

    Args:
        image: lines × samples (× 3) on the scale 0 to 255, at least 8 × 8.
        jpeg: see `find_jpeg`.

    Raises:
        ShapeError: it is smaller.
    """
    middle = middle_of(image)
    luma = luma_of(middle)
    planes = [luma]
    if middle.ndim == 3:
        planes += [middle[..., 2] - luma, middle[..., 0] - luma]
    values = middle.reshape(*middle.shape[:2], -1)
    inside = np.asarray(((values > 0) & (values < 255)).all(2))
    places = np.flatnonzero(patches_of(inside).all(1))
    patches = [patches_of(plane) for plane in planes]
    if len(places) < _ENOUGH:
        places = np.arange(len(patches[0]))
    energies = np.stack([_energies(each[places]) for each in patches])
    flat = flattest(patches[0][places])
    brightness = _brightness(patches[0][places][flat].mean(1), energies[0, flat, 1])
    fine, mid = np.sqrt(np.quantile(energies[0, flat, :2], _QUIETER, axis=0))
    colour = energies[1:].mean(0) if len(energies) > 1 else np.zeros_like(energies[0])
    colour_fine, colour_mid = np.sqrt(colour[flat, :2].mean(0))
    quiet = [*energies[0].T, *colour.T[1:]]
    return NoiseSigns(
        float(fine),
        float(mid),
        float(colour_fine),
        float(colour_mid),
        brightness,
        tuple(np.sqrt(np.quantile(np.stack(quiet), _QUIET, axis=1)).T.ravel().tolist()),
        jpeg,
    )


def luma_of(image: Image) -> Image:
    """Luma (ITU-R 601) of lines × samples (× 3)."""
    return image if image.ndim == 2 else np.asarray(image @ _LUMA, np.float32)


def large_enough(image: Image) -> bool:
    """Whether an image has patches enough to say anything."""
    lines, samples = image.shape[:2]
    return bool(min(lines, samples) >= 4 * SMALLEST_IMAGE)


def middle_of(image: NDArray[Any]) -> NDArray[Any]:
    """The part of an image that is looked at: at most 512 × 512 pixels in its middle."""
    first = [(size - min(size, _SIDE)) // 2 for size in image.shape[:2]]
    return image[first[0] : first[0] + _SIDE, first[1] : first[1] + _SIDE]


def _energies(patches: NDArray[np.generic]) -> Energies:
    """Mean squares of fine, middle and coarse detail, patches × 3."""
    squares = fft.dctn(patches.reshape(-1, 8, 8).astype(np.float32), axes=(1, 2), norm="ortho") ** 2
    return np.stack([squares[:, band].mean(1) for band in _BANDS], 1).astype(np.float64)


def _brightness(means: NDArray[np.floating], energies: Energies) -> float:
    order = np.argsort(means, kind="stable")
    third = max(len(order) // 3, 1)
    dark, bright = (float(np.median(energies[part])) for part in (order[:third], order[-third:]))
    return float(np.sqrt((bright + _SMALL) / (dark + _SMALL)))
