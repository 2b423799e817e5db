"""Pictures in inks (CMYK) or CIE Lab, brought to RGB."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

_STRIP = 256
# CIE Lab of TIFF files has the white of D50 (XYZ), as ICC profiles have it; sRGB that of D65: to
# linear sRGB by Bradford's adaptation (Lindbloom, "RGB/XYZ matrices").
_WHITE = np.array([0.96422, 1.0, 0.82521], np.float32)
_XYZ_TO_SRGB = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ],
    np.float32,
)
_DARK = 6 / 29  # where the cube root of CIE Lab becomes a line


class Inks:
    """From cyan, magenta, yellow and black to red, green and blue.

    Args:
        profile: the file's own ICC profile: colours are matched by it (relative colorimetric,
            black point compensation). None, or one that is not of four inks: each colour is what
            its ink and black leave of white.
    """

    def __init__(self, profile: bytes | None) -> None:
        self._transform = None if profile is None else _transform(profile)

    @property
    def remark(self) -> str:
        """What becomes of the colours, for the user."""
        how = "without a profile of them" if self._transform is None else "by its profile"
        return f"its inks (CMYK) become RGB of 8 bits, {how}"

    def __call__(self, values: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Lines × samples × 4, 255 for full ink, to lines × samples × 3."""
        result = np.empty((*values.shape[:2], 3), np.uint8)
        for first in range(0, len(values), _STRIP):
            strip = np.ascontiguousarray(values[first : first + _STRIP])
            result[first : first + _STRIP] = self._strip(strip)
        return result

    def _strip(self, strip: NDArray[np.uint8]) -> NDArray[Any]:
        if self._transform is None:
            left = 255 - strip.astype(np.uint16)
            return (left[..., :3] * left[..., 3:] + 127) // 255
        lines, samples = strip.shape[:2]
        image = Image.frombuffer("CMYK", (samples, lines), strip.tobytes(), "raw", "CMYK", 0, 1)
        changed = ImageCms.applyTransform(image, self._transform)
        assert changed is not None  # None is of changes in place
        return np.asarray(changed)


def _transform(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            "CMYK",
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError):
        return None


def rgb_of_lab(values: NDArray[Any], photometric: int) -> NDArray[Any]:
    """SRGB of CIE Lab as TIFF files store it, clipped to what sRGB holds.

    Args:
        values: lines × samples × 3, uint8 or uint16.
        photometric: 8 (CIELAB: a and b have a sign) or 9 (ICCLAB: a and b begin at −128).

    Returns:
        Of the same type and shape.
    """
    most = np.iinfo(values.dtype).max
    result = np.empty_like(values)
    for first in range(0, len(values), _STRIP):
        strip = values[first : first + _STRIP]
        light = strip[..., 0].astype(np.float32) * np.float32(100 / most)
        unit = np.float32(256 if most > 255 else 1)
        if photometric == tifffile.PHOTOMETRIC.ICCLAB:
            offset = strip[..., 1:].astype(np.float32) / unit - 128
        else:
            offset = strip[..., 1:].view(f"i{strip.dtype.itemsize}").astype(np.float32) / unit
        result[first : first + _STRIP] = np.rint(_srgb(light, offset) * most)
    return result


def _srgb(light: NDArray[np.float32], offset: NDArray[np.float32]) -> NDArray[np.float32]:
    """SRGB from 0 to 1 of L (0 to 100) and of a and b (ISO 11664-4, IEC 61966-2-1)."""
    middle = (light + 16) / 116
    roots = np.stack([middle + offset[..., 0] / 500, middle, middle - offset[..., 1] / 200], -1)
    shares = np.where(roots > _DARK, roots**3, 3 * _DARK**2 * (roots - 4 / 29))
    linear = np.clip((shares * _WHITE) @ _XYZ_TO_SRGB.T, 0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(curved, np.float32)
