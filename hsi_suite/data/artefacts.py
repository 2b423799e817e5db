"""What storing and resizing do to clean images: JPEG, and resolution that was lost.

Images are lines × samples (× 3), float32, on the scale 0 to 1. Both are functions of the image
alone.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import ConfigError
from ..restoration.colour import LUMA

Picture = NDArray[np.float32]
_LEVELS = np.float32(255)


def through_jpeg(picture: Picture, quality: int, *, subsampling: bool = False) -> Picture:
    """The picture written as JPEG and read again, 256 levels on the scale 0 to 1.

    Args:
        picture: grey or sRGB; clipped to 0 to 1.
        quality: 1 to 100, of libjpeg.
        subsampling: whether colour has half the resolution (4:2:0).
    """
    buffer = io.BytesIO()
    Image.fromarray(eight_bits(picture)).save(
        buffer, "JPEG", quality=int(quality), subsampling=2 if subsampling else 0
    )
    with Image.open(buffer) as file:
        return np.asarray(file, np.float32) / _LEVELS


def through_small(picture: Picture, factor: int) -> Picture:
    """The picture made smaller by a factor, stored in 8 bits, and brought back to its size.

    Both ways by bicubic interpolation (Keys, TASSP 1981, a = -1/2), with a kernel that is widened
    on the way down, as MATLAB's imresize and Pillow have it. Sizes that the factor does not divide
    are continued by the last pixels first. Not clipped on the way back.

    Args:
        picture: of any size.
        factor: 1 or more; 1 rounds to 256 levels.

    Raises:
        ConfigError: a factor below 1.
    """
    if factor < 1:
        raise ConfigError("factor", f"{factor}", "1 or more")
    lines, samples = picture.shape[:2]
    margins = [(0, -size % factor) for size in (lines, samples)]
    whole = np.pad(picture, [*margins, *[(0, 0)] * (picture.ndim - 2)], mode="edge")
    height, width = whole.shape[:2]
    bicubic = Image.Resampling.BICUBIC
    small = eight_bits(resampled(whole, (height // factor, width // factor), bicubic))
    large = resampled(small.astype(np.float32) / _LEVELS, (height, width), bicubic)
    return np.ascontiguousarray(large[:lines, :samples])


def eight_bits(picture: Picture) -> NDArray[np.uint8]:
    """Clipped to 0 to 1 and rounded to 256 levels."""
    return np.rint(picture.clip(0, 1) * _LEVELS).astype(np.uint8)


def without_colour(picture: Picture) -> Picture:
    """A picture in colour that has its luma (ITU-R 601) as red, green and blue.

    Args:
        picture: lines × samples × 3.
    """
    luma = picture @ np.array(LUMA, np.float32)
    return np.repeat(luma[..., None], 3, 2)


def studio_luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma of sRGB pixels as ITU-R 601 has it for video: black is 16, white 235.

    The Y of MATLAB's rgb2ycbcr, of which the literature of deblocking and super-resolution gives
    scores.

    Args:
        pixels: lines × samples × 3.
    """
    weights = np.array([65.481, 128.553, 24.966]) / 255
    return np.rint(16 + pixels.astype(np.float64) @ weights).astype(np.uint8)


def resampled(picture: Picture, shape: tuple[int, int], kind: Image.Resampling) -> Picture:
    """The picture at another resolution, not rounded, by a filter of Pillow's.

    Args:
        picture: of any size.
        shape: lines and samples wanted.
        kind: the filter; on the way down it is widened.
    """
    lines, samples = shape
    planes = picture[..., None] if picture.ndim == 2 else picture
    resized = [
        np.array(Image.fromarray(plane).resize((samples, lines), kind))
        for plane in np.ascontiguousarray(np.moveaxis(planes, 2, 0), np.float32)
    ]
    return resized[0] if picture.ndim == 2 else np.stack(resized, 2)
