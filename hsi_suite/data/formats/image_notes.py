"""What image files note beside their pixels: turn, resolution, EXIF, XMP, texts."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

import tifffile
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from ...process_wide import ignoring

_ORIENTATION = 274
_X_RESOLUTION = 282
_Y_RESOLUTION = 283
_RESOLUTION_UNIT = 296
_NO_UNIT, _INCH, _CENTIMETRE = 1, 2, 3
_XMP_IN_PNG = "XML:com.adobe.xmp"
# Texts of a PNG that are notes of other kinds.
_NO_TEXTS = (_XMP_IN_PNG, "Raw profile type ")
#: What PNG files call the comment that JPEG and GIF files have.
COMMENT = "Comment"
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


def xmp_of(image: Image.Image) -> bytes | None:
    """The XMP packet of an opened image; None where there is none."""
    found = image.info.get("xmp") or image.info.get(_XMP_IN_PNG)
    if isinstance(found, str):
        return found.encode()
    return found if isinstance(found, bytes) and found else None


def texts_of(image: Image.Image) -> dict[str, str]:
    """The texts of an opened image by their keywords, all that a PNG has; decodes a PNG.

    The comment of a JPEG or GIF file is one, of the keyword that PNG files have for it.
    """
    if isinstance(image, PngImagePlugin.PngImageFile):
        return dict(image.text)
    comment = image.info.get("comment")
    if not isinstance(comment, bytes) or not (plain := comment.rstrip(b"\0")):
        return {}
    try:
        return {COMMENT: plain.decode()}
    except UnicodeDecodeError:
        return {COMMENT: plain.decode("latin-1")}


def plain_texts(texts: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Those of `texts_of` that are texts, and no notes of another kind in disguise."""
    return tuple((key, text) for key, text in texts.items() if not key.startswith(_NO_TEXTS))


def icc_of(image: Image.Image) -> bytes | None:
    """The colour profile of an opened image; None where there is none, or no bytes are one."""
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) else None


def orientation_in(exif: bytes) -> int:
    """EXIF's number of the turn, 1 to 8; 1 where it is missing or something else."""
    tags = Image.Exif()
    try:
        with ignoring():
            tags.load(exif)
            return _turn(tags.get(_ORIENTATION, 1))
    except _BROKEN:
        return 1


def says_more_than_turn(exif: bytes) -> bool:
    """Whether EXIF notes anything beside the orientation."""
    tags = Image.Exif()
    try:
        tags.load(exif)
    except _BROKEN:
        return False
    return bool(set(tags) - {_ORIENTATION})


def orientation_as_exif(orientation: int) -> bytes | None:
    """A TIFF structure that holds the orientation alone; None for an upright image."""
    if orientation == 1:
        return None
    tags = Image.Exif()
    tags[_ORIENTATION] = orientation
    return tags.tobytes().removeprefix(b"Exif\0\0")


def with_orientation(exif: bytes | None, orientation: int) -> bytes | None:
    """EXIF with another turn noted in it; None where it is damaged."""
    if exif is None or orientation_in(exif) == orientation:
        return exif
    try:
        tags = Image.Exif()
        tags.load(exif)
        tags[_ORIENTATION] = orientation
        content: bytes = tags.tobytes()
    except _BROKEN:
        return orientation_as_exif(orientation)
    return content.removeprefix(b"Exif\0\0")


def with_dpi(exif: bytes | None, dpi: tuple[float, float] | None) -> bytes | None:
    """EXIF that notes a resolution, for files that have no other place for one."""
    if dpi is None or exif_dpi(exif) is not None:
        return exif
    try:
        tags = Image.Exif()
        if exif is not None:
            tags.load(exif)
        tags[_X_RESOLUTION], tags[_Y_RESOLUTION] = dpi
        tags[_RESOLUTION_UNIT] = _INCH
        content: bytes = tags.tobytes()
    except _BROKEN:
        return exif
    return content.removeprefix(b"Exif\0\0")


def exif_dpi(exif: bytes | None) -> tuple[float, float] | None:
    """Dots per inch along samples and lines, as EXIF notes them; None where it does not."""
    if exif is None:
        return None
    tags = Image.Exif()
    try:
        tags.load(exif)
        inches = 2.54 if tags.get(_RESOLUTION_UNIT, _INCH) == _CENTIMETRE else 1.0
        found = [float(tags[code]) * inches for code in (_X_RESOLUTION, _Y_RESOLUTION)]
    except (ZeroDivisionError, *_BROKEN):
        return None
    return None if tags.get(_RESOLUTION_UNIT) == _NO_UNIT else _sensible((found[0], found[1]))


def dpi_of(image: Image.Image) -> tuple[float, float] | None:
    """Dots per inch along samples and lines; None where a file says none that can be true."""
    if image.format == "TIFF" and image.getexif().get(_RESOLUTION_UNIT) == _NO_UNIT:
        return None
    if image.format == "WEBP":
        return exif_dpi(exif_of(image))
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
