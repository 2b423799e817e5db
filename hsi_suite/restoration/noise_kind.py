"""Which kind of noise an image has: none, white, a camera's, or the faults of JPEG alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Literal

from .boosted_trees import BoostedTrees, read_trees
from .jpeg_traces import JpegTraces, find_jpeg
from .noise_signs import Image, NoiseSigns, luma_of, noise_signs

NoiseKind = Literal["clean", "gaussian", "camera", "jpeg"]
_TREES = "noise_kinds.npz"

# White noise: at least so strong, and as fine as it is middling. Clean photographs, simulated
# cameras and scans stay below 0.6 in luma and in colour, white noise of σ 3 lies above 0.67 in
# 95 of 100 (`python -m benchmarks.noise_kinds`).
_WHITE = 0.64
# What white noise of σ 2 has, which is hardly seen, in grey, in the luma of colour and in colour.
_LEAST, _LEAST_LUMA, _LEAST_COLOUR = 1.5, 1.0, 2.0
# A picture is left alone unless noise is this likely: texture lost is worse than grain left.
_SURE = 0.6


@dataclass(frozen=True)
class FoundNoise:
    """What was found.

    Attributes:
        kind: of the noise.
        signs: what it was told from.
        chance: of noise rather than structure alone, as the fit has it; 1 where it is white.
    """

    kind: NoiseKind
    signs: NoiseSigns
    chance: float

    @property
    def words(self) -> str:
        """What was found, in a few words."""
        jpeg = self.signs.jpeg
        quality = "" if jpeg is None else f"JPEG of quality {jpeg.quality}"
        after = f" behind {quality}" if quality else ""
        return {
            "clean": f"hardly any noise{after}",
            "gaussian": f"white noise{after}",
            "camera": f"noise of a camera or scanner, alike in neighbouring pixels{after}",
            "jpeg": f"{quality}, its noise not told from texture",
        }[self.kind]


def find_noise(image: Image, quality: int | None = None) -> FoundNoise:
    """The kind of an image's noise.

    White noise is known by its finest detail, which all other noise of photographs has lost to
    demosaicking, noise reduction, a lens or JPEG. Whether there is such other noise, or structure
    alone, is told by boosted trees on `NoiseSigns.numbers`, fitted to simulated cameras, scans and
    JPEG files (`python -m benchmarks.noise_kinds --fit`, which also scores them on others): one
    each for images with and without JPEG, in colour and in grey.

    Args:
        image: lines × samples (× 3) on the scale 0 to 255, at least 32 × 32; not resampled since
            it was decoded.
        quality: of the JPEG file that it comes from; None: looked for in the pixels.

    Raises:
        ShapeError: it is smaller than 8 × 8.
    """
    signs = signs_of(image, quality)
    grey = image.ndim == 2
    if is_white(signs, grey=grey):
        return FoundNoise("gaussian", signs, 1.0)
    chance = _chance(signs, grey=grey)
    quiet: NoiseKind = "clean" if signs.jpeg is None else "jpeg"
    return FoundNoise("camera" if chance > _SURE else quiet, signs, chance)


def signs_of(image: Image, quality: int | None) -> NoiseSigns:
    """What `find_noise` goes by; same arguments and errors."""
    known = None if quality is None else JpegTraces(quality, (0, 0))
    return noise_signs(image, known or find_jpeg(luma_of(image)))


def is_white(signs: NoiseSigns, *, grey: bool) -> bool:
    """Whether the finest detail alone says that the noise is white."""
    least = _LEAST if grey else _LEAST_LUMA
    luma = signs.fine > least and signs.luma_whiteness > _WHITE
    return luma or (signs.colour_fine > _LEAST_COLOUR and signs.colour_whiteness > _WHITE)


def fit_name(signs: NoiseSigns, *, grey: bool) -> str:
    """Which of the fits is for an image."""
    return ("grey" if grey else "colour") + ("" if signs.jpeg is None else "_jpeg")


def _chance(signs: NoiseSigns, *, grey: bool) -> float:
    return _trees(fit_name(signs, grey=grey)).chance(signs.numbers())


@lru_cache(maxsize=4)
def _trees(name: str) -> BoostedTrees:
    with resources.as_file(resources.files(__package__) / _TREES) as path:
        return read_trees(path, name)
