"""What image files note beside their pixels: turn, resolution, EXIF."""

from __future__ import annotations

import math
import struct
from typing import Any

import tifffile
from numpy.typing import NDArray
from PIL import Image

_ORIENTATION = 274
_X_RESOLUTION = 282
_RESOLUTION_UNIT = 296
_NO_UNIT = 1
# More than any device has, and what JPEG files can hold.
_MOST_DPI = 65_535
_TURNS = range(1, 9)
# What Pillow raises for damaged EXIF.
_BROKEN = (ValueError, TypeError, LookupError, SyntaxError, struct.error)


def upright(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """A view of an image as it is to be seen.

    Args:
        values: lines × samples (× channels), as stored.
        orientation: EXIF's number of the turn, 1 to 8.
    """
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    lines_reversed = orientation in (3, 4, 7, 8)
    samples_reversed = orientation in (2, 3, 6, 7)
    return values[:: -1 if lines_reversed else 1, :: -1 if samples_reversed else 1]


def exif_of(image: Image.Image) -> bytes | None:
    """The EXIF of an opened image as a TIFF structure; of TIFF files the orientation alone.

    None where there is none, and where it is damaged: that is no reason to refuse the picture.
    """
    try:
        tags = image.getexif()
        if image.format == "TIFF":
            return orientation_as_exif(_turn(tags.get(_ORIENTATION, 1)))
        content: bytes = image.info.get("exif", b"") or tags.tobytes()
    except _BROKEN:
        return None
    return content.removeprefix(b"Exif\0\0") if len(tags) else None


def icc_of(image: Image.Image) -> bytes | None:
    """The colour profile of an opened image; None where there is none, or no bytes are one."""
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) else None


def orientation_in(exif: bytes) -> int:
    """EXIF's number of the turn, 1 to 8; 1 where it is missing or something else."""
    tags = Image.Exif()
    tags.load(exif)
    return _turn(tags.get(_ORIENTATION, 1))


def orientation_as_exif(orientation: int) -> bytes | None:
    """A TIFF structure that holds the orientation alone; None for an upright image."""
    if orientation == 1:
        return None
    tags = Image.Exif()
    tags[_ORIENTATION] = orientation
    return tags.tobytes().removeprefix(b"Exif\0\0")


def dpi_of(image: Image.Image) -> tuple[float, float] | None:
    """Dots per inch along samples and lines; None where a file says none that can be true."""
    if image.format == "TIFF" and image.getexif().get(_RESOLUTION_UNIT) == _NO_UNIT:
        return None
    return _sensible(image.info.get("dpi"))


def tiff_dpi(page: tifffile.TiffPage) -> tuple[float, float] | None:
    """The same of a page that tifffile opened."""
    # Without a unit the two numbers say the shape of a pixel alone.
    if _X_RESOLUTION not in page.tags or page.tags.valueof(_RESOLUTION_UNIT) == _NO_UNIT:
        return None
    try:
        return _sensible(page.get_resolution(tifffile.RESUNIT.INCH))
    except (ZeroDivisionError, *_BROKEN):
        return None


def tiff_orientation(page: tifffile.TiffPage) -> int:
    """The orientation of a page that tifffile opened, as of `orientation_in`."""
    return _turn(page.tags.valueof(_ORIENTATION, default=1))


def _turn(value: Any) -> int:
    return int(value) if isinstance(value, int) and value in _TURNS else 1


def _sensible(dpi: tuple[float, float] | None) -> tuple[float, float] | None:
    if dpi is None or not all(math.isfinite(each) and 1 <= each <= _MOST_DPI for each in dpi):
        return None
    return float(dpi[0]), float(dpi[1])
